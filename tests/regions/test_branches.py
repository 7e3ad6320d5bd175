"""The tree of branches and who serves where."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from regions import branches, divisions, sample
from regions.branches import (
    HEAD_OFFICE,
    Bank,
    Branch,
    BranchCode,
    BranchesRefused,
    BranchRow,
    Directory,
    DrawnException,
)
from regions.divisions import DivisionCode
from service.wiring import Unit


@pytest.fixture(scope="module")
def directory() -> Directory:
    return Directory(sample.bank())


@pytest.mark.parametrize(
    ("place", "division", "branch", "parent"),
    [
        ("苏州姑苏", "320508", "苏州分行", "总行"),
        ("南京玄武", "320102", "江苏省分行", "总行"),
        ("无锡梁溪", "320213", "无锡分行", "江苏省分行"),
        ("宜昌西陵", "420502", "三峡分行", "总行"),
        ("深圳福田", "440304", "深圳分行", "总行"),
        ("大连中山", "210202", "大连分行", "总行"),
        ("宁波海曙", "330203", "宁波分行", "总行"),
        ("厦门思明", "350203", "厦门分行", "总行"),
        ("青岛市南", "370202", "青岛分行", "总行"),
        ("上海黄浦", "310101", "上海市分行", "总行"),
        ("重庆渝中", "500103", "重庆市分行", "总行"),
        ("济源", "419001", "河南省分行", "总行"),
        ("东莞", "441900", "东莞分行", "广东省分行"),
        ("恩施", "422801", "恩施分行", "湖北省分行"),
        ("吉林市", "220202", "吉林市分行", "吉林省分行"),
        ("山丹马场", "629700", "甘肃省分行", "总行"),
    ],
)
def test_who_serves(
    directory: Directory, place: str, division: str, branch: str, parent: str
) -> None:
    found = directory.serving(division)
    assert found.branch.name == branch, place
    assert [step.name for step in directory.chain(found.branch.code)][1] == parent
    assert branch in found.why


@pytest.mark.parametrize("division", ["710009", "810101", "820000", None, "999999"])
def test_head_office_serves_where_there_is_no_branch(
    directory: Directory, division: str | None
) -> None:
    found = directory.serving(division)
    assert found.branch.code == HEAD_OFFICE
    assert "总行" in found.why


def test_a_drawn_exception_goes_before_the_county(directory: Directory) -> None:
    in_the_zone = directory.serving("441521", latitude=22.84, longitude=115.00)
    in_the_county_town = directory.serving("441521", latitude=22.97, longitude=115.32)
    unknown_spot = directory.serving("441521")
    assert in_the_zone.branch.name == "深圳分行"
    assert "深汕" in in_the_zone.why
    assert in_the_county_town.branch.name == unknown_spot.branch.name == "汕尾分行"


def test_the_sample_bank_has_its_tiers(directory: Directory) -> None:
    levels = [branch.level for branch in directory.all]
    assert (levels.count(0), levels.count(1)) == (1, 31 + 7)
    assert len(directory.children(HEAD_OFFICE)) == 31 + 7
    seats = {branch.division for branch in directory.all}
    for division in divisions.table():
        if division.level == "prefecture":
            is_capital = division.code.endswith("0100")
            assert (division.code in seats) != is_capital, division.name


def test_short_names_are_the_places_alone(directory: Directory) -> None:
    shorts = {branch.code: branch.short_name for branch in directory.all}
    assert shorts[BranchCode("B653000")] == "克孜勒苏"
    assert shorts[BranchCode("B433100")] == "湘西"
    assert shorts[BranchCode("B152200")] == "兴安"
    assert shorts[BranchCode("B632500")] == "海南州"
    assert not [
        short for short in shorts.values() if short.endswith(("市", "自治州")) and short != "吉林市"
    ]


def test_unknown_branches_have_no_chain(directory: Directory) -> None:
    assert directory.get("B999999") is None
    assert directory.chain("B999999") == ()
    assert directory.children("B999999") == ()


def test_before_any_branch_is_stored_head_office_serves_everywhere(unit: Unit) -> None:
    directory = branches.directory(unit)
    assert directory.all == (directory.head,)
    assert directory.serving("320508").branch == directory.head


def test_seeding_twice_changes_nothing(unit: Unit) -> None:
    sample.seed(unit)
    once = branches.directory(unit).all
    sample.seed(unit)
    assert branches.directory(unit).all == once == sample.bank().branches


def test_seeding_leaves_a_banks_own_branches_alone(unit: Unit) -> None:
    branches.install(unit, branches.HEAD_ALONE)
    sample.seed(unit)
    assert unit.db.execute(select(func.count()).select_from(BranchRow)).scalar() == 1


def test_what_is_stored_is_what_is_read_back(unit: Unit) -> None:
    branches.install(unit, sample.bank())
    directory = branches.directory(unit)
    assert directory.serving("441521", latitude=22.84, longitude=115.0).branch.name == "深圳分行"
    assert directory.serving("320213").branch.name == "无锡分行"


def test_installing_again_takes_away_what_is_gone(unit: Unit) -> None:
    branches.install(unit, sample.bank())
    branches.install(unit, branches.HEAD_ALONE)
    assert branches.directory(unit).serving("320508").branch.code == HEAD_OFFICE


def branch(code: str, parent: str | None, level: int) -> Branch:
    return Branch(BranchCode(code), code, code, level, BranchCode(parent) if parent else None, None)


HEAD = branch("HQ", None, 0)


@pytest.mark.parametrize(
    ("contradiction", "bank"),
    [
        ("缺少总行", Bank((branch("B1", "HQ", 1),), ())),
        ("自己的上级", Bank((HEAD, branch("B1", "B2", 1), branch("B2", "B1", 2)), ())),
        ("自己的上级", Bank((HEAD, branch("B1", "B1", 1)), ())),
        ("B9 不存在", Bank((HEAD, branch("B1", "B9", 1)), ())),
        ("总行没有上级", Bank((HEAD, branch("B1", None, 1)), ())),
        ("第 3 级", Bank((HEAD, branch("B1", "HQ", 3)), ())),
        ("出现了 2 次", Bank((HEAD, branch("B1", "HQ", 1), branch("B1", "HQ", 1)), ())),
    ],
)
def test_a_tree_that_contradicts_itself_is_refused(contradiction: str, bank: Bank) -> None:
    with pytest.raises(BranchesRefused, match=contradiction):
        Directory(bank)


def test_a_territory_claimed_twice_is_refused_and_nothing_changes(unit: Unit) -> None:
    sample.seed(unit)
    bank = sample.bank()
    twice = replace(
        bank,
        territories=(*bank.territories, (DivisionCode("320500"), BranchCode("B320000"))),
    )
    with pytest.raises(BranchesRefused, match="320500：同时由 B320500、B320000 服务"):
        branches.install(unit, twice)
    assert branches.directory(unit).serving("320508").branch.name == "苏州分行"


@pytest.mark.parametrize(
    ("fault", "within", "served_by", "corners"),
    [
        ("不存在的 B9", "441521", "B9", 3),
        ("不是行政区划", "9", "HQ", 3),
        ("三个角", "441521", "HQ", 2),
    ],
)
def test_an_exception_that_makes_no_sense_is_refused(
    fault: str, within: str, served_by: str, corners: int
) -> None:
    drawn = DrawnException(
        "x", DivisionCode(within), BranchCode(served_by), ((115.0, 23.0),) * corners
    )
    with pytest.raises(BranchesRefused, match=fault):
        Directory(Bank((HEAD,), (), (drawn,)))


def test_a_branch_stands_before_those_below_it(directory: Directory) -> None:
    below = [one.code for one in directory.below("B440000")]
    assert below[0] == "B440000"
    assert "B441900" in below
    chains = {one.code: [up.code for up in directory.chain(one.code)] for one in directory.all}
    assert sorted(below) == sorted(code for code in chains if "B440000" in chains[code])
    assert len(directory.below("HQ")) == len(directory.all)
    assert directory.below("B999999") == ()
