"""What a follower can do on the phone, what that changes on the platform, and what it pushes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from service.sandbox import payloads
from service.sandbox.buttons import KEYED
from service.sandbox.calls import Json
from service.sandbox.menus import Menu
from service.sandbox.payloads import PUSH_SERVICE, Pushed
from service.sandbox.qr import QrCode
from service.sandbox.world import Follower, World


class Impossible(Exception):
    """Something this follower cannot do now; the sentence is for whoever plays them."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What is pushed, in order, and what else is worth telling whoever plays the follower."""

    pushes: tuple[Pushed, ...] = ()
    about: Json = field(default_factory=dict)


#: The types that open the customer-service window when tapped.
_OPENING: Final = ("click", "scancode_push", "scancode_waitmsg")

_MESSAGE_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "text": {"content": "Content"},
    "image": {"url": "PicUrl", "media_id": "MediaId"},
    "voice": {"media_id": "MediaId", "format": "Format", "recognition": "Recognition"},
    "video": {"media_id": "MediaId", "thumb_media_id": "ThumbMediaId"},
    "shortvideo": {"media_id": "MediaId", "thumb_media_id": "ThumbMediaId"},
    "link": {"title": "Title", "description": "Description", "url": "Url"},
}
_SAMPLES: Final = {
    "MediaId": "sandbox-media",
    "ThumbMediaId": "sandbox-thumb",
    "PicUrl": "https://example.com/picture.jpg",
    "Format": "amr",
}


def subscribe(world: World, one: Follower, sent: Json) -> Deed:
    """Follow the account, by itself or through a QR code; who follows already stays as they are."""
    if one.subscribed:
        return Deed((), {"why": "已经关注了"})
    scene = str(sent.get("scene") or "")
    if sent.get("ticket"):
        scene = _code(world, sent).scene
    world.subscribe(one, scene)
    fields: Json = {"EventKey": ""}
    if scene:
        one.windows.open("scan", world.now(), world.limits)
        fields = {"EventKey": f"qrscene_{scene}", "Ticket": _ticket(world, scene)}
    world.say(one, "system", kind="event", content={"content": "你已关注公众号"})
    return Deed((_event(world, one, sent, "subscribe", fields),))


def unsubscribe(world: World, one: Follower, sent: Json) -> Deed:
    """Leave; tags and windows are gone at once."""
    if not one.subscribed:
        return Deed((), {"why": "没有关注"})
    world.unsubscribe(one)
    one.chat.clear()
    return Deed((_event(world, one, sent, "unsubscribe", {"EventKey": ""}),))


def location(world: World, one: Follower, sent: Json) -> Deed:
    """The phone reports where it is: ``lat``, ``lng`` exactly as given, ``precision`` in metres."""
    _must_follow(one)
    fields = payloads.location_event(
        _number(sent, "lat"), _number(sent, "lng"), _number(sent, "precision", 30.0)
    )
    return Deed((_event(world, one, sent, "LOCATION", fields),))


def message(world: World, one: Follower, sent: Json) -> Deed:
    """Write or send something; that opens the two-day window."""
    _must_follow(one)
    kind = str(sent.get("type") or "text")
    if kind == "location":
        fields: Json = payloads.location_message(
            _number(sent, "lat"), _number(sent, "lng"), str(sent.get("label", ""))
        )
    elif kind in _MESSAGE_FIELDS:
        fields = _message_fields(kind, sent)
    else:
        raise Impossible(f"没有 {kind} 这种消息")
    from_menu = kind == "text" and sent.get("bizmsgmenuid")
    if from_menu:
        fields["bizmsgmenuid"] = str(sent["bizmsgmenuid"])
    one.windows.open("click" if from_menu else "message", world.now(), world.limits)
    shown = {name: value for name, value in sent.items() if name not in _DIRECTIONS}
    world.say(one, "follower", kind=kind, content=shown)
    at, number = _at(world, sent), world.next_number()
    return Deed((payloads.message(world.gh_id, one.openid, at, number, kind, fields),))


def scan(world: World, one: Follower, sent: Json) -> Deed:
    """Scan a QR code by ``ticket`` or ``scene``; whoever does not follow yet, then does."""
    code = _code(world, sent)
    if not one.subscribed:
        return subscribe(world, one, {**sent, "scene": code.scene, "ticket": ""})
    one.windows.open("scan", world.now(), world.limits)
    world.enter_chat(one)
    fields = {"EventKey": code.scene, "Ticket": code.ticket}
    return Deed((_event(world, one, sent, "SCAN", fields),))


def click(world: World, one: Follower, sent: Json) -> Deed:
    """Tap a button with this ``key``, whatever the menu is now."""
    _must_follow(one)
    one.windows.open("click", world.now(), world.limits)
    fields = {"EventKey": str(sent.get("key", ""))}
    return Deed((_event(world, one, sent, "CLICK", fields),))


def view(world: World, one: Follower, sent: Json) -> Deed:
    """Tap a button that opens this ``url``, whatever the menu is now."""
    _must_follow(one)
    menu = world.menu_of(one)
    number = sent.get("menu_id") or (menu.menu_id if menu else 0)
    url = str(sent.get("url", ""))
    fields = {"EventKey": url, "MenuId": str(number)}
    return Deed((_event(world, one, sent, "VIEW", fields),), {"opens": url})


