"""What we last gave WeChat and what we know of the account, written down around each call.

Only the one publication that runs writes here, and operators' commands that leave a word for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import JSON, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from menus.buttons import Menu, digest
from menus.drift import Drift, Given, Known, KnownTag, State
from menus.live import Live
from menus.variants import MenuVariant
from service import clock
from service.db import Model, UtcTime
from service.wiring import Unit

_THE_ACCOUNT: Final = 1
#: A call that was never answered takes effect within seconds or not at all.
_LATE: Final = timedelta(days=1)


class MenuAccount(Model):
    """What is known of the account's menus as a whole; one row, once there was anything to note."""

    __tablename__ = "menu_account"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: The digest of all that was wanted when publication was last asked for; empty before.
    wanted: Mapped[str] = mapped_column(String(64), default="")
    requested_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: How many conditional menus WeChat was found to allow.
    ceiling: Mapped[int | None]
    ceiling_learned_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: The digest of the default menu WeChat last took from us, those sent whose answer we never
    #: heard, and that of a menu made by hand which we may replace.
    default_digest: Mapped[str | None] = mapped_column(String(64))
    sent_digests: Mapped[list[str]] = mapped_column(JSON, default=list)
    by_hand_digest: Mapped[str | None] = mapped_column(String(64))
    #: What was found changed elsewhere at the last look, in words, and which of it is accepted.
    drift: Mapped[list[str]] = mapped_column(JSON, default=list)
    accepted: Mapped[list[str]] = mapped_column(JSON, default=list)
    looked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: The snapshot that is held in place of what would be wanted, after a rollback.
    held_snapshot: Mapped[int | None]
    held_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: How many followers had to be moved when branches last got other tags, and when that began.
    moving: Mapped[int] = mapped_column(default=0)
    moving_since: Mapped[datetime | None] = mapped_column(UtcTime)


class MenuGiven(Model):
    """One conditional menu we gave WeChat, or are about to give it or to delete."""

    __tablename__ = "menu_given"

    id: Mapped[int] = mapped_column(primary_key=True)
    tag_id: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    #: WeChat's number for it, once it has answered.
    menu_id: Mapped[str | None] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(8))
    given_at: Mapped[datetime] = mapped_column(UtcTime)


def note(unit: Unit, **values: Any) -> None:
    """Write something of the account down."""
    row = {"wanted": "", "sent_digests": [], "drift": [], "accepted": [], "moving": 0} | values
    unit.db.execute(
        unit.insert(MenuAccount)
        .values(id=_THE_ACCOUNT, **row)
        .on_conflict_do_update(index_elements=[MenuAccount.id], set_=values)
    )


def known(unit: Unit) -> Known:
    """What WeChat should have, as far as our own calls go."""
    account = unit.db.execute(
        select(MenuAccount.default_digest, MenuAccount.sent_digests, MenuAccount.by_hand_digest)
    ).first()
    default, sent, by_hand = account or (None, [], None)
    menus = unit.db.execute(
        select(MenuGiven.tag_id, MenuGiven.digest, MenuGiven.menu_id, MenuGiven.state).order_by(
            MenuGiven.id
        )
    )
    tags = unit.db.execute(
        select(
            MenuVariant.tag_id,
            MenuVariant.tag_name,
            MenuVariant.next_name,
            MenuVariant.is_ending,
        )
    )
    return Known(
        default,
        frozenset(sent),
        by_hand,
        tuple(Given(tag, mark, menu_id, State(state)) for tag, mark, menu_id, state in menus),
        {tag: KnownTag(name, following, ending) for tag, name, following, ending in tags},
    )


def learn(unit: Unit, now: Known) -> None:
    """Keep what a look at WeChat has taught."""
    before = known(unit)
    if now == before:
        return
    note(
        unit,
        default_digest=now.default,
        sent_digests=sorted(now.sent),
        by_hand_digest=now.by_hand,
    )
    for tag_id, tag in (now.tags or {}).items():
        if tag != before.tag(tag_id):
            unit.db.execute(
                update(MenuVariant)
                .where(MenuVariant.tag_id == tag_id)
                .values(tag_name=tag.name, next_name=tag.next_name, is_ending=tag.is_ending)
            )
    _learn_menus(unit, before.menus, now.menus)


