"""What a follower at this place and time sees: the menu meant for them, the one WeChat shows, why.

Nothing here calls WeChat: what is shown now is what was last published under the branch's tag, and
what will be shown later is worked out as a publication would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from sqlalchemy import select

from menus import capacity, insiders, keys, limits, offers, publication, variants
from menus.book import MenuAccount, MenuGiven
from menus.buttons import Menu, digest, read
from menus.drift import State
from menus.limits import Fault
from menus.offers import MenuOffer
from menus.resolve import Effective, Resolved
from menus.slots import Fill, Fills, Frame
from menus.snapshots import MenuSnapshot
from menus.variants import MenuVariant
from menus.wish import effective_menu, ingredients, resolved
from regions import atlas, branches, divisions, fixes, moves, presence
from regions.branches import Branch
from regions.coordinates import Datum, to_gcj02
from regions.divisions import DivisionCode
from regions.fixes import Fix, Source
from service import clock
from service.happenings import OpenId
from service.wiring import Unit


@dataclass(frozen=True, slots=True)
class Served:
    """The menu WeChat shows, which may be another than the one that is meant."""

    #: Nothing where none was published, or an earlier one is still shown and no copy was kept.
    menu: Menu | None
    #: The branch whose variant it is; empty for the default menu.
    variant: str | None
    #: The tag it is published under, where it is published.
    tag_id: int | None
    #: Whether it is the menu that is meant.
    as_meant: bool
    why: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a follower sees, and why."""

    at: datetime
    division: DivisionCode | None
    #: The division's full name; empty where it is not known or not asked.
    place: str
    branch: Branch
    #: Why this branch, in a sentence.
    where: str
    effective: Effective
    served: Served
    #: What of the branch's own WeChat would not take.
    refused: tuple[Fault, ...]
    #: Names that phones cut off.
    warnings: tuple[Fault, ...]


def preview(
    unit: Unit,
    *,
    latitude: float,
    longitude: float,
    datum: Datum = Datum.GCJ02,
    at: datetime | None = None,
) -> Preview:
    """What a follower at this place sees now, or at another time as far as known today.

    Args:
        latitude: degrees of ``datum``, as ``longitude``.

    Raises:
        WillNever: when head office's own menu cannot be published.
    """
    return Viewer(unit, at=at).at_place(latitude, longitude, datum=datum)


def preview_branch(
    unit: Unit,
    branch: str,
    *,
    at: datetime | None = None,
    fills: Mapping[str, Fill] | None = None,
    frame: Frame | None = None,
) -> Preview:
    """What a follower served by this branch sees, also if something were decided otherwise.

    Args:
        branch: a branch's code.
        fills: all that the branch would decide, by slot, in place of what it has decided.
        frame: the frame head office would have, in place of the live one.

    Raises:
        KeyError: where there is no such branch.
        WillNever: when head office's own menu, or the frame given, cannot be published.
    """
    decided = {branch: fills} if fills is not None else None
    return Viewer(unit, at=at, fills=decided, frame=frame).of_branch(branch)


def preview_follower(unit: Unit, openid: OpenId) -> Preview:
    """What this follower sees now, by the tag they carry as far as we know."""
    return Viewer(unit).of_follower(openid)


