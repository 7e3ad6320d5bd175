"""What the audiences of menus are called: a branch, or those of its followers in an emergency.

A whole branch is called by its code; those inside by the branch's code, a plus sign, and a mark
that the keys of the emergencies make, always the same for the same ones.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

_PLUS: Final = "+"
#: Long enough never to be another's, short enough to stand in a tag's name behind a branch's code.
MARK_LENGTH: Final = 6

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Audience:
    """The followers of a branch who are inside all of these emergencies' areas, and of no other."""

    branch: str
    emergencies: frozenset[str]

    @property
    def key(self) -> str:
        return key(self.branch, mark(self.emergencies))


@lru_cache(1024)
def mark(emergencies: frozenset[str]) -> str:
    """What stands for these emergencies; nothing for none."""
    if not emergencies:
        return ""
    digest = hashlib.blake2b("\n".join(sorted(emergencies)).encode(), digest_size=8).digest()
    return base64.b32encode(digest).decode().lower()[:MARK_LENGTH]


def key(branch: str, inside: str) -> str:
    """The audience's key, from its branch and the mark of the emergencies it is inside of."""
    return f"{branch}{_PLUS}{inside}" if inside else branch


def branch_of(audience: str) -> str:
    """The branch whose followers these are."""
    return audience.partition(_PLUS)[0]


def inside_of(audience: str) -> str:
    """The mark of the emergencies they are inside of; nothing for the branch at large."""
    return audience.partition(_PLUS)[2]


def is_part(audience: str) -> bool:
    """Whether these are only some of a branch's followers."""
    return _PLUS in audience


def parts(audiences: Iterable[str]) -> list[str]:
    """Those that are only some of a branch's followers."""
    return [one for one in audiences if _PLUS in one]


def served(reach: Mapping[str, T], audience: str) -> T | None:
    """What serves an audience: what is meant for it, else what serves its branch.

    So an emergency's end, or a publication that has not come so far, leaves nobody with less than
    the rest of their branch has.
    """
    found = reach.get(audience)
    return found if found is not None else reach.get(branch_of(audience))


def named(audience: str, names: Mapping[str, str]) -> str:
    """Whom people understand by it."""
    branch = branch_of(audience)
    name = names.get(branch, branch)
    return f"{name}应急范围内" if is_part(audience) else name


def branches_in(audiences: Collection[str]) -> int:
    """How many branches these are of."""
    return len({branch_of(one) for one in audiences})
