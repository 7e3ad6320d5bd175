"""What the account writes by itself: customer-service messages, the typing sign, templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from service.sandbox.calls import OK, Call, Json, Refused

if TYPE_CHECKING:
    from service.sandbox.world import Follower, World

TEXT_BYTES: Final = 2048
CLIENT_ID_BYTES: Final = 32
#: For how long a client_msg_id keeps a template from being sent twice; not documented exactly.
_CLIENT_ID_SECONDS: Final = 600
_TYPING_SECONDS: Final = 30

#: The fields each type of message must fill.
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("content",),
    "image": ("media_id",),
    "voice": ("media_id",),
    "video": ("media_id",),
    "music": ("musicurl", "hqmusicurl", "thumb_media_id"),
    "news": ("articles",),
    "mpnewsarticle": ("article_id",),
    "msgmenu": ("list",),
    "wxcard": ("card_id",),
    "miniprogrampage": ("appid", "pagepath", "thumb_media_id"),
}

#: Fields that hold a list of objects.
_LISTS: Final = ("articles", "list")

#: How long a template's value may be, by the kind of its field, in characters.
_VALUE_LENGTHS: Final = {
    "thing": 20,
    "character_string": 32,
    "phone_number": 17,
    "car_number": 8,
    "const": 20,
}


class Outbox:
    """What must be remembered of messages sent: idempotency keys of templates."""

    def __init__(self) -> None:
        self._sent: dict[tuple[str, str], tuple[int, float]] = {}

    def before(self, openid: str, key: str, now: float) -> int | None:
        """The number of the message sent under this key a short while ago."""
        msgid, at = self._sent.get((openid, key), (0, 0.0))
        return msgid if msgid and now - at < _CLIENT_ID_SECONDS else None

    def remember(self, openid: str, key: str, msgid: int, now: float) -> None:
        self._sent[openid, key] = (msgid, now)


def send(world: World, call: Call) -> Json:
    """``POST /cgi-bin/message/custom/send``."""
    one = _reader(world, call)
    kind = call.word("msgtype")
    if kind not in _NEEDED:
        raise Refused(40008)
    content = _content(kind, call.body.get(kind))
    if one.barred:
        raise Refused(62751)
    if one.muted:
        raise Refused(48002)
    one.windows.use(call.at)
    world.say(one, "account", kind=kind, content=content, through="customer-service")
    return OK


def typing(world: World, call: Call) -> Json:
    """``POST /cgi-bin/message/custom/typing``."""
    one = _reader(world, call)
    command = call.word("command")
    if command not in ("Typing", "CancelTyping"):
        raise Refused(45072)
    if call.at - one.windows.heard > _TYPING_SECONDS:
        raise Refused(45080)
    if command == "Typing" and one.windows.typing:
        raise Refused(45081)
    one.windows.typing = command == "Typing"
    return OK


def template(world: World, call: Call) -> Json:
    """``POST /cgi-bin/message/template/send``; a repeated ``client_msg_id`` sends nothing."""
    one = _reader(world, call)
    known, wanted = world.limits.templates, call.word("template_id")
    if not wanted or (known and wanted not in known):
        raise Refused(40037)
    if one.barred:
        raise Refused(43019)
    data = _values(call.body.get("data"))
    key = call.word("client_msg_id")
    if len(key.encode()) > CLIENT_ID_BYTES:
        raise Refused(40035)
    if key and (before := world.outbox.before(one.openid, key, call.at)):
        return {**OK, "msgid": before}
    msgid = world.next_number()
    if key:
        world.outbox.remember(one.openid, key, msgid, call.at)
    content = {"template_id": wanted, "data": data, "url": call.word("url")}
    if not one.muted:
        world.say(one, "account", kind="template", content=content, through="template")
    return {**OK, "msgid": msgid}


def _content(kind: str, sent: Any) -> Json:
    """What is to be sent, with all it needs and no more than it may have."""
    if not isinstance(sent, dict) or not all(sent.get(name) for name in _NEEDED[kind]):
        raise Refused(44004)
    for name in _LISTS:
        items = sent.get(name, [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise Refused(44004)
    if kind == "text" and len(str(sent["content"]).encode()) > TEXT_BYTES:
        raise Refused(45002)
    if kind == "news" and len(sent["articles"]) > 1:
        raise Refused(45008)
    return sent


def _reader(world: World, call: Call) -> Follower:
    openid = call.body.get("touser")
    one = world.followers.get(openid) if isinstance(openid, str) else None
    if one is None:
        raise Refused(40003)
    if not one.subscribed:
        raise Refused(43004)
    return one


def _values(sent: Any) -> dict[str, str]:
    if not isinstance(sent, dict) or not sent:
        raise Refused(47003, "argument invalid! data is empty")
    return {name: _value(name, field) for name, field in sent.items()}


def _value(name: str, field: Any) -> str:
    value = field.get("value") if isinstance(field, dict) else None
    text = "" if value is None else str(value)
    if not text.strip():
        raise Refused(47003, f"argument invalid! data.{name}.value is empty")
    kind = re.sub(r"\.?\d*$", "", name)
    if len(text) > _VALUE_LENGTHS.get(kind, TEXT_BYTES):
        raise Refused(47003, f"argument invalid! data.{name}.value invalid")
    return text
