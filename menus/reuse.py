"""Which of the tags there are each variant keeps, so that as few followers as possible are touched.

A tag is bound to the people who carry it, not to the name of the variant it was made for: when the
branch that gives a variant its name gets another menu, those who go on seeing the old one go on
carrying their tag.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from menus import keys
from menus.capacity import Census
from menus.live import LiveMenu, LiveTag
from menus.matching import matched
from menus.resolve import Variant

#: What it is worth that one follower need not be touched.
_FOLLOWER: Final = 1_000
#: To bind a tag to another variant costs calls on menus and tags, with which as many followers as
#: these could be re-tagged; so it is done for more of them only.
_SAME_KEY: Final = 100 * _FOLLOWER
_SAME_MENU: Final = 50 * _FOLLOWER
_RECORDED: Final = 100
#: WeChat's limit on tags, so that the age of a tag decides between equals and nothing more.
_MOST_TAGS: Final = 100


def kept_tags(
    served: Sequence[Variant],
    ours: Mapping[int, str],
    *,
    recorded: Mapping[int, str],
    shown: Mapping[int | None, LiveMenu],
    tags: Mapping[int, LiveTag],
    census: Census,
    reach: Mapping[str, str],
    in_use: Collection[int] = (),
) -> dict[str, int]:
    """The tag each variant keeps or takes over; those it leaves out need a new one.

    Args:
        served: the variants that will be shown.
        ours: our tags that exist, with the variants they were made for.
        recorded: those of them that we wrote down.
        shown: the menu WeChat shows under each tag.
        reach: by branch the variant its followers are to see.
        in_use: tags that followers may be given at this moment.
    """
    worth: dict[tuple[int, str], int] = {}
    by_menu = {one.menu: one.key for one in served}
    wanted = {one.key for one in served}
    for place, tag_id in enumerate(sorted(ours)):
        pairs: dict[str, int] = {}
        for branch, count in census.carriers.get(tag_id, {}).items():
            if count and (key := reach.get(branch)):
                pairs[key] = pairs.get(key, 0) + count * _FOLLOWER
        if ours[tag_id] in wanted:
            pairs[ours[tag_id]] = pairs.get(ours[tag_id], 0) + _SAME_KEY
        if tag_id in shown and (key := by_menu.get(shown[tag_id].menu, "")):
            pairs[key] = pairs.get(key, 0) + _SAME_MENU
        age = max(_MOST_TAGS - place, 1) + (_RECORDED if tag_id in recorded else 0)
        worth |= {
            (tag_id, key): value + age
            for key, value in pairs.items()
            if _may_take(key, ours[tag_id])
        }
    found = {key: tag_id for tag_id, key in matched(worth).items()}
    free = [tag_id for tag_id in sorted(ours) if tag_id not in in_use]
    return found | _empty_ones(served, found, tags, free, census)


def _may_take(key: str, owner: str) -> bool:
    """Whether a variant may take over another's tag from whoever carries it.

    Where most followers of a branch are inside an emergency, theirs would be the branch's tag, and
    the rest of the branch would be re-tagged when it begins and again when it ends, although it
    does not concern them; and those inside would wait until the others are out of the way.
    """
    return keys.inside_of(key) == keys.inside_of(owner)


def _empty_ones(
    served: Sequence[Variant],
    found: Mapping[str, int],
    tags: Mapping[int, LiveTag],
    free: Sequence[int],
    census: Census,
) -> dict[str, int]:
    """A tag that nobody carries, by our book and by WeChat's, is as good as a new one."""
    taken = set(found.values())
    empty = (
        tag_id
        for tag_id in free
        if tag_id not in taken
        and not tags[tag_id].count
        and not any(census.carriers.get(tag_id, {}).values())
    )
    lacking = (one.key for one in served if one.key not in found)
    return dict(zip(lacking, empty, strict=False))
