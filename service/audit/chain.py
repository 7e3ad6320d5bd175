"""How an entry is added: what it says, what it leaves out, and how it hangs on the one before."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from sqlalchemy import bindparam, insert, select, update

from service import clock
from service.audit.models import AuditEntry, AuditHead
from service.db import table_of
from service.wiring import Unit

_ENTRIES, _HEAD = table_of(AuditEntry), table_of(AuditHead)

#: What hangs before the first entry.
ORIGIN: Final = "0" * 64

#: Values under such names are never written down, whatever they hold.
_SECRET: Final = re.compile(
    r"passw|secret|token|totp|otp\b|recovery|private|aes_key|api_key|cookie|credential|authoriz|密码"
    r"|口令|密钥",
    re.IGNORECASE,
)
HIDDEN: Final = "（已隐去）"

#: Longer states are told by their digest: the chain is a record of acts and not a store of files.
_LONGEST: Final = 200_000


class Actor(Protocol):
    """Whoever acts. Staff have more; this is all an entry needs.

    An actor may also carry ``source``, a digest of the address the request came from.
    """

    @property
    def id(self) -> int: ...

    @property
    def login(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One link of the chain; ``before`` and ``after`` are canonical JSON, "" for none."""

    seq: int
    at: datetime
    actor_id: int | None
    actor: str
    act: str
    subject: str
    branch: str
    before: str
    after: str
    why: str
    source: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends. The bank may keep it elsewhere and hold the chain against it."""

    seq: int
    hash: str


_END: Final = select(_HEAD.c.seq, _HEAD.c.hash).where(_HEAD.c.id == 1)
_HOLD: Final = _END.with_for_update()
_ADD: Final = insert(_ENTRIES)
_ADVANCE: Final = (
    update(_HEAD)
    .where(_HEAD.c.id == 1, _HEAD.c.seq == bindparam("old"))
    .values(seq=bindparam("new"), hash=bindparam("digest"))
)
COLUMNS: Final = tuple(_ENTRIES.c[field.name] for field in fields(Entry))


def note(
    unit: Unit,
    *,
    actor: Actor | None,
    act: str,
    subject: str,
    branch: str = "",
    before: Any = None,
    after: Any = None,
    why: str = "",
    source: str = "",
) -> None:
    """Write down, in this transaction, that somebody did something.

    Args:
        actor: who; None where the program acted by itself.
        act: what, a dotted name such as ``zone.publish`` (at most 64 characters).
        subject: what it was done to, such as ``zone:B310000`` (at most 160); never an openid.
        branch: the branch whose people may read this entry; "" is head office's own business.
        before, after: the state then and now, JSON values; what bears a secret's name is left out.
        why: the reason the actor gave.
        source: a digest of where the request came from; the actor's own where it carries one.

    The entry is hung on the chain when the transaction is about to commit: everybody who appends
    waits for the chain's end, so nobody may hold it while they are still busy with other things.
    """
    entry = Entry(
        seq=0,
        at=clock.now(),
        actor_id=actor.id if actor else None,
        actor=_clean(actor.login if actor else "", 64),
        act=_clean(act, 64),
        subject=_clean(subject, 160),
        branch=_clean(branch, 16),
        before=_told(before),
        after=_told(after),
        why=_clean(why),
        source=_clean(source or getattr(actor, "source", ""), 32),
        previous="",
        hash="",
    )
    unit.closing.append(lambda: _append(unit, entry))


def head(unit: Unit) -> Head:
    """Where the chain ends now."""
    unit.flush()
    found = unit.db.execute(_END).first()
    return Head(*found) if found else Head(0, ORIGIN)


def _append(unit: Unit, entry: Entry) -> None:
    end = _hold_end(unit)
    entry = replace(entry, seq=end.seq + 1, previous=end.hash)
    entry = replace(entry, hash=hash_of(entry))
    unit.db.execute(_ADD, asdict(entry))
    moved = unit.db.execute(_ADVANCE, {"old": end.seq, "new": entry.seq, "digest": entry.hash})
    if moved.rowcount != 1:
        raise RuntimeError("the end of the audit chain moved although it was held")


def _hold_end(unit: Unit) -> Head:
    """The chain's end, held until this transaction ends. SQLite has one writer at a time anyway."""
    found = unit.db.execute(_HOLD).first()
    if found is None:
        first = unit.insert(AuditHead).values(id=1, seq=0, hash=ORIGIN)
        unit.db.execute(first.on_conflict_do_nothing(index_elements=[AuditHead.id]))
        found = unit.db.execute(_HOLD).one()
    return Head(*found)


def hash_of(entry: Entry) -> str:
    """SHA-256 over everything the entry says and the hash of the one before it."""
    said = asdict(entry) | {"at": entry.at.astimezone(UTC).isoformat(timespec="microseconds")}
    del said["hash"]
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def canonical(value: Any) -> str:
    """The one JSON text of a value: keys in order, no spaces, Chinese as it is written.

    Raises:
        ValueError, TypeError: for what JSON cannot say, such as an endless number or an object.
    """
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )


def _told(state: Any) -> str:
    if state is None:
        return ""
    text = _clean(canonical(_open_part(state)))
    if len(text) <= _LONGEST:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()
    return canonical({"sha256": digest, "characters": len(text)})


def _open_part(state: Any) -> Any:
    """The state without what bears a secret's name."""
    if isinstance(state, Mapping):
        return {
            str(name): HIDDEN if _SECRET.search(str(name)) else _open_part(value)
            for name, value in state.items()
        }
    if isinstance(state, Sequence) and not isinstance(state, str | bytes):
        return [_open_part(value) for value in state]
    return state


def _clean(text: str, most: int | None = None) -> str:
    """Text a database takes: no NUL, no half characters, not too long."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:most]
