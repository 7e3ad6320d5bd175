"""Taking people on, giving and taking rights, also as a reviewed change; all of it noted."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from werkzeug.exceptions import Forbidden, NotFound

from service import audit
from service.staff import Me, cast, door, grants_section, may_at, operations, second_factor
from service.staff.grants_section import SECTION, NoLonger, NotYetProved, OwnRights
from service.staff.models import Staff
from service.staff.operations import StaffRefused
from service.staff.rights import ROLES, Grant
from service.wiring import Unit


def hire(unit: Unit, login: str = "li.wei", **more: str) -> int:
    return operations.add(unit, login=login, name="李伟", by=None, **more)  # type: ignore[arg-type]  # by name


def bind(unit: Unit, staff_id: int) -> None:
    """The person has come in once, with a phone of their own."""
    secret = second_factor.new_secret()
    seal = second_factor.sealed(unit, secret)
    assert second_factor.settle(unit, staff_id, seal=seal, code=second_factor.code_now(secret))


def granted(unit: Unit, login: str) -> tuple[Grant, ...]:
    return operations.required(unit, login).grants


def acts(unit: Unit) -> list[str]:
    unit.flush()
    return [entry.act for entry in audit.between(unit, audit.Filters())]


def test_a_login_is_one_whichever_way_it_is_written(bank: Unit) -> None:
    hire(bank, "Li.Wei")
    for same in ("li.wei", "LI.WEI", " ｌｉ.ｗｅｉ "):
        with pytest.raises(StaffRefused, match="已经有人使用"):
            hire(bank, same)
        assert operations.required(bank, same).login == "li.wei"


@pytest.mark.parametrize("login", ["", "x", "-li", "li wei", "李伟", "a" * 41, "li\x00", "li'--"])
def test_what_cannot_be_a_login_is_refused(bank: Unit, login: str) -> None:
    with pytest.raises(StaffRefused, match="登录名要用"):
        hire(bank, login)


def test_nobody_begins_with_a_right(bank: Unit) -> None:
    hire(bank)
    assert granted(bank, "li.wei") == ()


def test_rights_are_set_branch_by_branch(bank: Unit) -> None:
    staff_id = hire(bank)
    operations.set_grants(bank, staff_id=staff_id, branch="B440000", roles=["editor"], by=None)
    operations.set_grants(bank, staff_id=staff_id, branch="B310000", roles=["reader"], by=None)
    operations.set_grants(
        bank, staff_id=staff_id, branch="B440000", roles=["checker", "editor"], by=None
    )
    assert granted(bank, "li.wei") == (
        Grant("checker", "B440000"), Grant("editor", "B440000"), Grant("reader", "B310000"),
    )  # fmt: skip
    operations.set_grants(bank, staff_id=staff_id, branch="B440000", roles=[], by=None)
    assert granted(bank, "li.wei") == (Grant("reader", "B310000"),)


def test_clashing_and_unknown_roles_are_refused_wherever_they_are(bank: Unit) -> None:
    staff_id = hire(bank)
    operations.set_grants(bank, staff_id=staff_id, branch="HQ", roles=["administrator"], by=None)
    with pytest.raises(StaffRefused, match="不能兼任"):
        operations.set_grants(bank, staff_id=staff_id, branch="B310000", roles=["editor"], by=None)
    with pytest.raises(StaffRefused, match="没有「root」"):
        operations.set_grants(bank, staff_id=staff_id, branch="HQ", roles=["root"], by=None)


def test_the_door_is_closed_to_others_as_if_there_were_none(bank: Unit) -> None:
    me = Me(1, "li", "李", (Grant("editor", "B440000"),))
    assert door(bank, me, "B440000", "edit") == "B440000"
    assert door(bank, me, "B440100", "edit") == "B440100"
    for code in ("B310000", "HQ", "B999999", "", "' OR 1=1"):
        with pytest.raises(NotFound):
            door(bank, me, code, "edit")
        assert not may_at(bank, me, code, "edit")
    with pytest.raises(Forbidden):
        door(bank, me, "B440000", "review")


def test_every_act_is_in_the_audit_without_a_secret(bank: Unit) -> None:
    staff_id = hire(bank)
    operations.set_grants(bank, staff_id=staff_id, branch="HQ", roles=["reader"], by=None)
    operations.lock(bank, login="li.wei", by=None, why="离职")
    operations.unlock(bank, login="li.wei", by=None)
    operations.reset(bank, login="li.wei", password_hash="$argon2id$the-hash", by=None)
    assert acts(bank)[-5:] == [
        "staff.added", "staff.granted", "staff.locked", "staff.unlocked", "staff.reset",
    ]  # fmt: skip
    assert "the-hash" not in str(list(audit.between(bank, audit.Filters())))


def test_a_reset_takes_password_and_second_factor(bank: Unit) -> None:
    staff_id = hire(bank)
    secret = second_factor.new_secret()
    seal = second_factor.sealed(bank, secret)
    codes = second_factor.settle(bank, staff_id, seal=seal, code=second_factor.code_now(secret))
    assert codes
    operations.reset(bank, login="li.wei", password_hash="new", by=None)
    found = operations.required(bank, "li.wei")
    assert not found.has_second_factor
    assert not second_factor.use_recovery_code(bank, staff_id, codes[0])
    assert bank.db.execute(select(Staff.must_change_password)).scalar() is True


def test_a_second_factor_is_set_up_once(bank: Unit) -> None:
    staff_id = hire(bank)
    first, second = second_factor.new_secret(), second_factor.new_secret()
    done = [
        second_factor.settle(
            bank, staff_id, seal=second_factor.sealed(bank, one), code=second_factor.code_now(one)
        )
        for one in (first, second)
    ]
    assert done[0]
    assert done[1] is None


def test_a_second_factor_is_sealed(bank: Unit) -> None:
    secret = second_factor.new_secret()
    seal = second_factor.sealed(bank, secret)
    assert secret not in seal
    assert second_factor.opened(bank, seal) == secret
    assert second_factor.opened(bank, "A" + seal[1:]) is None
    assert second_factor.opened(bank, None) is None


def test_the_cast_may_be_seeded_twice(bank: Unit) -> None:
    cast.seed(bank)
    cast.seed(bank)
    found = operations.everybody(bank)
    assert {one.login for one in found} == {one.login for one in cast.CAST}
    assert {grant.role for one in found for grant in one.grants} == set(ROLES)


def test_rights_as_a_document(bank: Unit) -> None:
    staff_id = hire(bank)
    bind(bank, staff_id)
    by = Me(staff_id + 1, "boss", "老板")
    assert SECTION.read(bank, "B440000", "li.wei") == {"roles": []}
    assert SECTION.read(bank, "B440000", "nobody") == {"roles": []}, "absent and foreign look alike"
    wanted = {"roles": ["editor"]}
    assert not SECTION.faults(bank, "B440000", "li.wei", wanted)
    SECTION.apply(bank, "B440000", "li.wei", wanted, by)
    SECTION.apply(bank, "B440000", "li.wei", wanted, by)
    assert granted(bank, "li.wei") == (Grant("editor", "B440000"),)
    (taken, *_), (given, *_) = (
        [one for one in SECTION.differences(bank, wanted, {"roles": ["checker"]}) if not one.after],
        [one for one in SECTION.differences(bank, wanted, {"roles": ["checker"]}) if one.after],
    )
    assert ("编辑" in taken.where, "复核" in given.where) == (True, True)
    assert grants_section.consequences(bank, "B440000", {"grants": wanted})[0].startswith(
        "在广东省"
    )


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("nobody", {"roles": []}), ("li.wei", {"roles": ["root"]}), ("li.wei", {"roles": "editor"}),
        ("li.wei", {}), ("li.wei", None), ("li.wei", {"roles": ["auditor", "editor"]}),
        ("li.wei", {"roles": [7]}),
    ],
)  # fmt: skip
def test_impossible_rights_have_faults_with_a_way_out(
    bank: Unit, key: str, content: object
) -> None:
    hire(bank)
    found = SECTION.faults(bank, "B440000", key, content)
    assert found
    assert all(fault.rule and fault.way_out for fault in found)


def test_nobody_decides_on_their_own_rights(bank: Unit) -> None:
    me = Me(hire(bank), "li.wei", "李伟")
    with pytest.raises(OwnRights):
        SECTION.apply(bank, "B440000", "li.wei", {"roles": ["checker"]}, me)
    with pytest.raises(NoLonger):
        SECTION.apply(bank, "B440000", "nobody", {"roles": ["checker"]}, me)
    assert granted(bank, "li.wei") == ()


def test_whoever_leaves_takes_everything_along(bank: Unit) -> None:
    staff_id = hire(bank)
    operations.set_grants(bank, staff_id=staff_id, branch="HQ", roles=["reader"], by=None)
    bank.db.execute(text("DELETE FROM staff"))
    assert bank.db.execute(text("SELECT count(*) FROM staff_grants")).scalar() == 0


def test_rights_are_given_to_nobody_whom_only_a_password_stands_for(bank: Unit) -> None:
    """Or whoever was shown the first password has the rights once a second person said yes."""
    staff_id = hire(bank)
    by, wanted = Me(staff_id + 1, "boss", "老板"), {"roles": ["checker"]}
    assert not SECTION.faults(bank, "B440000", "li.wei", wanted), "it may be asked for before"
    with pytest.raises(NotYetProved, match="李伟"):
        SECTION.apply(bank, "B440000", "li.wei", wanted, by)
    assert "还没有绑定动态码" in grants_section.beware(bank, "li.wei")[0]
    operations.set_grants(bank, staff_id=staff_id, branch="B440000", roles=["checker"], by=None)
    SECTION.apply(bank, "B440000", "li.wei", {"roles": []}, by)
    assert granted(bank, "li.wei") == (), "what they have can be taken at any time"
    bind(bank, staff_id)
    assert "向本人核实" in grants_section.beware(bank, "li.wei")[0]
    SECTION.apply(bank, "B440000", "li.wei", wanted, by)
    assert granted(bank, "li.wei") == (Grant("checker", "B440000"),)


def test_whoever_comes_by_single_sign_on_is_known_once_they_came(bank: Unit) -> None:
    staff_id = hire(bank, oidc_subject="e-1")
    assert not operations.required(bank, "li.wei").is_proved
    operations.came_in(bank, me=Me(staff_id, "li.wei", "李伟"), how="sso")
    assert operations.required(bank, "li.wei").is_proved
    assert "统一认证" in grants_section.beware(bank, "li.wei")[0]
    assert grants_section.beware(bank, "nobody") == ()