def _learn_menus(unit: Unit, before: Sequence[Given], now: Sequence[Given]) -> None:
    for gone in set(before) - set(now):
        mine = (MenuGiven.tag_id == gone.tag_id, MenuGiven.digest == gone.digest)
        is_numbered = MenuGiven.menu_id.is_not_distinct_from(gone.menu_id)
        unit.db.execute(delete(MenuGiven).where(*mine, is_numbered))
    for new in now:
        if new not in before:
            _give(unit, new)


def _give(unit: Unit, given: Given) -> None:
    unit.db.execute(
        unit.insert(MenuGiven).values(
            tag_id=given.tag_id,
            digest=given.digest,
            menu_id=given.menu_id,
            state=given.state.value,
            given_at=clock.now(),
        )
    )


# Around each call


def about_to_send_default(unit: Unit, menu: Menu) -> None:
    sent = unit.db.execute(select(MenuAccount.sent_digests)).scalar() or []
    note(unit, sent_digests=sorted({*sent, digest(menu)}))


def default_taken(unit: Unit, menu: Menu) -> None:
    note(unit, default_digest=digest(menu), sent_digests=[], by_hand_digest=None)


def about_to_add(unit: Unit, tag_id: int, menu: Menu) -> None:
    """Written before the call: should its answer be lost, the menu is still known as ours."""
    unanswered = MenuGiven.state == State.SENT
    unit.db.execute(
        delete(MenuGiven).where(
            unanswered,
            (MenuGiven.given_at < clock.now() - _LATE)
            | ((MenuGiven.tag_id == tag_id) & (MenuGiven.digest == digest(menu))),
        )
    )
    _give(unit, Given(tag_id, digest(menu), None, State.SENT))


def added(unit: Unit, tag_id: int, menu: Menu, *, menu_id: str) -> None:
    unit.db.execute(
        update(MenuGiven)
        .where(
            MenuGiven.tag_id == tag_id,
            MenuGiven.digest == digest(menu),
            MenuGiven.state == State.SENT,
        )
        .values(menu_id=menu_id, state=State.THERE.value)
    )


def about_to_delete(unit: Unit, menu_id: str) -> None:
    going = update(MenuGiven).where(MenuGiven.menu_id == menu_id)
    unit.db.execute(going.values(state=State.GOING.value))


def deleted(unit: Unit, menu_id: str) -> None:
    unit.db.execute(delete(MenuGiven).where(MenuGiven.menu_id == menu_id))


# Drift


def take_over(unit: Unit, live: Live) -> None:
    """The menu that is there has become ours: nothing is lost when we replace it."""
    note(
        unit,
        default_digest=digest(live.default) if live.default is not None else None,
        by_hand_digest=digest(live.by_hand) if live.by_hand is not None else None,
        sent_digests=[],
    )


def note_drift(unit: Unit, found: Sequence[Drift]) -> None:
    """Keep for status and health checks what was found changed elsewhere; nothing, if nothing."""
    note(unit, drift=[one.says for one in found], looked_at=clock.now())


def accept(unit: Unit, found: Sequence[Drift]) -> None:
    """An operator has seen these changes and lets us replace them: these, and no others."""
    note(unit, accepted=[one.id for one in found])


def is_accepted(unit: Unit, found: Sequence[Drift]) -> bool:
    told = unit.db.execute(select(MenuAccount.accepted)).scalar() or []
    return {one.id for one in found} <= set(told)


def shown_under(unit: Unit) -> dict[int, tuple[str, datetime]]:
    """The latest menu WeChat shows under each tag of ours: its number and since when."""
    rows = unit.db.execute(
        select(MenuGiven.tag_id, MenuGiven.menu_id, MenuGiven.given_at)
        .where(MenuGiven.state == State.THERE, MenuGiven.menu_id.is_not(None))
        .order_by(MenuGiven.id)
    )
    return {tag_id: (str(menu_id), since) for tag_id, menu_id, since in rows}
