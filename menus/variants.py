"""Which tag names each variant, and which tag a branch's followers may be given just now.

A branch is in reach of a tag only while WeChat shows the variant's menu under it. Publication
changes this; every move of a follower reads it. A part of a branch's followers, as
:mod:`menus.keys` calls it, that is in reach of none is in reach of its branch's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from menus import keys
from service.db import Model
from service.epochs import Kept, bump
from service.wiring import Unit


class MenuVariant(Model):
    """A tag of ours, and the variant that it names."""

    __tablename__ = "menu_variants"

    tag_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: The code of the branch highest up that has this menu, or the part of one that is the first.
    key: Mapped[str] = mapped_column(String(16))
    tag_name: Mapped[str] = mapped_column(String(30))
    #: The name WeChat is being asked to give it; empty while nothing is uncertain.
    next_name: Mapped[str | None] = mapped_column(String(30))
    #: Whether WeChat is being asked to delete it.
    is_ending: Mapped[bool] = mapped_column(default=False)


class MenuReach(Model):
    """That this audience is to carry this tag; a branch without a row carries none."""

    __tablename__ = "menu_reach"

    #: A branch's code, or the key of a part of its followers.
    branch: Mapped[str] = mapped_column(String(16), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey(MenuVariant.tag_id))


def reach(unit: Unit) -> Mapping[str, int]:
    """The tag of each audience in reach of a variant, as of at most a second ago; to be asked by
    :func:`menus.keys.served`."""
    return _kept.get(unit)


def standing(unit: Unit, audiences: Collection[str]) -> dict[str, int]:
    """The tags of these audiences as of now, held until the transaction ends.

    Whoever writes down that a follower is about to be tagged must not be overtaken by a publication
    that ends the variant, or it would count nobody and delete the menu they are about to see.
    """
    asked = {*audiences, *map(keys.branch_of, audiences)}
    query = select(MenuReach.branch, MenuReach.tag_id).where(MenuReach.branch.in_(asked))
    found = dict(unit.db.execute(query.with_for_update(read=True)).all())
    tags = ((audience, keys.served(found, audience)) for audience in audiences)
    return {audience: tag for audience, tag in tags if tag is not None}


def put_in_reach(unit: Unit, wanted: Mapping[str, int]) -> list[str]:
    """Make this the whole of what is in reach; returns the audiences for which it changed."""
    present = in_reach(unit)
    changed = [
        branch
        for branch in sorted(present.keys() | wanted.keys())
        if present.get(branch) != wanted.get(branch)
    ]
    if not changed:
        return []
    gone = [branch for branch in changed if branch not in wanted]
    unit.db.execute(delete(MenuReach).where(MenuReach.branch.in_(gone)))
    rows = [{"branch": one, "tag_id": wanted[one]} for one in changed if one in wanted]
    if rows:
        # Rows are changed in their place: whoever waits for one in ``standing`` would find one
        # that was put in anew not there at all, and take a follower's tag away.
        insert = unit.insert(MenuReach)
        known = {"tag_id": insert.excluded.tag_id}
        unit.db.execute(
            insert.on_conflict_do_update(index_elements=[MenuReach.branch], set_=known), rows
        )
    bump(unit, "menu_reach")
    return changed


def recorded(unit: Unit) -> dict[int, str]:
    """Our tags, each with the key of the variant it was made for."""
    return dict(unit.db.execute(select(MenuVariant.tag_id, MenuVariant.key)).all())


def record(unit: Unit, tag_id: int, *, key: str, tag_name: str) -> None:
    """Keep that this tag is ours, how it is called, and which variant it names."""
    known = {"key": key, "tag_name": tag_name, "next_name": None, "is_ending": False}
    insert = unit.insert(MenuVariant).values(tag_id=tag_id, **known)
    unit.db.execute(insert.on_conflict_do_update(index_elements=[MenuVariant.tag_id], set_=known))


def about_to_rename(unit: Unit, tag_id: int, *, key: str, next_name: str) -> None:
    """Write down which variant a tag names from now on, before WeChat is asked to rename it."""
    _note(unit, tag_id, key=key, next_name=next_name)


def about_to_delete(unit: Unit, tag_id: int) -> None:
    """Write down that a tag is to go, before WeChat is asked to delete it."""
    _note(unit, tag_id, is_ending=True)


def _note(unit: Unit, tag_id: int, **known: str | bool) -> None:
    unit.db.execute(update(MenuVariant).where(MenuVariant.tag_id == tag_id).values(**known))


def strike(unit: Unit, tag_id: int) -> None:
    """Forget a tag that is gone."""
    unit.db.execute(delete(MenuVariant).where(MenuVariant.tag_id == tag_id))


def in_reach(unit: Unit) -> dict[str, int]:
    """The same as of now, for the one publication that runs."""
    return dict(unit.db.execute(select(MenuReach.branch, MenuReach.tag_id)).all())


_kept: Kept[Mapping[str, int]] = Kept("menu_reach", in_reach)
