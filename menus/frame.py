"""Head office's menu with its slots: the published one, or the one the program ships with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from marshmallow import ValidationError
from sqlalchemy import JSON, select
from sqlalchemy.orm import Mapped, mapped_column

from lightservices import catalogue, zones
from menus import checks, compose, limits
from menus.buttons import Button, Menu
from menus.checks import Known
from menus.items import ANSWER, PAGE, item_of
from menus.limits import MOST_BUTTONS, MOST_COLUMNS, Fault
from menus.slots import Column, Frame, Slot, SlotKind, read_frame, write_frame
from service import clock, journal
from service.db import Model, UtcTime
from service.epochs import Kept, bump
from service.wiring import Unit

log = journal.logger("menus.frame")

_THE_FRAME: Final = 1
#: What a column is called that exists only while there is an emergency.
_EMERGENCY: Final = "紧急服务"


class FrameRow(Model):
    """The frame that is published; one row, once head office published one."""

    __tablename__ = "menu_frames"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    published_at: Mapped[datetime] = mapped_column(UtcTime)


class FrameRefused(ValueError):
    """The frame cannot be published; every fault is named."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("；".join(map(str, faults)))


def current(unit: Unit) -> Frame:
    """The frame as of at most a second ago."""
    return _kept.get(unit)


def default() -> Frame:
    """The frame the program ships with."""
    return compose.default()


def publish(unit: Unit, frame: Frame) -> None:
    """Make this head office's frame; the menus follow with the next publication.

    Raises:
        FrameRefused: if it breaks a rule; nothing is changed then.
    """
    if found := faults(unit, frame):
        raise FrameRefused(found)
    known = {"content": write_frame(frame), "published_at": clock.now()}
    insert = unit.insert(FrameRow).values(id=_THE_FRAME, **known)
    unit.db.execute(insert.on_conflict_do_update(index_elements=[FrameRow.id], set_=known))
    bump(unit, "menu_frame")


def faults(unit: Unit, frame: Frame) -> list[Fault]:
    """Everything for which this frame cannot be published."""
    context = known(unit)
    found = checks.frame_faults(frame, known=context)
    hosts = checks.hosts_in(checks.frame_items(frame), context.links.base_url)
    hosts.pop(limits.host(context.links.base_url), None)
    for host, item in list(hosts.items())[limits.MOST_DOMAINS - 1 :]:
        rule = f"全部菜单最多链接 {limits.MOST_DOMAINS} 个域名（含本行自己的），{host} 超出了"
        found.append(Fault(f"“{item.name}”", rule, "改为经本行自己的域名跳转"))
    return found


def known(unit: Unit) -> Known:
    """What buttons may lead to."""
    return Known(
        limits.links(unit.settings),
        {key: service.availability for key, service in catalogue.services().items()},
        frozenset(zone.key for zone in zones.every(unit)),
    )


def unknown_services(known: Collection[str], frame: Frame | None = None) -> list[str]:
    """The services a frame points at that the catalogue does not have; there should be none."""
    named = {
        item.target.removeprefix(start)
        for item in checks.frame_items(frame or default())
        for start in (ANSWER, PAGE)
        if item.target.startswith(start)
    }
    return sorted(named - set(known))


def from_menu(menu: Menu) -> Frame:
    """A frame of fixed items that makes exactly this menu, with a place for emergencies.

    An emergency needs its entry in a menu made by hand as well: the last item of the last column
    that opens gives way to it, else it has a column of its own, else the last button opens one.
    """
    columns = [_column_of(button, number) for number, button in enumerate(menu, 1)]
    opening = [place for place, column in enumerate(columns) if not column.flat]
    if not opening and len(columns) < MOST_COLUMNS:
        columns.append(Column(_EMERGENCY, ()))
    place = opening[-1] if opening else len(columns) - 1
    slots = list(columns[place].slots)
    if len(slots) >= MOST_BUTTONS:
        slots[-1] = replace(slots[-1], gives_way=True)
    slots.insert(0, Slot("emergency", SlotKind.EMERGENCY, _EMERGENCY))
    columns[place] = replace(columns[place], slots=tuple(slots))
    return Frame(tuple(columns))


def _column_of(button: Button, number: int) -> Column:
    inside = button.buttons or (button,)
    slots = tuple(
        Slot(f"c{number}r{row}", items=(item_of(one),)) for row, one in enumerate(inside, 1)
    )
    return Column(button.name, slots, flat=not button.buttons)


def _load(unit: Unit) -> Frame:
    content = unit.db.execute(select(FrameRow.content)).scalar()
    if content is None:
        return default()
    try:
        return read_frame(content)
    except ValidationError as refused:
        # An older program wrote it, or a newer one: better the usual menu than none.
        log.error("the published frame cannot be read", faults=str(refused.messages))
        return default()


_kept: Kept[Frame] = Kept("menu_frame", _load)
