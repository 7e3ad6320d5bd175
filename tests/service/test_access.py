"""A view says whom it is for, in known words, and an open one says why."""

from __future__ import annotations

import pytest

from service.access import access, stamp_of


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


def test_a_staff_view_names_its_act_or_says_why_it_needs_none() -> None:
    access("staff", may="edit", fresh=True)(view)
    stamp = stamp_of(view)
    assert stamp is not None
    assert (stamp.audience, stamp.may, stamp.fresh, stamp.stage) == (
        "staff", "edit", True, "signed-in",
    )  # fmt: skip
    assert view.authentication == "staff: may edit"  # type: ignore[attr-defined]  # the stamp
    access("staff", why="concerns nobody else")(view)
    with pytest.raises(ValueError, match="names the act"):
        access("staff")
    with pytest.raises(ValueError, match="no act"):
        access("staff", may="eddit")
    with pytest.raises(ValueError, match="no stage"):
        access("staff", may="edit", stage="nearly")  # type: ignore[arg-type]  # a typing slip


def test_acts_are_for_staff_alone() -> None:
    with pytest.raises(ValueError, match="staff alone"):
        access("follower", may="edit")
    with pytest.raises(ValueError, match="staff alone"):
        access("public", why="anybody", fresh=True)


def test_a_view_without_a_stamp_has_none() -> None:
    def bare() -> str:
        return "a page"

    assert stamp_of(bare) is None
    assert stamp_of(None) is None