class Viewer:
    """Looks at the menus of one time, for one follower after another."""

    def __init__(
        self,
        unit: Unit,
        *,
        at: datetime | None = None,
        fills: Fills | None = None,
        frame: Frame | None = None,
    ) -> None:
        self._unit, self._tree = unit, branches.directory(unit)
        made_of = ingredients(unit, at=at, present=frame)
        self._made_of = replace(made_of, fills={**made_of.fills, **(fills or {})})
        #: What is not so yet is worked out; what is so now is looked up.
        self._is_live = at is None and fills is None and frame is None

    def at_place(self, latitude: float, longitude: float, *, datum: Datum) -> Preview:
        """What a follower here sees; degrees of ``datum``."""
        unit = self._unit
        north, east = to_gcj02(latitude, longitude, datum)
        division = atlas.current(unit.settings).county_at(north, east)
        found = self._tree.serving(division, latitude=north, longitude=east)
        why = found.why
        if division is not None and not _is_clear(unit, (north, east), division, found.branch):
            band = unit.settings.border_band_m
            why = f"{why}；离边界不到 {band} 米，连续两次定位一致才会切换到这里"
        return self._seen(found.branch, why, division, moves.middle(*moves.cell_at(north, east)))

    def of_branch(self, code: str) -> Preview:
        """What a follower served by this branch sees.

        Raises:
            KeyError: where there is no such branch.
        """
        found = self._tree.get(code)
        if found is None:
            raise KeyError(code)
        return self._shown(found, f"由{found.name}服务", found.division, found.code)

    def of_follower(self, openid: OpenId) -> Preview:
        """What this follower sees now, by the tag they carry as far as we know."""
        place = presence.where(self._unit, openid)
        found = self._seen(place.branch, place.why, place.division, place.cell)
        query = select(
            MenuOffer.wanted_tag_id, MenuOffer.applied_tag_id, MenuOffer.trying_tag_id
        ).where(MenuOffer.openid == openid)
        row = self._unit.db.execute(query).first()
        carried = row.applied_tag_id if row is not None else None
        served = self._under(carried, found.effective)
        if row is not None and (row.trying_tag_id is not None or row.wanted_tag_id != carried):
            change = f"{carried or '无'} → {row.wanted_tag_id or '无'}"
            served = replace(served, why=f"{served.why}；标签正在更换（{change}）")
        return replace(found, served=served)

    def _seen(
        self,
        branch: Branch,
        where: str,
        division: DivisionCode | None,
        cell: tuple[float, float] | None,
    ) -> Preview:
        """What a follower of this branch sees who is in this division, in the cell around this."""
        audience = insiders.audience(self._unit, branch.code, division, cell)
        if keys.is_part(audience):
            where = f"{where}；在应急范围之内"
        return self._shown(branch, where, division, audience)

    def _shown(
        self, branch: Branch, where: str, division: DivisionCode | None, audience: str
    ) -> Preview:
        effective = effective_menu(self._unit, branch.code, self._made_of, audience=audience)
        if self._is_live:
            served = self._under(keys.served(self._reach, audience), effective)
        else:
            served = self._worked_out(effective)
        return Preview(
            at=self._made_of.at,
            division=division,
            place=divisions.table().label(division) or "" if division is not None else "",
            branch=branch,
            where=where,
            effective=effective,
            served=served,
            refused=self._made_of.refused.get(branch.code, ()),
            warnings=tuple(limits.warnings(effective.menu)),
        )

    @cached_property
    def _reach(self) -> Mapping[str, int]:
        return variants.in_reach(self._unit)

    @cached_property
    def _wanted(self) -> Resolved:
        return resolved(self._unit, self._made_of)

    @cached_property
    def _by_digest(self) -> Mapping[str, Menu]:
        return {digest(one.menu): one.menu for one in self._wanted.every}

    def _under(self, tag_id: int | None, meant: Effective) -> Served:
        """What was last published under this tag; without one, the default menu."""
        given = _given(self._unit, tag_id) if tag_id is not None else None
        if tag_id is None or given is None:
            return self._by_default(meant)
        key, mark = given
        own, owner = self._wanted.variant_of(meant.audience), self._name(key)
        as_meant = mark == digest(meant.menu)
        if as_meant:
            why = f"显示标签 {tag_id} 下{owner}的菜单"
        elif own is not None and own.key != key:
            why = f"个性化菜单名额不足或还在发布，改看标签 {tag_id} 下{owner}的菜单"
        else:
            why = f"新菜单还在发布，暂时显示标签 {tag_id} 下{owner}的上一版菜单"
        menu = self._by_digest.get(mark) or _archived(self._unit, mark)
        return Served(menu, key, tag_id, as_meant, why)

    def _by_default(self, meant: Effective) -> Served:
        """The default menu, as head office wants it now."""
        menu = self._wanted.default
        published = self._unit.db.execute(select(MenuAccount.default_digest)).scalar()
        why = "显示默认菜单（总行菜单）"
        if menu != meant.menu:
            why = "这家分行的菜单没有单独发布（名额不足，或还在发布），显示默认菜单（总行菜单）"
        if published is None:
            return Served(None, None, None, False, "本系统还没有发布过菜单；先发布菜单")
        if published != digest(menu):
            why = f"{why}；总行的新菜单还在发布，暂时显示上一版"
        as_meant = menu == meant.menu and published == digest(menu)
        return Served(menu, None, None, as_meant, why)

    def _worked_out(self, meant: Effective) -> Served:
        """What a publication of these menus would show, with as much room as is known of."""
        wanted = self._wanted
        own = wanted.variant_of(meant.audience)
        if own is None:
            return Served(wanted.default, None, None, True, "显示默认菜单（总行菜单）")
        room, heir = self._serving[0], self._serving[1].get(meant.audience)
        if heir == own.key:
            return Served(own.menu, own.key, None, True, f"单独显示{self._name(heir)}的菜单")
        few = f"个性化菜单最多 {room} 个，名额不足"
        if heir is None:
            return Served(wanted.default, None, None, False, f"{few}，显示默认菜单（总行菜单）")
        menu = next(one.menu for one in wanted.every if one.key == heir)
        return Served(menu, heir, None, False, f"{few}，改看{self._name(heir)}的菜单")

    @cached_property
    def _serving(self) -> tuple[int, Mapping[str, str]]:
        """How many variants there is room for, and by audience which of them serves it."""
        unit = self._unit
        ceiling, tags = publication.ceiling(unit), unit.settings.menu_tags
        # One slot stays free, so that a menu is added before the one it replaces is deleted.
        room = tags if ceiling is None else min(tags, ceiling - 1)
        shown = set(variants.recorded(unit).values())
        wanted = self._wanted
        followers = capacity.present(offers.census(unit).followers, wanted.codes)
        heirs = capacity.serving(wanted.every, followers, room=room, shown=shown)
        return room, capacity.reached(wanted, heirs)

    def _name(self, key: str) -> str:
        branch = self._tree.get(keys.branch_of(key))
        return keys.named(key, {branch.code: branch.name} if branch is not None else {})


