"""What a password must be like, and how it is kept and compared: always with the same work."""

from __future__ import annotations

import functools
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: OWASP's second recommendation for Argon2id: 19 MiB and two passes, about 40 ms here. Eight
#: threads that all hash at once then take 150 MiB and not half a gigabyte.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

SHORTEST: Final = 12
#: From this length on a sentence will do, whatever signs it consists of.
LONG: Final = 20
#: Longer ones only cost time to hash.
LONGEST: Final = 128
_KINDS: Final = 3
_DIFFERENT: Final = 6
#: What is tried first, as a whole or as most of a password.
_COMMON: Final = (
    *("password", "passw0rd", "qwerty", "admin", "welcome", "iloveyou", "letmein", "changeme"),
    *("123456", "654321", "111111", "000000", "888888", "666666", "1qaz2wsx", "abc123", "woaini"),
    *("icbc", "weixin", "wechat"),
)
#: Without the signs that look alike in print: 0 O 1 l I.
_SIGNS: Final = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def faults(password: str, *, login: str = "") -> list[str]:
    """What is wrong with it, in Chinese, each with what to do; empty when it may be used."""
    found = []
    if len(password) < SHORTEST:
        found.append(f"至少 {SHORTEST} 位，现在 {len(password)} 位，请加长")
    if len(password) > LONGEST:
        found.append(f"最多 {LONGEST} 位，请缩短")
    if len(password) < LONG and _kinds(password) < _KINDS:
        found.append(f"大写、小写、数字、符号至少用三种，或者写到 {LONG} 位以上")
    if len(set(password)) < _DIFFERENT:
        found.append("重复的字符太多，请换用更多不同的字符")
    plain = password.casefold()
    if login and login.casefold() in plain:
        found.append("不能包含登录名，请换一个")
    if any(word in plain and len(plain) - len(word) < 8 for word in _COMMON):
        found.append("太容易被猜到，请避开常见的词和数字")
    return found


def hashed(password: str) -> str:
    return _HASHER.hash(password)


def is_right(password: str, kept: str | None) -> bool:
    """Whether this is the password that was kept; takes as long when none was."""
    try:
        matches = _HASHER.verify(kept or _nobodys(), password[: LONGEST * 4])
    except (VerificationError, InvalidHashError):
        return False
    return matches and kept is not None


def is_outdated(kept: str) -> bool:
    """Whether it was hashed with less work than we ask for today."""
    return _HASHER.check_needs_rehash(kept)


def generated() -> str:
    """A password to be told once and changed at the first sign-in; about 93 bits."""
    return _made_of(_SIGNS)


def spoken() -> str:
    """The same for the telephone, in capitals and figures alone; about 80 bits."""
    return _made_of("".join(sign for sign in _SIGNS if not sign.islower()))


def _made_of(signs: str) -> str:
    while True:
        made = "-".join("".join(secrets.choice(signs) for _ in range(4)) for _ in range(4))
        if not faults(made):
            return made


@functools.cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_hex(16))


def _kinds(password: str) -> int:
    tests = (str.islower, str.isupper, str.isdigit, lambda sign: not sign.isalnum())
    return sum(any(test(sign) for sign in password) for test in tests)
