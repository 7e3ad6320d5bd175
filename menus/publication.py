"""Making the account's menus what they should be: look, plan, apply, and look again.

Nothing is remembered about how far a publication came. It plans anew from what WeChat has each
time, so that a crash after any step or an unanswered call is just another state to start from.
What somebody changed elsewhere is another matter: it is shown, and replaced only when allowed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from menus import book, drift, limits, moving, offers, snapshots, variants
from menus import plan as planning
from menus.applying import Application, Tell
from menus.book import MenuAccount
from menus.buttons import digest
from menus.capacity import Capacity, Census
from menus.drift import Drift, Known
from menus.live import Live, our_tags, read_live
from menus.looking import Look, look_at
from menus.plan import Plan
from menus.resolve import Resolved
from menus.steps import AddMenu, CreateDefault, Step
from menus.wish import Wish, next_change, wish
from service import clock, journal
from service.delivery.ledger import FAILED, Delivery, Desk, Row
from service.happenings import Fact
from service.wechat.errors import MenuCeilingReached, NoDefaultMenu, WillNever
from service.wiring import Unit

log = journal.logger("menus.publication")

#: Learning a ceiling, a menu made elsewhere meanwhile: each starts the plan anew, a few times.
_ROUNDS: Final = 8
_RESTLESS: Final = "菜单在发布过程中不断被别处改动，请确认没有其他程序在修改后重试"
#: Stands for what is wanted while it cannot be published; the digest of nothing.
_UNPUBLISHABLE: Final = "unpublishable"


class Drifted(WillNever):
    """Menus or tags were changed elsewhere, and nobody has said that they may be replaced."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan with everything it was made from."""

    wish: Wish
    look: Look
    capacity: Capacity
    census: Census
    known: Known
    drift: tuple[Drift, ...]
    reach: Mapping[str, int]
    plan: Plan

    @property
    def live(self) -> Live:
        return self.look.live


# What others ask for


def request_publication(unit: Unit) -> None:
    """Ask for the account's menus to be made what they should be; from then on they are kept so."""
    asked = {"wanted": _digest(wanted(unit).resolved), "requested_at": clock.now()}
    book.note(unit, **asked)
    offers.ask_for_publication(unit)
    _await_next_change(unit)


def keep_up(unit: Unit) -> None:
    """Ask for a publication when what is wanted has changed: a zone opened, ended or was edited.

    Zones begin and end by the clock, which announces nothing. An account nobody has published to is
    left alone: its menus may have been made by hand.
    """
    asked = unit.db.execute(select(MenuAccount.wanted)).scalar()
    if not asked:
        return
    try:
        is_new = asked != _digest(wanted(unit).resolved)
    except WillNever:
        _have_it_refused(unit, asked)
        return
    if is_new:
        request_publication(unit)
    else:
        _await_next_change(unit)


def is_kept(unit: Unit) -> bool:
    """Whether menus are published by themselves when what is wanted changes."""
    return snapshots.held(unit) is None and bool(
        unit.db.execute(select(MenuAccount.wanted)).scalar()
    )


def _have_it_refused(unit: Unit, asked: str) -> None:
    """Have a publication say why nothing can be published, once, where people look for it.

    Whoever changed something of their own cannot mend head office's menu, so they are not stopped.
    """
    if asked != _UNPUBLISHABLE:
        book.note(unit, wanted=_UNPUBLISHABLE)
        offers.ask_for_publication(unit)


def keep_up_with(unit: Unit, _fact: Fact) -> None:
    """Something opened, changed or ended that lies over menus: do not wait for the next minute."""
    keep_up(unit)


def ask_for_a_look(unit: Unit) -> None:
    """The chore: have somebody see whether WeChat still has what we gave it."""
    if unit.db.execute(select(MenuAccount.wanted)).scalar():
        offers.ask_for_a_look(unit)


def hold(unit: Unit, number: int) -> None:
    """Go back to a snapshot, and stay with it whatever zones and campaigns say.

    Raises:
        WillNever: when there is no such snapshot, or it cannot be published through the API.
    """
    snapshots.menus_of(unit, number)
    book.note(unit, held_snapshot=number, held_at=clock.now())
    request_publication(unit)


