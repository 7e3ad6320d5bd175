"""Carrying a plan out: one call to WeChat per step, what is about to happen written down first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from menus import book, offers, variants
from menus.buttons import write
from menus.capacity import Census
from menus.plan import Plan
from menus.steps import (
    AddMenu,
    CreateDefault,
    CreateTag,
    DeleteMenu,
    DeleteTag,
    EmptyTag,
    LetGo,
    MoveOut,
    RenameTag,
    Step,
)
from service import clock, journal
from service.delivery.ledger import Desk

#: How long to wait for followers to be moved before a variant's tag is looked at again.
_PATIENCE: Final = (timedelta(seconds=5), timedelta(minutes=10))
_MOVED_A_SECOND: Final = 200

Tell = Callable[[Step], None]


class Application:
    """One plan being carried out, each step noted as soon as WeChat has taken it."""

    def __init__(
        self, desk: Desk, plan: Plan, census: Census, tell: Tell, taken: set[Step]
    ) -> None:
        self.desk, self.plan, self.census, self.tell, self.taken = desk, plan, census, tell, taken
        self.tag_of = dict(plan.tag_of)

    def run(self) -> bool:
        """Take the steps; returns whether to look again, or followers must be moved first."""
        has_added = False
        for step in self.plan.steps:
            waits = isinstance(step, EmptyTag | MoveOut)
            if waits and has_added:
                return True  # Followers can only be moved to what is in reach, so look again first.
            self.tell(step)
            if waits and not self._has_moved(step):
                return False
            self._take(step)
            self.taken.add(step)
            has_added = has_added or isinstance(step, AddMenu)
            journal.count("menu_steps", step=type(step).__name__)
        return True

    def _take(self, step: Step) -> None:
        match step:
            case CreateDefault() | AddMenu() | DeleteMenu():
                self._change_menu(step)
            case CreateTag() | RenameTag() | DeleteTag():
                self._change_tag(step)
            case LetGo(_, branches, _):
                with self.desk.unit() as unit:
                    left = {
                        code: tag
                        for code, tag in variants.in_reach(unit).items()
                        if code not in branches
                    }
                    offers.reoffer(unit, variants.put_in_reach(unit, left))

    def _change_menu(self, step: CreateDefault | AddMenu | DeleteMenu) -> None:
        gateway = self.desk.gateway
        match step:
            case CreateDefault(menu):
                with self.desk.unit() as unit:
                    book.about_to_send_default(unit, menu)
                gateway.create_menu(write(menu))
                with self.desk.unit() as unit:
                    book.default_taken(unit, menu)
            case AddMenu(key, menu):
                tag_id = self.tag_of[key]
                with self.desk.unit() as unit:
                    book.about_to_add(unit, tag_id, menu)
                menu_id = gateway.add_conditional(write(menu), tag_id=tag_id)
                with self.desk.unit() as unit:
                    book.added(unit, tag_id, menu, menu_id=menu_id)
            case DeleteMenu(menu_id):
                with self.desk.unit() as unit:
                    book.about_to_delete(unit, menu_id)
                gateway.delete_conditional(menu_id)
                with self.desk.unit() as unit:
                    book.deleted(unit, menu_id)

    def _change_tag(self, step: CreateTag | RenameTag | DeleteTag) -> None:
        gateway = self.desk.gateway
        match step:
            case CreateTag(key, name):
                self.tag_of[key] = gateway.create_tag(name)
                with self.desk.unit() as unit:
                    variants.record(unit, self.tag_of[key], key=key, tag_name=name)
            case RenameTag(tag_id, key, name):
                with self.desk.unit() as unit:
                    variants.about_to_rename(unit, tag_id, key=key, next_name=name)
                gateway.rename_tag(tag_id, name)
                with self.desk.unit() as unit:
                    variants.record(unit, tag_id, key=key, tag_name=name)
            case DeleteTag(tag_id):
                with self.desk.unit() as unit:
                    variants.about_to_delete(unit, tag_id)
                gateway.delete_tag(tag_id)
                with self.desk.unit() as unit:
                    variants.strike(unit, tag_id)

    def _has_moved(self, step: Step) -> bool:
        """Whether those who had to leave a tag have left; if not, publication comes again later."""
        match step:
            case EmptyTag(tag_id, _, followers):
                codes = self.census.carriers.get(tag_id, {}).keys()
                is_left = not offers.is_carried(self.desk, tag_id, codes)
            case MoveOut(tag_id, _, branches, followers, most):
                is_left = not offers.carrying(self.desk, tag_id, branches, most=most)
            case _:
                return True
        if is_left:
            return True
        shortest, longest = _PATIENCE
        wait = max(shortest, timedelta(seconds=followers / _MOVED_A_SECOND))
        with self.desk.unit() as unit:
            offers.ask_for_publication(unit, due=clock.now() + min(wait, longest))
        return False
