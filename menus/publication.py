"""Making the account's menus what they should be: plan, apply step by step, note what was applied.

Nothing is remembered about how far a publication came. It plans anew from what WeChat has each
time, so that a crash after any step, an unanswered call or somebody's edit elsewhere is just
another state to start from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import JSON, String, select
from sqlalchemy.orm import Mapped, mapped_column

from menus import limits, offers, variants
from menus import plan as planning
from menus.buttons import digest, write
from menus.capacity import Capacity, Census
from menus.live import Live, LiveTag, read_live
from menus.plan import (
    AddMenu,
    CreateDefault,
    CreateTag,
    DeleteMenu,
    DeleteTag,
    EmptyTag,
    Plan,
    Step,
)
from menus.resolve import Resolved
from menus.wish import Wish, wish
from service import clock, journal
from service.db import Model, UtcTime
from service.delivery.ledger import Delivery, Desk
from service.wechat.errors import MenuCeilingReached, NoDefaultMenu, WillNever
from service.wiring import Unit

log = journal.logger("menus.publication")

#: Learning a ceiling, a menu made elsewhere meanwhile: each starts the plan anew, a few times.
_ROUNDS: Final = 8
#: How long to wait for followers to be moved before a variant's tag is looked at again.
_PATIENCE: Final = (timedelta(seconds=5), timedelta(minutes=10))
_MOVED_A_SECOND: Final = 200
_THE_ACCOUNT: Final = 1

Tell = Callable[[Step], None]


class MenuAccount(Model):
    """What is known of the account's menus as a whole; one row, once it was published to."""

    __tablename__ = "menu_account"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: The digest of all that was wanted when publication was last asked for.
    wanted: Mapped[str] = mapped_column(String(64))
    requested_at: Mapped[datetime] = mapped_column(UtcTime)
    #: How many conditional menus WeChat was found to allow.
    ceiling: Mapped[int | None]
    ceiling_learned_at: Mapped[datetime | None] = mapped_column(UtcTime)


class MenuSnapshot(Model):
    """What WeChat had just before a publication changed it."""

    __tablename__ = "menu_snapshots"

    id: Mapped[int] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(UtcTime)
    #: The answer of ``menu/get``.
    menus: Mapped[dict[str, Any]] = mapped_column(JSON)
    tags: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan with everything it was made from."""

    wish: Wish
    live: Live
    raw: Mapping[str, Any]
    capacity: Capacity
    census: Census
    plan: Plan


def request_publication(unit: Unit) -> None:
    """Ask for the account's menus to be made what they should be; from then on they are kept so."""
    asked = {"wanted": _digest(wish(unit).resolved), "requested_at": clock.now()}
    unit.db.execute(
        unit.insert(MenuAccount)
        .values(id=_THE_ACCOUNT, **asked)
        .on_conflict_do_update(index_elements=[MenuAccount.id], set_=asked)
    )
    offers.ask_for_publication(unit)


def keep_up(unit: Unit) -> None:
    """Ask for a publication when what is wanted has changed: a zone opened, ended or was edited.

    Zones begin and end by the clock, which announces nothing. An account nobody has published to is
    left alone: its menus may have been made by hand.
    """
    asked = unit.db.execute(select(MenuAccount.wanted)).scalar()
    if asked is not None and asked != _digest(wish(unit).resolved):
        request_publication(unit)


def draft(desk: Desk) -> Draft:
    """The plan from what WeChat has at this moment to what is wanted at this moment."""
    raw = desk.gateway.menus()
    tags = [LiveTag(tag.id, tag.name, tag.count) for tag in desk.gateway.tags()]
    live = read_live(raw, tags)
    with desk.reading() as unit:
        wished = wish(unit)
        capacity = Capacity(unit.settings.menu_tags, ceiling(unit))
        census = offers.census(unit)
        recorded = variants.recorded(unit)
    plan = planning.plan(wished.resolved, live, capacity=capacity, recorded=recorded, census=census)
    _check_domains(live, recorded, plan)
    return Draft(wished, live, raw, capacity, census, plan)


def ceiling(unit: Unit) -> int | None:
    """How many conditional menus the account may hold, by the setting or as WeChat taught."""
    learned = unit.db.execute(select(MenuAccount.ceiling)).scalar()
    told = unit.settings.menu_ceiling or None
    return min((one for one in (told, learned) if one is not None), default=None)


def settle_menus(desk: Desk, _deliveries: Sequence[Delivery]) -> None:
    """Have WeChat's menus agree with what is wanted, as the worker does it."""
    settle(desk)


def settle(desk: Desk, tell: Tell = lambda _step: None) -> bool:
    """Publish; returns whether all is done, or followers must be moved first.

    Args:
        tell: hears of each step just before it is taken.

    Raises:
        TryLater: WeChat does not answer now; what was done stays done.
        WillNever: the menus cannot be published as they are.
    """
    taken: set[Step] = set()
    for _ in range(_ROUNDS):
        found = draft(desk)
        if _settle_reach(desk, found):
            # Who is counted below must be counted after nobody is sent to an ending variant.
            found = draft(desk)
        if not found.plan.steps:
            log.info("menus agree", variants=len(found.plan.right))
            return True
        _refuse_repetition(found.plan, taken)
        _keep_snapshot(desk, found)
        try:
            if not _Application(desk, found, tell, taken).run():
                return False
        except MenuCeilingReached:
            _learn_ceiling(desk)
        except NoDefaultMenu:
            log.warning("the default menu vanished during a publication")
    raise WillNever("菜单在发布过程中不断被别处改动，请确认没有其他程序在修改后重试")


