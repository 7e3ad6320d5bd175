"""What every branch's menu should be at a time, and what WeChat would not take of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from lightservices import catalogue, zones
from lightservices.zones import Zone
from menus import checks, fills, frame, insiders, overlays
from menus.keys import Audience
from menus.limits import Fault
from menus.resolve import Effective, Resolved, effective, resolve
from menus.slots import Fills, Frame, Overlay, SlotKind
from regions import branches
from service import clock
from service.wechat.errors import WillNever
from service.wiring import Unit


@dataclass(frozen=True, slots=True)
class Wish:
    """Every branch's menu as it should be, and by branch what WeChat would not take."""

    resolved: Resolved
    refused: Mapping[str, tuple[Fault, ...]]


@dataclass(frozen=True, slots=True)
class Ingredients:
    """Everything that menus are made of at one time, without what cannot be shown."""

    at: datetime
    base_url: str
    frame: Frame
    zones: Mapping[str, Zone]
    fills: Fills
    overlays: tuple[Overlay, ...]
    refused: Mapping[str, tuple[Fault, ...]]
    #: The parts of branches' followers that emergencies take in.
    audiences: tuple[Audience, ...] = ()


def wish(unit: Unit, *, at: datetime | None = None) -> Wish:
    """Every branch's menu as it should be now, or at another time as far as known today.

    A zone or a fill that breaks a limit of WeChat's does not hold up all others: its branch shows
    what the branch above does, and the faults say what to change.

    Raises:
        WillNever: when head office's own menu cannot be published.
    """
    made_of = ingredients(unit, at=at)
    return Wish(resolved(unit, made_of), made_of.refused)


def ingredients(
    unit: Unit, *, at: datetime | None = None, present: Frame | None = None
) -> Ingredients:
    """What the menus of this time (now unless given) are made of, in this frame or the live one.

    Raises:
        WillNever: when head office's own menu cannot be published.
    """
    moment = at or clock.now()
    shown = present or frame.current(unit)
    _check(unit, shown)
    refused: dict[str, list[Fault]] = {}
    laid = tuple(_sound_overlays(unit, refused))
    fit = dict(_sound_zones(unit, moment, refused))
    base_url = unit.settings.public_base_url
    hosts = checks.hosts_in((one.item for one in laid), base_url)
    kept, faulty = fills.sound(unit, shown, hosts=hosts)
    for code, found in faulty.items():
        refused.setdefault(code, []).extend(found)
    faults = {code: tuple(found) for code, found in refused.items()}
    parts = insiders.audiences(unit)
    return Ingredients(moment, base_url, shown, fit, kept, laid, faults, parts)


def resolved(unit: Unit, made_of: Ingredients) -> Resolved:
    """Every branch's menu, made of these."""
    return resolve(
        branches.directory(unit).all,
        made_of.zones,
        base_url=made_of.base_url,
        frame=made_of.frame,
        fills=made_of.fills,
        overlays=made_of.overlays,
        at=made_of.at,
        audiences=made_of.audiences,
    )


def effective_menu(
    unit: Unit, branch: str, made_of: Ingredients, *, audience: str | None = None
) -> Effective:
    """One branch's menu, or that of a part of its followers, with the reason for each button."""
    return effective(
        branches.directory(unit).chain(branch),
        made_of.zones,
        base_url=made_of.base_url,
        frame=made_of.frame,
        fills=made_of.fills,
        overlays=made_of.overlays,
        at=made_of.at,
        audience=audience,
    )


def next_change(unit: Unit, after: datetime) -> datetime | None:
    """The next moment after this one at which something in the menus begins or ends by the clock.

    Not every such moment changes what is wanted, but what is wanted changes at no other.
    """
    return min((moment for moment in _moments(unit) if moment > after), default=None)


def _moments(unit: Unit) -> Iterator[datetime]:
    windows: list[zones.Zone | Overlay] = [*zones.every(unit), *overlays.known(unit)]
    stored = (one for own in fills.all(unit).values() for one in own.values())
    items = [*checks.frame_items(frame.current(unit)), *(i for one in stored for i in one.items)]
    for window in (*windows, *items):
        yield from (at for at in (window.starts_at, window.ends_at) if at is not None)


def _check(unit: Unit, shown: Frame) -> None:
    """Head office's menu is everybody's: where it cannot be published, nothing can."""
    if unknown := frame.unknown_services(catalogue.services(), shown):
        raise WillNever(f"总行菜单指向不存在的服务：{'、'.join(unknown)}")
    if found := frame.faults(unit, shown):
        raise WillNever(f"总行菜单不能发布。{'；'.join(map(str, found))}")


def _sound_zones(
    unit: Unit, at: datetime, refused: dict[str, list[Fault]]
) -> Iterator[tuple[str, Zone]]:
    for code, zone in zones.zones_by_branch(unit, at=at).items():
        if found := checks.zone_faults(zone):
            refused.setdefault(str(code), []).extend(found)
        else:
            yield str(code), zone


def _sound_overlays(unit: Unit, refused: dict[str, list[Fault]]) -> Iterator[Overlay]:
    known = frame.known(unit)
    for one in overlays.known(unit):
        if found := checks.overlay_faults(one, known=known):
            refused.setdefault(_whose(unit, one), []).extend(found)
        else:
            yield one


def _whose(unit: Unit, overlay: Overlay) -> str:
    """Who is to mend an overlay that cannot be shown: a campaign's branch, else head office."""
    zone = zones.zone(unit, overlay.key) if overlay.kind is SlotKind.CAMPAIGN else None
    return str(zone.branch if zone is not None else branches.HEAD_OFFICE)