def resume(unit: Unit) -> bool:
    """Let the menus be again what branches want them to be; returns whether they were held."""
    held = snapshots.held(unit)
    if held is not None:
        book.note(unit, held_snapshot=None, held_at=None)
        request_publication(unit)
    return held is not None


def forget_ceiling(unit: Unit) -> None:
    """Find out anew how many conditional menus WeChat allows: one refused call tells it again."""
    book.note(unit, ceiling=None, ceiling_learned_at=None)
    request_publication(unit)


# What is wanted, and what there is


def wanted(unit: Unit) -> Wish:
    """Every branch's menu as it should be now: as branches want it, or as a snapshot holds it.

    Raises:
        WillNever: when head office's own menu, or the snapshot's, cannot be published.
    """
    held = snapshots.held(unit)
    return wish(unit) if held is None else Wish(snapshots.menus_of(unit, held), {})


def draft(desk: Desk, *, snapshot: int | None = None) -> Draft:
    """The plan from what WeChat has at this moment to what is wanted, or to a snapshot's menus."""
    seen = look_at(desk.gateway)
    live = seen.live
    with desk.reading() as unit:
        wished = wanted(unit) if snapshot is None else Wish(snapshots.menus_of(unit, snapshot), {})
        capacity = Capacity(unit.settings.menu_tags, ceiling(unit))
        census = offers.census(unit)
        recorded = variants.recorded(unit)
        reach = variants.in_reach(unit)
        known = _known(book.known(unit), live, recorded, wished.resolved)
    plan = planning.plan(
        wished.resolved,
        live,
        capacity=capacity,
        recorded=recorded,
        census=census,
        reach=reach,
    )
    _check_domains(live, recorded, plan)
    found = drift.drift(known, live)
    return Draft(wished, seen, capacity, census, known, found, reach, plan)


def _known(before: Known, live: Live, recorded: Mapping[int, str], wished: Resolved) -> Known:
    ours = our_tags(live.tags, recorded, wished.codes)
    marks = {digest(wished.default), *(digest(one.menu) for one in wished.every)}
    found = drift.recognised(before, live, ours)
    if recorded and drift.is_unwritten(before):
        found = drift.inherited(found, live)
    return drift.settled(found, live, marks)


def ceiling(unit: Unit) -> int | None:
    """How many conditional menus the account may hold, by the setting or as WeChat taught."""
    learned = unit.db.execute(select(MenuAccount.ceiling)).scalar()
    told = unit.settings.menu_ceiling or None
    return min((one for one in (told, learned) if one is not None), default=None)


# What the worker does


def settle_menus(desk: Desk, _deliveries: Sequence[Delivery]) -> None:
    """Have WeChat's menus agree with what is wanted, as the worker does it."""
    settle(desk)
    with desk.unit() as unit:
        if unit.db.execute(select(MenuAccount.wanted)).scalar():
            _await_next_change(unit)


def look(desk: Desk, _deliveries: Sequence[Delivery]) -> None:
    """See whether somebody changed menus or tags elsewhere, and note it for people to read.

    Once what kept a publication from being carried out is gone, it is asked for again. No plan is
    made before there is one that was refused: it would count every follower, each hour.
    """
    live = look_at(desk.gateway).live
    with desk.reading() as unit:
        recorded = variants.recorded(unit)
        known = _known(book.known(unit), live, recorded, wanted(unit).resolved)
    found = drift.drift(known, live)
    refused = select(Row.id).where(Row.kind == offers.PUBLISH, Row.state == FAILED)
    with desk.unit() as unit:
        book.note_drift(unit, found)
        waits = not found and unit.db.execute(refused).first() is not None
    if found:
        log.warning("menus were changed elsewhere", changes=len(found))
    if waits and draft(desk).plan.steps:
        with desk.unit() as unit:
            offers.ask_for_publication(unit)


