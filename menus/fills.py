"""What branches decided for the slots head office left to them, inherited until overridden."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import JSON, ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from menus import checks, frame, limits
from menus.checks import Known
from menus.items import Item
from menus.limits import MOST_DOMAINS, Fault
from menus.slots import Fill, Fills, Frame, read_fill, write_fill
from regions import branches
from regions.branches import BranchRow
from service import journal
from service.db import Model
from service.epochs import Kept, bump
from service.wiring import Unit

log = journal.logger("menus.fills")


class FillRow(Model):
    """What one branch decided for one slot; without a row it has what the branch above has."""

    __tablename__ = "menu_fills"

    branch_code: Mapped[str] = mapped_column(
        ForeignKey(BranchRow.code, ondelete="CASCADE"), primary_key=True
    )
    slot: Mapped[str] = mapped_column(String(40), primary_key=True)
    #: ``{"fill": […]}`` or ``{"hide": true}``.
    content: Mapped[dict[str, Any]] = mapped_column(JSON)


class FillRefused(ValueError):
    """A fill cannot be kept; every fault is named."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("；".join(map(str, faults)))


def put(unit: Unit, branch: str, slot: str, fill: Fill) -> None:
    """Have this stand in a delegated slot of a branch and, until they decide, of those below.

    Raises:
        FillRefused: if the frame or a limit does not allow it; nothing is changed then.
    """
    if found := faults(unit, branch, {slot: fill}):
        raise FillRefused(found)
    values = {"content": write_fill(fill)}
    unit.db.execute(
        unit.insert(FillRow)
        .values(branch_code=branch, slot=slot, **values)
        .on_conflict_do_update(index_elements=[FillRow.branch_code, FillRow.slot], set_=values)
    )
    bump(unit, "menu_fills")


def restore(unit: Unit, branch: str, slot: str) -> None:
    """Have a branch take what the branch above it has again."""
    unit.db.execute(delete(FillRow).where(FillRow.branch_code == branch, FillRow.slot == slot))
    bump(unit, "menu_fills")


def of(unit: Unit, branch: str) -> Mapping[str, Fill]:
    """What this branch itself decided, by slot."""
    return all(unit).get(branch, {})


def all(unit: Unit) -> Fills:
    """What all branches decided, as of at most a second ago."""
    return _kept.get(unit)


def faults(unit: Unit, branch: str, wanted: Mapping[str, Fill]) -> list[Fault]:
    """What is wrong with these fills of a branch, by slot, beside all others that are kept."""
    chain = branches.directory(unit).chain(branch)
    if not chain:
        return [Fault(f"分行 {branch}", "没有这家分行", "核对分行代码")]
    present, known = frame.current(unit), frame.known(unit)
    found = [
        fault
        for slot, fill in wanted.items()
        for fault in checks.fill_faults(fill, slot=slot, frame=present, chain=chain, known=known)
    ]
    others = {code: own for code, own in all(unit).items() if code != branch}
    kept = {slot: fill for slot, fill in of(unit, branch).items() if slot not in wanted}
    taken = _hosts(present, others | {branch: kept}, known)
    return found or list(_host_faults(present, wanted, taken, known))


def sound(
    unit: Unit, present: Frame, *, hosts: Iterable[str] = ()
) -> tuple[Fills, dict[str, list[Fault]]]:
    """The fills that may be shown, and the faults of the others by branch.

    What was sound when it was kept need not be so any more: the frame, the catalogue and what may
    be linked to change. Of too many hosts those of the branches highest up may stay.
    """
    known, tree = frame.known(unit), branches.directory(unit)
    taken = _hosts(present, {}, known) | set(hosts)
    fit: dict[str, dict[str, Fill]] = {}
    refused: dict[str, list[Fault]] = {}
    stored = all(unit)
    for branch in sorted(tree.all, key=lambda branch: (branch.level, branch.code)):
        for slot, fill in sorted(stored.get(branch.code, {}).items()):
            found = checks.fill_faults(
                fill, slot=slot, frame=present, chain=tree.chain(branch.code), known=known
            )
            found = found or list(_host_faults(present, {slot: fill}, taken, known))
            if found:
                refused.setdefault(branch.code, []).extend(found)
            else:
                fit.setdefault(branch.code, {})[slot] = fill
                taken |= set(checks.hosts_in(fill.items, known.links.base_url))
    return fit, refused


def _hosts(present: Frame, fills: Fills, known: Known) -> set[str]:
    """The hosts that menus lead to, our own among them."""
    items: list[Item] = list(checks.frame_items(present))
    items += [item for own in fills.values() for fill in own.values() for item in fill.items]
    base_url = known.links.base_url
    return {limits.host(base_url), *checks.hosts_in(items, base_url)}


def _host_faults(
    present: Frame, wanted: Mapping[str, Fill], taken: Iterable[str], known: Known
) -> Iterator[Fault]:
    used = set(taken)
    for slot, fill in wanted.items():
        for host, item in checks.hosts_in(fill.items, known.links.base_url).items():
            used.add(host)
            if len(used) > MOST_DOMAINS:
                place = present.slot(slot)
                where = f"“{place.name if place else slot}”的“{item.name}”"
                others = "、".join(sorted(used - {host}))
                rule = f"全部个性化菜单最多链接 {MOST_DOMAINS} 个域名，已经用了 {others}"
                yield Fault(where, rule, f"把 {host} 改为经本行自己的域名跳转")


def _load(unit: Unit) -> Fills:
    found: dict[str, dict[str, Fill]] = {}
    rows = unit.db.execute(select(FillRow.branch_code, FillRow.slot, FillRow.content))
    for branch, slot, content in rows:
        try:
            found.setdefault(branch, {})[slot] = read_fill(content)
        except ValidationError as refused:
            # An older program wrote it, or a newer one: the branch has its parent's meanwhile.
            log.error("a fill cannot be read", branch=branch, slot=slot, faults=str(refused))
    return found


_kept: Kept[Fills] = Kept("menu_fills", _load)
