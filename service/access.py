"""Who may call a route: a stamp every view carries, so that none is open by oversight.

For the bank's own people the stamp is more than a declaration: ``service.console.guard`` reads it
before every request and lets nobody through who does not fit it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar, get_args

from service.staff.rights import ACTS

#: ``public`` anybody, on purpose; ``wechat`` pushes signed by WeChat; ``follower`` a visitor of the
#: pages, known by the signed visit cookie if WeChat told us who they are; ``staff`` the bank's own.
Audience = Literal["public", "wechat", "follower", "staff"]
AUDIENCES: Final[frozenset[str]] = frozenset(get_args(Audience))

#: How far somebody has come in: the password was right; a new password must be chosen; inside.
Stage = Literal["password-ok", "new-password", "signed-in"]
STAGES: Final[frozenset[str]] = frozenset(get_args(Stage))

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a view says about its callers; ``may``, ``stage`` and ``fresh`` concern staff only."""

    audience: str
    why: str = ""
    #: The act that must be held somewhere; where exactly is asked at the door of the branch.
    may: str = ""
    stage: str = "signed-in"
    #: Whether the caller must have proved within the last minutes that it is still them.
    fresh: bool = False

    def __str__(self) -> str:
        said = f"may {self.may}" if self.may else self.why
        return f"{self.audience}: {said}" if said else self.audience


def access(
    audience: Audience,
    *,
    why: str = "",
    may: str = "",
    stage: Stage = "signed-in",
    fresh: bool = False,
) -> Callable[[View], View]:
    """Declare whom a view is for, and for staff what they must be allowed to do.

    Raises:
        ValueError: for an unknown audience, act or stage; for a public view that does not say why
            it is public; for a staff view that neither names an act nor says why it needs none.
    """
    if audience not in AUDIENCES:
        raise ValueError(
            f"{audience!r} is no audience; choose one of {', '.join(sorted(AUDIENCES))}"
        )
    if audience == "public" and not why:
        raise ValueError("a public view says why anybody may call it")
    _require_sense(audience, why=why, may=may, stage=stage, fresh=fresh)
    stamp = Stamp(audience, why, may, stage, fresh)

    def put(view: View) -> View:
        view.authentication = str(stamp)  # type: ignore[attr-defined]  # a stamp on a function is invisible to mypy
        view.stamp = stamp  # type: ignore[attr-defined]  # the same
        return view

    return put


def _require_sense(audience: str, *, why: str, may: str, stage: str, fresh: bool) -> None:
    if audience == "staff" and not (may or why):
        raise ValueError("a staff view names the act it needs, or says why it needs none")
    if audience != "staff" and (may or fresh or stage != "signed-in"):
        raise ValueError("acts, stages and fresh proof are for staff alone")
    if may and may not in ACTS:
        raise ValueError(f"{may!r} is no act; choose one of {', '.join(sorted(ACTS))}")
    if stage not in STAGES:
        raise ValueError(f"{stage!r} is no stage; choose one of {', '.join(sorted(STAGES))}")


def stamp_of(view: Callable[..., Any] | None) -> Stamp | None:
    """What the view says about its callers; None when it says nothing."""
    found: Stamp | None = getattr(view, "stamp", None)
    return found
