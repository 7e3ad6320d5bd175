"""Who may call a route: a stamp every view carries, so that none is open by oversight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar, get_args

#: ``public`` anybody, on purpose; ``wechat`` pushes signed by WeChat; ``follower`` a visitor of the
#: pages, known by the signed visit cookie if WeChat told us who they are; ``staff`` the bank's own.
Audience = Literal["public", "wechat", "follower", "staff"]
AUDIENCES: Final[frozenset[str]] = frozenset(get_args(Audience))

View = TypeVar("View", bound=Callable[..., Any])


def access(audience: Audience, *, why: str = "") -> Callable[[View], View]:
    """Declare whom a view is for. It is a declaration, not the check: the law tests look for it.

    Raises:
        ValueError: for an unknown audience, and for a public view that does not say why it is.
    """
    if audience not in AUDIENCES:
        raise ValueError(
            f"{audience!r} is no audience; choose one of {', '.join(sorted(AUDIENCES))}"
        )
    if audience == "public" and not why:
        raise ValueError("a public view says why anybody may call it")

    def stamp(view: View) -> View:
        view.authentication = f"{audience}: {why}" if why else audience  # type: ignore[attr-defined]  # a stamp on a function is invisible to mypy
        return view

    return stamp
