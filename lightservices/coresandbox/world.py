"""What the sandbox knows while it runs: bindings under way, customers, faults, calls. In memory."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from lightservices.coresandbox.faults import Rule
from service import clock

#: How long a one-time code holds, and how often it may be tried.
CODE_HOLDS: Final = timedelta(minutes=5)
MOST_TRIES: Final = 5
#: The telephone number of somebody who is no customer: no code is ever right.
STRANGER: Final = "19900000000"
_MOST_NONCES: Final = 10_000


@dataclass
class Pending:
    """A binding that waits for its code."""

    subject: str
    phone: str
    consent_version: str
    ends_at: datetime
    tries: int = 0

    @property
    def code(self) -> str:
        """In the sandbox no message is sent: the code is the end of the telephone number."""
        return self.phone[-6:]


@dataclass
class World:
    """The state of one sandbox; whoever touches it holds the lock."""

    key: str
    secret: str
    lock: threading.RLock = field(default_factory=threading.RLock)
    closing: threading.Event = field(default_factory=threading.Event)
    pending: dict[str, Pending] = field(default_factory=dict)
    #: Which subject a customer token stands for.
    customers: dict[str, str] = field(default_factory=dict)
    consents: dict[str, str] = field(default_factory=dict)
    nonces: dict[str, int] = field(default_factory=dict)
    faults: list[Rule] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    def begin(self, *, subject: str, phone: str, consent_version: str) -> tuple[str, Pending]:
        """A binding is asked for; the answer is the same whether the number is known or not."""
        self._forget_old()
        name = f"bnd_{secrets.token_hex(16)}"
        self.pending[name] = Pending(subject, phone, consent_version, clock.now() + CODE_HOLDS)
        return name, self.pending[name]

    def bind(self, pending: Pending) -> str:
        """The code was right: a token for this customer, and none of theirs from before."""
        self.unbind_subject(pending.subject)
        token = f"cus_{secrets.token_hex(24)}"
        self.customers[token] = pending.subject
        self.consents[token] = pending.consent_version
        return token

    def unbind(self, token: str) -> None:
        self.customers.pop(token, None)
        self.consents.pop(token, None)

    def unbind_subject(self, subject: str) -> None:
        for token in [token for token, whose in self.customers.items() if whose == subject]:
            self.unbind(token)

    def is_new(self, nonce: str) -> bool:
        """Whether this is the nonce's first time; those too old to be accepted are dropped."""
        present = clock.epoch()
        if len(self.nonces) > _MOST_NONCES:
            self.nonces = {one: at for one, at in self.nonces.items() if at > present - 600}
        if nonce in self.nonces:
            return False
        self.nonces[nonce] = present
        return True

    def fault(self, path: str) -> Rule | None:
        """The first fault that speaks of this path, counted."""
        for rule in self.faults:
            if rule.covers(path):
                rule.met += 1
                return rule
        return None

    def _forget_old(self) -> None:
        present = clock.now()
        for name in [name for name, one in self.pending.items() if one.ends_at < present]:
            del self.pending[name]
