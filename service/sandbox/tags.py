"""Tags and who carries them: names, ceilings, and batches that one bad openid spoils."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from service.sandbox.calls import OK, Call, Json, Refused, whole

if TYPE_CHECKING:
    from service.sandbox.world import Follower, World

#: WeChat's own tags; 2 is the only one that lists show.
_RESERVED: Final = (0, 1, 2)
_STARRED: Final = 2
_OPENID: Final = re.compile(r"o[A-Za-z0-9_-]{27}")


@dataclass(slots=True)
class Tag:
    """One tag; ``members`` keeps the order in which followers got it."""

    tag_id: int
    name: str
    members: dict[str, None] = field(default_factory=dict)

    def shown(self) -> Json:
        return {"id": self.tag_id, "name": self.name, "count": len(self.members)}


class Tags:
    """All tags of the account by number; new ones count from 100 and no number comes back."""

    def __init__(self) -> None:
        self.all: dict[int, Tag] = {_STARRED: Tag(_STARRED, "星标组")}
        self._last_id = 99

    def add(self, name: str) -> Tag:
        """A tag with the next number."""
        self._last_id += 1
        tag = self.all[self._last_id] = Tag(self._last_id, name)
        return tag

    def remove(self, tag_id: int) -> Tag:
        return self.all.pop(tag_id)

    def of_ours(self) -> int:
        """How many count against the ceiling."""
        return sum(1 for tag_id in self.all if tag_id not in _RESERVED)


def is_openid(text: Any) -> bool:
    """Whether this could be an openid of some account."""
    return isinstance(text, str) and _OPENID.fullmatch(text) is not None


def create(world: World, call: Call) -> Json:
    """``POST /cgi-bin/tags/create``."""
    name = _name(world, _sent(call).get("name"))
    if world.tags.of_ours() >= world.limits.tags:
        raise Refused(45056)
    tag = world.tags.add(name)
    return {"tag": {"id": tag.tag_id, "name": tag.name}}


def get(world: World, call: Call) -> Json:
    """``GET /cgi-bin/tags/get``."""
    return {"tags": [tag.shown() for tag in world.tags.all.values()]}


def update(world: World, call: Call) -> Json:
    """``POST /cgi-bin/tags/update``."""
    tag = _ours(world, _sent(call).get("id"))
    if _sent(call).get("name") != tag.name:
        tag.name = _name(world, _sent(call).get("name"))
    return OK


def delete(world: World, call: Call) -> Json:
    """``POST /cgi-bin/tags/delete``; its followers lose it, menus that name it match nobody."""
    tag = _ours(world, _sent(call).get("id"))
    if len(tag.members) > world.limits.tag_fans_deletable:
        raise Refused(45057)
    for openid in list(tag.members):
        world.followers[openid].tags.remove(tag.tag_id)
    world.tags.remove(tag.tag_id)
    return OK


def members(world: World, call: Call) -> Json:
    """``/cgi-bin/user/tag/get``: the followers of a tag, page by page."""
    source: Mapping[str, Any] = call.body if call.method == "POST" else call.args
    tag = _known(world, source.get("tagid"))
    return page(list(tag.members), str(source.get("next_openid") or ""), world.limits.page_size)


def page(openids: list[str], after: str, size: int) -> Json:
    """One page of a list; the last page names its last openid, the one after it is empty."""
    start = 0
    if after:
        if after not in openids:
            raise Refused(40003)
        start = openids.index(after) + 1
    shown = openids[start : start + size]
    if not shown:
        return {"count": 0, "next_openid": ""}
    return {"count": len(shown), "data": {"openid": shown}, "next_openid": shown[-1]}


def tag(world: World, call: Call) -> Json:
    """``POST /cgi-bin/tags/members/batchtagging``; a tag carried already keeps its place."""
    wanted = _known(world, call.body.get("tagid"))
    batch = _batch(world, call)
    most = world.limits.tags_per_follower
    if any(len(one.tags) >= most and wanted.tag_id not in one.tags for one in batch):
        raise Refused(45059)
    return _each(world, call, batch, lambda one: put(wanted, one))


def untag(world: World, call: Call) -> Json:
    """``POST /cgi-bin/tags/members/batchuntagging``."""
    wanted = _known(world, call.body.get("tagid"))
    return _each(world, call, _batch(world, call), lambda one: take(wanted, one))


def of_follower(world: World, call: Call) -> Json:
    """``POST /cgi-bin/tags/getidlist``; the order says nothing, as WeChat documents none."""
    return {"tagid_list": sorted(world.fan(call.body.get("openid")).tags, reverse=True)}


def put(wanted: Tag, follower: Follower) -> None:
    """Make this the follower's latest tag, unless it is carried already."""
    if wanted.tag_id not in follower.tags:
        follower.tags.append(wanted.tag_id)
        wanted.members[follower.openid] = None


def take(wanted: Tag, follower: Follower) -> None:
    """Take the tag off, if it is carried."""
    if wanted.tag_id in follower.tags:
        follower.tags.remove(wanted.tag_id)
        del wanted.members[follower.openid]


def openids_in(call: Call) -> list[str]:
    """The openids of a batch that are text at all."""
    sent = call.body.get("openid_list")
    return [each for each in sent if isinstance(each, str)] if isinstance(sent, list) else []


def _each(world: World, call: Call, batch: list[Follower], act: Callable[[Follower], None]) -> Json:
    """Do it for every follower but those a fault script made to fail."""
    failing = world.failing.intersection(one.openid for one in batch)
    for one in batch:
        if one.openid not in failing:
            act(one)
    if failing:
        raise Refused(45171, fail_openid_list=sorted(failing))
    return OK


def _batch(world: World, call: Call) -> list[Follower]:
    """Everybody named, or nobody: one openid that is not a follower's spoils the batch."""
    sent = call.body.get("openid_list")
    if not isinstance(sent, list) or not 1 <= len(sent) <= world.limits.tagging_batch:
        raise Refused(40032)
    if not all(is_openid(openid) for openid in sent):
        raise Refused(40003)
    found = [world.followers.get(openid) for openid in sent]
    fans = [one for one in found if one is not None and one.subscribed]
    if len(fans) < len(sent):
        raise Refused(49003)
    return fans


def _sent(call: Call) -> Mapping[str, Any]:
    sent = call.body.get("tag")
    if not isinstance(sent, dict):
        raise Refused(40035)
    return sent


def _known(world: World, sent: Any) -> Tag:
    found = world.tags.all.get(whole(sent) or -1)
    if found is None:
        raise Refused(45159)
    return found


def _ours(world: World, sent: Any) -> Tag:
    if whole(sent) in _RESERVED:
        raise Refused(45058)
    return _known(world, sent)


def _name(world: World, sent: Any) -> str:
    if not isinstance(sent, str) or not sent.strip():
        raise Refused(45157)
    if len(sent.encode()) > world.limits.tag_name_bytes:
        raise Refused(45158)
    if any(tag.name == sent for tag in world.tags.all.values()):
        raise Refused(45157)
    return sent
