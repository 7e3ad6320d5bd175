"""What the account may ask about its followers: lists, particulars, remarks, the blacklist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from service.sandbox.calls import OK, Call, Json, Refused
from service.sandbox.tags import is_openid, openids_in, page

if TYPE_CHECKING:
    from service.sandbox.world import Follower, World

_INFO_BATCH: Final = 100
_REMARK_CHARACTERS: Final = 30


def everyone(world: World, call: Call) -> Json:
    """``GET /cgi-bin/user/get``."""
    fans = [one.openid for one in world.followers.values() if one.subscribed]
    after = call.args.get("next_openid", "")
    return {"total": len(fans), **page(fans, after, world.limits.page_size)}


def info(world: World, call: Call) -> Json:
    """``GET /cgi-bin/user/info``."""
    return _particulars(_known(world, call.args.get("openid")))


def infos(world: World, call: Call) -> Json:
    """``POST /cgi-bin/user/info/batchget``."""
    sent = call.body.get("user_list")
    if not isinstance(sent, list) or not 1 <= len(sent) <= _INFO_BATCH:
        raise Refused(40032)
    wanted = [each.get("openid") if isinstance(each, dict) else None for each in sent]
    return {"user_info_list": [_particulars(_known(world, openid)) for openid in wanted]}


def remark(world: World, call: Call) -> Json:
    """``POST /cgi-bin/user/info/updateremark``."""
    text = call.word("remark")
    if len(text) >= _REMARK_CHARACTERS:
        raise Refused(40035)
    world.fan(call.body.get("openid")).remark = text
    return OK


def blacklist(world: World, call: Call) -> Json:
    """``POST /cgi-bin/tags/members/getblacklist``."""
    barred = [one.openid for one in world.followers.values() if one.barred]
    after = call.word("begin_openid")
    return {"total": len(barred), **page(barred, after, world.limits.page_size)}


def bar(world: World, call: Call) -> Json:
    """``POST /cgi-bin/tags/members/batchblacklist``."""
    for one in _batch(world, call):
        one.barred = True
    return OK


def unbar(world: World, call: Call) -> Json:
    """``POST /cgi-bin/tags/members/batchunblacklist``."""
    for one in _batch(world, call):
        one.barred = False
    return OK


def _batch(world: World, call: Call) -> list[Follower]:
    sent = openids_in(call)
    if not 1 <= len(sent) <= world.limits.blacklist_batch:
        raise Refused(40032)
    if not all(is_openid(openid) for openid in sent):
        raise Refused(40003)
    found = [world.followers[openid] for openid in sent if openid in world.followers]
    if len(found) < len(sent):
        raise Refused(49003)
    return found


def _known(world: World, openid: Any) -> Follower:
    found = world.followers.get(openid) if is_openid(openid) else None
    if found is None:
        raise Refused(40003)
    return found


def _particulars(one: Follower) -> Json:
    """Names, pictures, sex and place have been empty or absent since the end of 2021."""
    if not one.subscribed:
        return {"subscribe": 0, "openid": one.openid}
    return {
        "subscribe": 1,
        "openid": one.openid,
        "nickname": "",
        "language": "zh_CN",
        "headimgurl": "",
        "subscribe_time": int(one.subscribed_at),
        "remark": one.remark,
        "groupid": one.tags[0] if one.tags else 0,
        "tagid_list": sorted(one.tags, reverse=True),
        **_scene(one.scene),
    }


def _scene(scene: str) -> Mapping[str, Any]:
    if not scene:
        return {"subscribe_scene": "ADD_SCENE_SEARCH", "qr_scene": 0, "qr_scene_str": ""}
    number = int(scene) if scene.isascii() and scene.isdigit() else 0
    return {
        "subscribe_scene": "ADD_SCENE_QR_CODE",
        "qr_scene": number,
        "qr_scene_str": "" if number else scene,
    }
