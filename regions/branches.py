"""The bank's branches: their tree, the divisions each serves, and the exceptions to that.

A place is served by the branch that claims its county, else its prefecture, else its province, else
by head office; a drawn exception inside a county goes before all of these.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NewType

from sqlalchemy import Executable, ForeignKey, SmallInteger, String, Text, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from regions import divisions
from regions.boundaries import encloses
from regions.divisions import DivisionCode
from service import clock
from service.db import Model
from service.epochs import Kept, bump
from service.happenings import Fact, OpenId
from service.wiring import Unit

#: "HQ", or "B" followed by the division the branch sits in, such as "B320500".
BranchCode = NewType("BranchCode", str)

HEAD_OFFICE: Final = BranchCode("HQ")
#: A drawn ring, longitude first, degrees of GCJ-02; the last corner joins the first.
Outline = Sequence[tuple[float, float]]


class BranchesRefused(ValueError):
    """The branches as given contradict themselves; every contradiction is named."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("这些分行不能用：\n" + "\n".join(f"  {f}" for f in faults))


class BranchRow(Model):
    """One branch of the bank."""

    __tablename__ = "branches"

    code: Mapped[str] = mapped_column(String(8), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    short_name: Mapped[str] = mapped_column(String(20), unique=True)
    level: Mapped[int] = mapped_column(SmallInteger)
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("branches.code"), index=True)
    division: Mapped[str | None] = mapped_column(String(6))
    sort: Mapped[int]


class TerritoryRow(Model):
    """Who serves a division; its key makes a second claim on the same division impossible."""

    __tablename__ = "branch_territories"

    division_code: Mapped[str] = mapped_column(String(6), primary_key=True)
    branch_code: Mapped[str] = mapped_column(ForeignKey("branches.code"), index=True)


class ExceptionRow(Model):
    """Land inside one county that another branch serves, drawn as a ring."""

    __tablename__ = "branch_exceptions"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    within: Mapped[str] = mapped_column(String(6))
    branch_code: Mapped[str] = mapped_column(ForeignKey("branches.code"), index=True)
    #: JSON, ``[[lng, lat], …]`` in GCJ-02.
    outline: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch. ``level`` is 0 for head office, 1 under head office, 2 under a branch.

    ``short_name`` is the place alone and unique: 江苏, 苏州, 三峡.
    """

    code: BranchCode
    name: str
    short_name: str
    level: int
    parent: BranchCode | None
    division: DivisionCode | None


@dataclass(frozen=True, slots=True)
class DrawnException:
    """Land inside the county ``within`` that ``branch`` serves."""

    name: str
    within: DivisionCode
    branch: BranchCode
    outline: Outline


@dataclass(frozen=True, slots=True)
class Bank:
    """Everything there is to say about where which branch serves."""

    branches: tuple[Branch, ...]
    territories: tuple[tuple[DivisionCode, BranchCode], ...]
    exceptions: tuple[DrawnException, ...] = ()


@dataclass(frozen=True, slots=True)
class Serving:
    """Which branch serves a place, and why in a Chinese sentence."""

    branch: Branch
    why: str


@dataclass(frozen=True, slots=True)
class TerritoriesChanged(Fact):
    """The bank's branches were replaced; it concerns no one follower, so no openid is given."""


HEAD_ALONE: Final = Bank((Branch(HEAD_OFFICE, "总行", "总行", 0, None, None),), ())