def _given(unit: Unit, tag_id: int) -> tuple[str, str] | None:
    """The variant that a tag names, and the digest of the newest menu there is under it."""
    query = (
        select(MenuVariant.key, MenuGiven.digest)
        .join(MenuGiven, MenuGiven.tag_id == MenuVariant.tag_id)
        .where(MenuVariant.tag_id == tag_id, MenuGiven.state == State.THERE.value)
        .order_by(MenuGiven.id.desc())
        .limit(1)
    )
    row = unit.db.execute(query).first()
    return (row.key, row.digest) if row is not None else None


def _archived(unit: Unit, mark: str) -> Menu | None:
    """A menu that is no longer wanted, from what was kept before the last publication."""
    latest = select(MenuSnapshot.menus).order_by(MenuSnapshot.id.desc()).limit(1)
    kept = unit.db.execute(latest).scalar() or {}
    menus = (read(one.get("button")) for one in kept.get("conditionalmenu") or ())
    return next((menu for menu in menus if digest(menu) == mark), None)


def _is_clear(
    unit: Unit, place: tuple[float, float], division: DivisionCode, branch: Branch
) -> bool:
    """Whether the very first report from here settles the branch."""
    fix = Fix(
        OpenId(""), clock.now(), Source.EVENT, *place,
        margin_m=float(unit.settings.border_band_m), division=division, branch=branch.code,
    )  # fmt: skip
    return fixes.is_clear(unit, fix)
