"""How what somebody wrote lies in the database: sealed, with a keyed digest of the telephone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.fernet import InvalidToken

from lightservices.tickets import numbers
from service import sealing
from service.wiring import Unit

_PURPOSE: Final = "tickets"
_PHONES: Final = "ticket telephones"
_CODES: Final = "ticket codes"
#: What stands in place of what can no longer be opened.
LOST: Final = "（密钥已更换，这段内容无法再读取）"
_CODE_SIGNS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_CODE_LENGTH: Final = 8


@dataclass(frozen=True, slots=True)
class Content:
    """What a ticket is about: the form's questions with their answers, and where to call."""

    answers: tuple[tuple[str, str], ...]
    phone: str = field(default="", repr=False)

    @property
    def phone_masked(self) -> str:
        return numbers.masked(self.phone)


def seal(unit: Unit, content: Content) -> str:
    return _seal(unit, {"answers": content.answers, "phone": content.phone})


def opened(unit: Unit, sealed: str) -> Content:
    """What was sealed, or that it is lost."""
    found = _open(unit, sealed)
    if not isinstance(found, dict):
        return Content((("内容", LOST),))
    return Content(tuple((label, text) for label, text in found["answers"]), found["phone"])


def seal_words(unit: Unit, words: str) -> str:
    return _seal(unit, words) if words else ""


def opened_words(unit: Unit, sealed: str) -> str:
    if not sealed:
        return ""
    found = _open(unit, sealed)
    return found if isinstance(found, str) else LOST


def phone_digest(unit: Unit, phone: str) -> str | None:
    """What the same number is recognised by, without anybody learning it."""
    return sealing.keyed_digest(unit.settings.secret_key, _PHONES, phone) if phone else None


def code_of(unit: Unit, number: str) -> str:
    """The code with which a guest finds this ticket: it follows from the number and our key."""
    digest = bytes.fromhex(sealing.keyed_digest(unit.settings.secret_key, _CODES, number))
    return "".join(_CODE_SIGNS[byte % len(_CODE_SIGNS)] for byte in digest[:_CODE_LENGTH])


def _seal(unit: Unit, value: str | dict[str, Sequence[object] | str]) -> str:
    vault = sealing.vault(unit.settings.secret_key, _PURPOSE)
    return vault.encrypt(json.dumps(value, ensure_ascii=False).encode()).decode()


def _open(unit: Unit, sealed: str) -> object:
    try:
        opened_text = sealing.vault(unit.settings.secret_key, _PURPOSE).decrypt(sealed.encode())
    except InvalidToken:
        return None
    found: object = json.loads(opened_text)
    return found