class Directory:
    """The branches as every event reads them.

    Raises:
        BranchesRefused: if the bank contradicts itself.
    """

    def __init__(self, bank: Bank) -> None:
        if found := faults(bank):
            raise BranchesRefused(found)
        self.all = bank.branches
        self._by_code: dict[str, Branch] = {branch.code: branch for branch in bank.branches}
        self.head = self._by_code[HEAD_OFFICE]
        self._territories: dict[str, Branch] = {
            division: self._by_code[branch] for division, branch in bank.territories
        }
        self._exceptions: dict[str, list[DrawnException]] = {}
        for exception in bank.exceptions:
            self._exceptions.setdefault(exception.within, []).append(exception)
        self._chains = {branch.code: tuple(self._upward(branch)) for branch in self.all}
        self._children: dict[str, list[Branch]] = {}
        for branch in self.all:
            if branch.parent is not None:
                self._children.setdefault(branch.parent, []).append(branch)

    def get(self, code: str) -> Branch | None:
        return self._by_code.get(code)

    def chain(self, code: str) -> tuple[Branch, ...]:
        """The branch and those above it up to head office; empty for an unknown code."""
        return self._chains.get(BranchCode(code), ())

    def children(self, code: str) -> tuple[Branch, ...]:
        """The branches directly under this one, in their order."""
        return tuple(self._children.get(code, ()))

    def below(self, code: str) -> tuple[Branch, ...]:
        """The branch and all below it, each before its own; empty for an unknown code."""
        found = self.get(code)
        if found is None:
            return ()
        return (found, *(one for child in self.children(code) for one in self.below(child.code)))

    def claim(self, division: str) -> tuple[DivisionCode, Branch] | None:
        """The narrowest claimed division that holds this one, and who claims it."""
        for claimed in (division, division[:4] + "00", division[:2] + "0000"):
            branch = self._territories.get(claimed)
            if branch is not None:
                return DivisionCode(claimed), branch
        return None

    def serving(
        self,
        division: str | None,
        *,
        latitude: float | None = None,
        longitude: float | None = None,
    ) -> Serving:
        """Who serves this division or, with a position in degrees of GCJ-02, this very spot."""
        if division is None:
            return Serving(self.head, "不在已知的行政区划内，由总行服务")
        drawn = self._drawn(division, latitude, longitude)
        if drawn is not None:
            branch = self._by_code[drawn.branch]
            return Serving(branch, f"位于{drawn.name}，按例外规定由{branch.name}服务")
        claim = self.claim(division)
        if claim is None:
            return Serving(self.head, f"{_label(division)}没有分行，由{self.head.name}服务")
        claimed, branch = claim
        return Serving(branch, f"{_label(claimed)}由{branch.name}服务")

    def serving_in(self, county: str) -> tuple[Branch, ...]:
        """Every branch that serves some of this county: its own, and those of land drawn in it."""
        drawn = (self._by_code[one.branch] for one in self._exceptions.get(county, ()))
        return (self.serving(county).branch, *drawn)

    def _drawn(
        self, division: str, latitude: float | None, longitude: float | None
    ) -> DrawnException | None:
        if division not in self._exceptions or latitude is None or longitude is None:
            return None
        for exception in self._exceptions[division]:
            if encloses(exception.outline, latitude, longitude):
                return exception
        return None

    def _upward(self, branch: Branch) -> Iterator[Branch]:
        step: Branch | None = branch
        while step is not None:
            yield step
            step = self._by_code[step.parent] if step.parent is not None else None


def directory(unit: Unit) -> Directory:
    """The branches as of at most a second ago; before any are stored, head office alone."""
    return _directory.get(unit)


def install(unit: Unit, bank: Bank) -> None:
    """Make these the bank's branches, in place of all there were.

    Raises:
        BranchesRefused: if they contradict themselves; nothing is changed then.
    """
    if found := faults(bank):
        raise BranchesRefused(found)
    for model in (ExceptionRow, TerritoryRow):
        unit.db.execute(delete(model))
    kept = {branch.code for branch in bank.branches}
    # Parents come first, so that each row's parent is there when the row arrives.
    placed = sorted(enumerate(bank.branches), key=lambda placed: placed[1].level)
    rows = [_row(branch, sort) for sort, branch in placed]
    putting = unit.insert(BranchRow)
    told = {name: putting.excluded[name] for row in rows[:1] for name in row if name != "code"}
    _put(unit, putting.on_conflict_do_update(index_elements=["code"], set_=told), rows)
    gone = set(unit.db.execute(select(BranchRow.code)).scalars()) - kept
    unit.db.execute(delete(BranchRow).where(BranchRow.code.in_(gone)))
    territories = [{"division_code": of, "branch_code": code} for of, code in bank.territories]
    _put(unit, unit.insert(TerritoryRow), territories)
    _put(unit, unit.insert(ExceptionRow), [
        {"name": one.name, "within": one.within, "branch_code": one.branch,
         "outline": json.dumps([list(corner) for corner in one.outline])}
        for one in bank.exceptions
    ])  # fmt: skip
    bump(unit, "branches")
    unit.announce(TerritoriesChanged(OpenId(""), clock.now()))


def _row(branch: Branch, sort: int) -> dict[str, Any]:
    return {
        "code": branch.code, "name": branch.name, "short_name": branch.short_name,
        "level": branch.level, "parent_code": branch.parent, "division": branch.division,
        "sort": sort,
    }  # fmt: skip


