"""A view says whom it is for, in known words, and an open one says why."""

from __future__ import annotations

import pytest

from service.access import access


def view() -> str:
    return "a page"


def test_a_view_is_stamped_and_stays_itself() -> None:
    assert access("follower")(view) is view
    assert view.authentication == "follower"  # type: ignore[attr-defined]  # the stamp
    assert view() == "a page"


def test_a_public_view_says_why() -> None:
    access("public", why="everybody may read it")(view)
    assert view.authentication == "public: everybody may read it"  # type: ignore[attr-defined]  # the stamp
    with pytest.raises(ValueError, match="why"):
        access("public")


def test_an_unknown_audience_is_refused() -> None:
    with pytest.raises(ValueError, match="audience"):
        access("friends")  # type: ignore[arg-type]  # what a typing slip would be