def tap(world: World, one: Follower, sent: Json) -> Deed:
    """Tap the button at ``index`` (``[2]`` or ``[2, 0]``) of the menu of this moment, or, with
    ``cached``, of the copy the follower's WeChat holds.
    """
    _must_follow(one)
    menu = one.cached_menu if sent.get("cached") else world.menu_of(one)
    button = _button(menu, sent.get("index"))
    kind = button.get("type")
    if menu is None or kind is None:
        return Deed((), {"outcome": "submenu", "why": "opening a submenu is not reported"})
    about: Json = {"button": button["name"]}
    if kind in _OPENING:
        one.windows.open("click", world.now(), world.limits)
    if kind == "view":
        viewed = view(world, one, {**sent, "url": button["url"], "menu_id": menu.menu_id})
        return Deed(viewed.pushes, {**about, **viewed.about})
    if kind == "miniprogram":
        fields = {"EventKey": button["pagepath"], "MenuId": str(menu.menu_id)}
        return Deed((_event(world, one, sent, "view_miniprogram", fields),), about)
    if kind not in KEYED:
        return Deed((), {**about, "outcome": "content", "why": "WeChat shows it by itself"})
    return Deed(_keyed(world, one, sent, kind, button["key"]), about)


def revoke(world: World, one: Follower, sent: Json) -> Deed:
    """Withdraw permissions on the account's page; ``info`` is WeChat's number, 206 the place.

    The push comes from WeChat's own sender and names the follower inside.
    """
    fields = {
        "OpenID": one.openid,
        "AppID": world.settings.wechat_appid,
        "RevokeInfo": str(sent.get("info", "206")),
    }
    at = _at(world, sent)
    return Deed(
        (payloads.event(world.gh_id, PUSH_SERVICE, at, "user_authorization_revoke", fields),)
    )


def event(world: World, one: Follower | None, sent: Json) -> Deed:
    """Any ``event`` with any ``fields``, from this follower or, without one, from WeChat."""
    fields = sent.get("fields") or {}
    if not isinstance(fields, dict) or not sent.get("event"):
        raise Impossible("an event needs its name and may have fields")
    openid, at = one.openid if one else PUSH_SERVICE, _at(world, sent)
    return Deed((payloads.event(world.gh_id, openid, at, str(sent["event"]), fields),))


def raw(world: World, one: Follower | None, sent: Json) -> Deed:
    """These very characters, signed and sealed like any other push."""
    openid = one.openid if one else PUSH_SERVICE
    return Deed((Pushed(openid, "event:raw", str(sent.get("xml", "")).encode()),))


#: What can be done, by the name the control API gives it.
DEEDS: Final[Mapping[str, Callable[[World, Follower, Json], Deed]]] = {
    "subscribe": subscribe,
    "unsubscribe": unsubscribe,
    "location": location,
    "message": message,
    "scan": scan,
    "click": click,
    "tap": tap,
    "view": view,
    "revoke": revoke,
    "event": event,
    "raw": raw,
}

#: What the control API is told about the push itself, not about the deed.
_DIRECTIONS: Final = ("times", "at", "quiet", "together")


def _keyed(world: World, one: Follower, sent: Json, kind: str, key: str) -> tuple[Pushed, ...]:
    name = "CLICK" if kind == "click" else kind
    pushed = _event(world, one, sent, name, payloads.button_event(kind, key, sent))
    if kind != "location_select":
        return (pushed,)
    # What was picked is also sent as an ordinary location message.
    place: Json = {name: sent[name] for name in ("lat", "lng", "label", "at") if name in sent}
    return (pushed, *message(world, one, {"lat": 0, "lng": 0, **place, "type": "location"}).pushes)


def _button(menu: Menu | None, index: Any) -> Json:
    if menu is None:
        raise Impossible("这位粉丝现在没有菜单")
    found: Json = {"sub_button": menu.buttons}
    steps = index if isinstance(index, list) else []
    for step in steps:
        below = found["sub_button"]
        if not isinstance(step, int) or not 0 <= step < len(below):
            raise Impossible("菜单里没有这个按钮")
        found = below[step]
    if not steps:
        raise Impossible("index is a list such as [2] or [2, 0]")
    return found


def _message_fields(kind: str, sent: Json) -> Json:
    named = _MESSAGE_FIELDS[kind]
    fields = {tag: str(sent[name]) for name, tag in named.items() if name in sent}
    return {tag: _SAMPLES[tag] for tag in named.values() if tag in _SAMPLES} | fields


def _code(world: World, sent: Json) -> QrCode:
    ticket, scene = str(sent.get("ticket") or ""), str(sent.get("scene") or "")
    if ticket:
        code = world.qr_codes.all.get(ticket)
        if code is None or not code.works(world.now()):
            raise Impossible("二维码不存在或已过期")
        return code
    if not scene:
        raise Impossible("scan needs a ticket or a scene")
    return world.qr_codes.for_scene(scene, world.now()) or world.qr_codes.add(scene, None)


def _ticket(world: World, scene: str) -> str:
    code = world.qr_codes.for_scene(scene, world.now()) or world.qr_codes.add(scene, None)
    return code.ticket


def _event(world: World, one: Follower, sent: Json, name: str, fields: Json) -> Pushed:
    return payloads.event(world.gh_id, one.openid, _at(world, sent), name, fields)


def _at(world: World, sent: Json) -> int:
    return int(sent.get("at") or world.now())


def _must_follow(one: Follower) -> None:
    if not one.subscribed:
        raise Impossible("这位粉丝没有关注公众号")


def _number(sent: Json, name: str, otherwise: float | None = None) -> float:
    value = sent.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Impossible(f"{name} must be a number")
    return float(value)