def settle(desk: Desk, tell: Tell = lambda _step: None) -> bool:
    """Publish; returns whether all is done, or followers must be moved first.

    Args:
        tell: hears of each step just before it is taken.

    Raises:
        TryLater: WeChat does not answer now; what was done stays done.
        WillNever: the menus cannot be published as they are.
    """
    taken: set[Step] = set()
    why = _RESTLESS
    for _ in range(_ROUNDS):
        found = _undisputed(desk, taken)
        if found.plan.steps:
            # Before branches lose their tags, or nobody would know who saw what.
            _keep_snapshot(desk, found)
        if _settle_reach(desk, found):
            # Who is counted below must be counted after nobody is sent to an ending variant.
            found = draft(desk)
        if not found.plan.steps:
            log.info("menus agree", variants=len(found.plan.right))
            return True
        _refuse_repetition(found.plan, taken)
        try:
            if not Application(desk, found.plan, found.census, tell, taken).run():
                return False
        except MenuCeilingReached:
            why = _learn_ceiling(desk)
        except NoDefaultMenu:
            why = _RESTLESS
            log.warning("the default menu vanished during a publication")
    raise WillNever(why)


def _undisputed(desk: Desk, taken: set[Step]) -> Draft:
    """A plan that replaces nobody else's work, unless an operator has allowed just that.

    Raises:
        Drifted: when there are changes made elsewhere that nobody has allowed to be replaced.
    """
    found = draft(desk)
    with desk.unit() as unit:
        is_accepted = book.is_accepted(unit, found.drift)
        book.note_drift(unit, () if is_accepted else found.drift)
        if is_accepted:
            known = drift.accepted(found.known, found.live) if found.drift else found.known
            book.learn(unit, known)
            book.accept(unit, ())  # What was allowed is done; the same again has to be seen again.
    if not is_accepted and taken:
        says = "；".join(one.says for one in found.drift)
        raise WillNever(f"微信保存的与发布的不一致，或有别的程序同时在改动，请核对后重试：{says}")
    if not is_accepted:
        log.warning("menus were changed elsewhere", changes=len(found.drift))
        raise Drifted(drift.refusal(found.drift))
    if found.drift:
        _keep_snapshot(desk, found)
        return _undisputed(desk, taken)
    return found


def _settle_reach(desk: Desk, found: Draft) -> bool:
    """Send followers only where WeChat shows a menu that will stay; returns what that changed."""
    plan, names = found.plan, {tag.id: tag.name for tag in found.live.tags}
    with desk.unit() as unit:
        known = variants.recorded(unit)
        for key, tag_id in plan.tag_of.items():
            if tag_id not in known:
                variants.record(unit, tag_id, key=key, tag_name=names[tag_id])
        book.learn(unit, found.known)
        present = variants.in_reach(unit)
        reach = {
            code: plan.tag_of[key] if key in plan.right else present[code]
            for code, key in plan.reach.items()
            # What is no longer an audience of its own has what its branch has.
            if code in found.wish.resolved.codes
            and (key in plan.right or present.get(code) in plan.lit)
        }
        changed = variants.put_in_reach(unit, reach)
        offers.reoffer(unit, changed)
        for tag_id in known.keys() - names.keys() - plan.lit:
            variants.strike(unit, tag_id)  # It is gone, and no menu stands under it any more.
    if changed:
        moving.begin(desk, reach)
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
    with desk.unit() as unit:
        snapshots.keep(unit, found.look, reach=found.reach)


def _learn_ceiling(desk: Desk) -> str:
    """WeChat took no more: as many as there are now is the ceiling. What to say if it goes on.

    A ceiling that is lowered below what is there is found by giving up menu after menu. After a few
    a person has to look: WeChat may be mistaken, and each menu given up is somebody's.
    """
    shown = len(read_live(desk.gateway.menus(), ()).conditional)
    log.warning("ceiling of conditional menus learned", ceiling=shown)
    with desk.unit() as unit:
        book.note(unit, ceiling=shown, ceiling_learned_at=clock.now())
    return (
        f"腾出位置后微信仍以 65305 拒绝新增个性化菜单（现有 {shown} 个）；请向微信确认上限，"
        "写入设置 MENU_CEILING 后用 flask menus apply 发布，会一次调整到位"
    )


def _await_next_change(unit: Unit) -> None:
    """Have the menus settled at the very moment something in them begins or ends by the clock."""
    if snapshots.held(unit) is None and (moment := next_change(unit, clock.now())) is not None:
        offers.ask_for_next_change(unit, due=moment)


def _digest(resolved: Resolved) -> str:
    parts = [digest(resolved.default)]
    parts += [f"{one.key} {digest(one.menu)} {one.branches}" for one in resolved.every]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