def _put(unit: Unit, putting: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    """All rows by one statement: a bank has thousands of branches."""
    if rows:
        unit.db.execute(putting, rows)


def faults(bank: Bank) -> list[str]:
    """What contradicts itself, in sentences; empty when the bank can be used."""
    by_code = {branch.code: branch for branch in bank.branches}
    found = [
        f"{what} {value}：出现了 {times} 次，只能有一个"
        for what, values in (
            ("机构代码", [branch.code for branch in bank.branches]),
            ("简称", [branch.short_name for branch in bank.branches]),
            ("例外", [exception.name for exception in bank.exceptions]),
        )
        for value, times in Counter(values).items()
        if times > 1
    ]
    found += _faults_in_tree(by_code)
    found += _faults_in_claims(bank, by_code)
    return found


def _faults_in_tree(by_code: Mapping[BranchCode, Branch]) -> Iterator[str]:
    if HEAD_OFFICE not in by_code:
        yield f"{HEAD_OFFICE}：缺少总行"
    for branch in by_code.values():
        if (branch.parent is None) != (branch.code == HEAD_OFFICE):
            yield f"{branch.code}：总行没有上级，其余分行都有一个上级"
        elif branch.parent is not None and branch.parent not in by_code:
            yield f"{branch.code}：上级 {branch.parent} 不存在"
        elif _is_its_own_ancestor(branch, by_code):
            yield f"{branch.code}：绕了一圈又成了自己的上级"
        elif branch.parent is not None and by_code[branch.parent].level != branch.level - 1:
            yield f"{branch.code}：第 {branch.level} 级不在其上级的紧下一级"


def _is_its_own_ancestor(branch: Branch, by_code: Mapping[BranchCode, Branch]) -> bool:
    step = branch.parent
    for _ in by_code:
        if step is None or step not in by_code:
            return False
        if step == branch.code:
            return True
        step = by_code[step].parent
    return False


def _faults_in_claims(bank: Bank, by_code: Mapping[BranchCode, Branch]) -> Iterator[str]:
    table = divisions.table()
    claimants: dict[str, list[BranchCode]] = {}
    for division, code in bank.territories:
        claimants.setdefault(division, []).append(code)
        if code not in by_code:
            yield f"{division}：由不存在的 {code} 服务"
        if table.get(division) is None:
            yield f"{division}：没有这个行政区划（{code} 写的）"
    for claimed, codes in claimants.items():
        if len(codes) > 1:
            yield f"{claimed}：同时由 {'、'.join(codes)} 服务，一处只能由一家分行服务"
    for exception in bank.exceptions:
        if exception.branch not in by_code:
            yield f"{exception.name}：由不存在的 {exception.branch} 服务"
        if table.get(exception.within) is None:
            yield f"{exception.name}：所在的 {exception.within} 不是行政区划代码"
        if len(exception.outline) < 3:
            yield f"{exception.name}：一圈至少要三个角"


def _load(unit: Unit) -> Directory:
    rows = unit.db.execute(
        select(
            BranchRow.code,
            BranchRow.name,
            BranchRow.short_name,
            BranchRow.level,
            BranchRow.parent_code,
            BranchRow.division,
        ).order_by(BranchRow.sort)
    )
    branches = tuple(
        Branch(
            BranchCode(code),
            name,
            short_name,
            level,
            BranchCode(parent) if parent else None,
            DivisionCode(division) if division else None,
        )
        for code, name, short_name, level, parent, division in rows
    )
    if not branches:
        return Directory(HEAD_ALONE)
    territories = unit.db.execute(select(TerritoryRow.division_code, TerritoryRow.branch_code))
    exceptions = unit.db.execute(
        select(
            ExceptionRow.name, ExceptionRow.within, ExceptionRow.branch_code, ExceptionRow.outline
        ).order_by(ExceptionRow.name)
    )
    return Directory(
        Bank(
            branches,
            tuple((DivisionCode(division), BranchCode(code)) for division, code in territories),
            tuple(
                DrawnException(
                    name, DivisionCode(within), BranchCode(code), _outline(json.loads(outline))
                )
                for name, within, code, outline in exceptions
            ),
        )
    )


def _outline(corners: Iterable[Sequence[float]]) -> Outline:
    return tuple((float(longitude), float(latitude)) for longitude, latitude in corners)


def _label(code: str) -> str:
    return divisions.table().label(code) or code


_directory = Kept("branches", _load)
