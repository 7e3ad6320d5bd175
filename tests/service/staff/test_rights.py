"""The table of roles, and that a grant reaches its branch and what is below, never above."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from service.staff import rights
from service.staff.rights import ACTS, ROLES, Grant

#: Role by role and act by act, written out: whoever changes the table changes this too, and knows.
ALLOWED = {
    "editor": {"read", "edit", "propose", "export"},
    "checker": {"read", "review", "export"},
    "operations": ACTS - {"manage_staff", "read_audit"},
    "administrator": {"read", "manage_staff"},
    "auditor": {"read", "read_audit", "export"},
    "reader": {"read"},
}
GUANGZHOU = ("B440100", "B440000", "HQ")
SHANGHAI = ("B310000", "HQ")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("act", sorted(ACTS))
def test_each_role_may_do_exactly_its_acts(role: str, act: str) -> None:
    assert rights.may([Grant(role, "HQ")], act, ("HQ",)) == (act in ALLOWED[role])


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("act", sorted(ACTS))
@pytest.mark.parametrize(
    ("granted", "lineage", "reaches"),
    [
        ("B440000", ("B440000", "HQ"), True),
        ("B440000", GUANGZHOU, True),
        ("HQ", GUANGZHOU, True),
        ("B440100", ("B440000", "HQ"), False),
        ("B440000", SHANGHAI, False),
        ("B440000", ("HQ",), False),
        ("HQ", (), False),
    ],
)
def test_a_role_counts_at_its_branch_and_below(
    role: str, act: str, granted: str, lineage: tuple[str, ...], reaches: bool
) -> None:
    grants = [Grant(role, granted)]
    assert rights.may(grants, act, lineage) == (reaches and act in ALLOWED[role])
    assert rights.covers(grants, lineage) == reaches


GRANTS = some.lists(
    some.builds(
        Grant,
        some.sampled_from([*ROLES, "removed-role"]),
        some.sampled_from(["HQ", "B440000", "B440100", "B310000"]),
    ),
    max_size=4,
)


@given(GRANTS, GRANTS, some.sampled_from(sorted(ACTS)), some.sampled_from([GUANGZHOU, SHANGHAI]))
def test_more_grants_never_take_a_right_away(
    grants: list[Grant], more: list[Grant], act: str, lineage: tuple[str, ...]
) -> None:
    if rights.may(grants, act, lineage):
        assert rights.may([*grants, *more], act, lineage)
        assert rights.held(grants, act)
        assert rights.covers(grants, lineage)
        assert rights.reach(grants, act) & set(lineage)


def test_nobody_opens_an_emergency_and_hands_out_rights() -> None:
    assert rights.clashes(["administrator", "operations"])
    assert rights.clashes(["auditor", "reader"])
    assert not rights.clashes(["administrator", "administrator"])
    assert not rights.clashes(["editor", "checker"])
    assert not rights.clashes([])