class _Application:
    """One plan being carried out, each step noted as soon as WeChat has taken it."""

    def __init__(self, desk: Desk, found: Draft, tell: Tell, taken: set[Step]) -> None:
        self.desk, self.found, self.tell, self.taken = desk, found, tell, taken
        self.tag_of = dict(found.plan.tag_of)

    def run(self) -> bool:
        """Take the steps; returns whether to look again, or followers must be moved first."""
        has_added = False
        for step in self.found.plan.steps:
            if isinstance(step, EmptyTag) and has_added:
                return True  # Followers can only be moved to what is in reach, so look again first.
            self.tell(step)
            if isinstance(step, EmptyTag) and not self._is_empty(step):
                return False
            self._take(step)
            self.taken.add(step)
            has_added = has_added or isinstance(step, AddMenu)
            journal.count("menu_steps", step=type(step).__name__)
        return True

    def _take(self, step: Step) -> None:
        gateway = self.desk.gateway
        match step:
            case CreateDefault(menu):
                gateway.create_menu(write(menu))
            case CreateTag(key, name):
                self.tag_of[key] = gateway.create_tag(name)
                with self.desk.unit() as unit:
                    variants.record(unit, self.tag_of[key], key=key, tag_name=name)
            case AddMenu(key, menu):
                tag_id = self.tag_of[key]
                menu_id = gateway.add_conditional(write(menu), tag_id=tag_id)
                with self.desk.unit() as unit:
                    variants.record_menu(unit, tag_id, menu_id=menu_id, menu=menu)
            case DeleteMenu(menu_id):
                gateway.delete_conditional(menu_id)
            case DeleteTag(tag_id):
                gateway.delete_tag(tag_id)
                with self.desk.unit() as unit:
                    variants.strike(unit, tag_id)

    def _is_empty(self, step: EmptyTag) -> bool:
        """Whether nobody carries the tag; if somebody does, publication comes again later."""
        codes = self.found.census.carriers.get(step.tag_id, {}).keys()
        if not offers.is_carried(self.desk, step.tag_id, codes):
            return True
        shortest, longest = _PATIENCE
        wait = max(shortest, timedelta(seconds=step.followers / _MOVED_A_SECOND))
        with self.desk.unit() as unit:
            offers.ask_for_publication(unit, due=clock.now() + min(wait, longest))
        return False


def _settle_reach(desk: Desk, found: Draft) -> bool:
    """Send followers only where WeChat shows a menu that will stay; returns what that changed."""
    plan, names = found.plan, {tag.id: tag.name for tag in found.live.tags}
    with desk.unit() as unit:
        known = variants.recorded(unit)
        for key, tag_id in plan.tag_of.items():
            if tag_id not in known:
                variants.record(unit, tag_id, key=key, tag_name=names[tag_id])
        present = variants.in_reach(unit)
        wanted = {
            code: plan.tag_of[key] if key in plan.right else present[code]
            for code, key in plan.reach.items()
            if key in plan.right or present.get(code) in plan.lit
        }
        changed = variants.put_in_reach(unit, wanted)
        offers.reoffer(unit, changed)
        for tag_id in known.keys() - names.keys() - plan.lit:
            variants.strike(unit, tag_id)  # Somebody deleted it in WeChat's console.
    return bool(changed)


def _refuse_repetition(plan: Plan, taken: set[Step]) -> None:
    """A menu that WeChat took and still does not show as sent would be published for ever."""
    for step in plan.steps:
        if isinstance(step, CreateDefault | AddMenu) and step in taken:
            raise WillNever("微信保存的菜单与发布的不一致，请核对后重试")


def _check_domains(live: Live, recorded: Mapping[int, str], plan: Plan) -> None:
    added = [step.menu for step in plan.steps if isinstance(step, AddMenu)]
    others = [one.menu for one in live.conditional if one.tag_id not in recorded]
    if added and (found := limits.domain_faults([*added, *others])):
        raise WillNever("；".join(map(str, found)))


def _keep_snapshot(desk: Desk, found: Draft) -> None:
    """Keep what WeChat has now, unless the last snapshot shows the same menus."""
    latest = select(MenuSnapshot.menus).order_by(MenuSnapshot.id.desc()).limit(1)
    with desk.unit() as unit:
        if unit.db.execute(latest).scalar() == found.raw:
            return
        unit.db.execute(
            unit.insert(MenuSnapshot).values(
                taken_at=clock.now(),
                menus=dict(found.raw),
                tags=[{"id": tag.id, "name": tag.name} for tag in found.live.tags],
            )
        )


def _learn_ceiling(desk: Desk) -> None:
    """WeChat took no more: as many as there are now is the ceiling."""
    shown = len(read_live(desk.gateway.menus(), ()).conditional)
    learned = {"ceiling": shown, "ceiling_learned_at": clock.now()}
    log.warning("ceiling of conditional menus learned", ceiling=shown)
    with desk.unit() as unit:
        asked = {"wanted": _digest(wish(unit).resolved), "requested_at": clock.now()}
        unit.db.execute(
            unit.insert(MenuAccount)
            .values(id=_THE_ACCOUNT, **asked, **learned)
            .on_conflict_do_update(index_elements=[MenuAccount.id], set_=learned)
        )


def _digest(resolved: Resolved) -> str:
    parts = [digest(resolved.default)]
    parts += [f"{one.key} {digest(one.menu)} {one.branches}" for one in resolved.variants]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
