"""What WeChat's pushes mean and what it is answered: fields become facts, replies become XML.

Tolerant about content: unknown types and fields are acknowledged, as the platform adds to them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta

from service import clock
from service.happenings import (
    AccountWarned,
    Clicked,
    Fact,
    LocationReported,
    MediaReceived,
    MessageSettled,
    OpenId,
    OtherHeard,
    PermissionRevoked,
    Scanned,
    Subscribed,
    Surface,
    TextReceived,
    Unfollowed,
    Viewed,
)
from service.replies import HandOver, News, Reply, Text
from service.wechat.fields import Fields, Unreadable

_TEXT_BYTES = 2048
#: An event this far ahead of our clock is taken as of now: it would silence every later one.
_AHEAD = timedelta(minutes=10)


def fact_in(fields: Fields) -> Fact:
    """The fact a push states.

    Raises:
        Unreadable: a field that the fact cannot do without is missing or not of its kind.
    """
    kind = _needed(fields, "MsgType").strip().lower()
    if kind != "event":
        return _MESSAGES.get(kind, _other)(fields)
    event = _needed(fields, "Event").strip().lower()
    if event in _ACCOUNT_EVENTS:
        return AccountWarned(*_who_when(fields), event=event)
    return _EVENTS.get(event, _other)(fields)


def identity_of(fields: Fields) -> str:
    """What tells this push from every other: the same for each of its deliveries.

    Messages have a ``MsgId``. Events have none, and WeChat's own advice (sender and second) drops
    real events, so every field counts: retries repeat the body unchanged.
    """
    sender = fields.get("FromUserName", "")
    if message_id := fields.get("MsgId"):
        return f"message\n{sender}\n{message_id}"
    return "event\n" + "\n".join(f"{name}={fields[name]}" for name in sorted(fields))


def _who_when(fields: Fields) -> tuple[OpenId, datetime]:
    # The permission events come from WeChat's own sender and name the follower inside.
    openid = fields.get("OpenID") or _needed(fields, "FromUserName")
    if not 1 <= len(openid) <= 64 or not openid.isascii():
        raise Unreadable("FromUserName")
    try:
        at = clock.from_epoch(int(_needed(fields, "CreateTime")))
    except (ValueError, OverflowError, OSError):
        raise Unreadable("CreateTime") from None
    now = clock.now()
    return OpenId(openid), at if at <= now + _AHEAD else now


def _needed(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if not value:
        raise Unreadable(name)
    return value


def _degrees(fields: Fields, name: str, limit: float) -> float:
    value = _number(fields, name)
    if not -limit <= value <= limit:
        raise Unreadable(name)
    return value


def _number(fields: Fields, name: str) -> float:
    try:
        value = float(_needed(fields, name))
    except ValueError:
        raise Unreadable(name) from None
    if not math.isfinite(value):
        raise Unreadable(name)
    return value


def _location_event(fields: Fields) -> Fact:
    return LocationReported(
        *_who_when(fields),
        latitude=_degrees(fields, "Latitude", 90.0),
        longitude=_degrees(fields, "Longitude", 180.0),
        precision_m=_number(fields, "Precision") if fields.get("Precision") else None,
    )


def _location_message(fields: Fields) -> Fact:
    # WeChat's X is the latitude and its Y the longitude.
    return LocationReported(
        *_who_when(fields),
        latitude=_degrees(fields, "Location_X", 90.0),
        longitude=_degrees(fields, "Location_Y", 180.0),
        surface=Surface.MESSAGE,
        label=fields.get("Label", ""),
    )


def _subscribe(fields: Fields) -> Fact:
    scene = fields.get("EventKey", "")
    return Subscribed(
        *_who_when(fields),
        scene=scene.removeprefix("qrscene_") if scene.startswith("qrscene_") else None,
    )


def _text(fields: Fields) -> Fact:
    return TextReceived(
        *_who_when(fields),
        content=fields.get("Content", ""),
        menu_item=fields.get("bizmsgmenuid") or None,
    )


def _media(fields: Fields) -> Fact:
    return MediaReceived(
        *_who_when(fields),
        kind=fields["MsgType"].strip().lower(),
        said=fields.get("Recognition", ""),
    )


def _other(fields: Fields) -> Fact:
    kind = fields.get("Event") or fields.get("MsgType", "")
    return OtherHeard(*_who_when(fields), kind=kind.lower())


def _settled(fields: Fields) -> Fact:
    return MessageSettled(
        *_who_when(fields),
        kind=fields["Event"].lower(),
        message_id=fields.get("MsgID", ""),
        status=fields.get("Status", ""),
        total=_count(fields, "TotalCount"),
        ready=_count(fields, "FilterCount"),
        sent=_count(fields, "SentCount"),
        failed=_count(fields, "ErrorCount"),
    )


def _count(fields: Fields, name: str) -> int:
    """A number of followers; what is missing or no number counts as none."""
    value = fields.get(name, "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def _revoked(fields: Fields) -> Fact:
    permissions = fields.get("RevokeInfo", "").replace(",", " ").split()
    return PermissionRevoked(
        *_who_when(fields),
        permissions=frozenset(permissions),
    )


_MESSAGES: dict[str, Callable[[Fields], Fact]] = {
    "text": _text,
    "image": _media,
    "voice": _media,
    "video": _media,
    "shortvideo": _media,
    "link": _media,
    "location": _location_message,
}

_EVENTS: dict[str, Callable[[Fields], Fact]] = {
    "subscribe": _subscribe,
    "unsubscribe": lambda f: Unfollowed(*_who_when(f)),
    "scan": lambda f: Scanned(*_who_when(f), scene=f.get("EventKey", "")),
    "location": _location_event,
    "click": lambda f: Clicked(*_who_when(f), key=_needed(f, "EventKey")),
    "view": lambda f: Viewed(*_who_when(f), url=f.get("EventKey", ""), menu_id=f.get("MenuId", "")),
    "masssendjobfinish": _settled,
    "templatesendjobfinish": _settled,
    "user_authorization_revoke": _revoked,
    # Whoever closes their WeChat account leaves nothing behind either.
    "user_authorization_cancellation": lambda f: Unfollowed(*_who_when(f)),
}

#: Losing the verification loses tags, conditional menus and customer-service messages.
_ACCOUNT_EVENTS = frozenset(
    {
        "qualification_verify_success",
        "qualification_verify_fail",
        "naming_verify_success",
        "naming_verify_fail",
        "annual_renew",
        "verify_expired",
    }
)


def xml_of(reply: Reply, *, to: str, sender: str, at: int) -> bytes:
    """The reply as WeChat wants it, inside or without an envelope; ``at`` in seconds since 1970."""
    head = (
        f"<xml><ToUserName>{_cdata(to)}</ToUserName><FromUserName>{_cdata(sender)}</FromUserName>"
        f"<CreateTime>{at}</CreateTime>"
    )
    return f"{head}{_body(reply)}</xml>".encode()


def _body(reply: Reply) -> str:
    match reply:
        case Text(content):
            return f"<MsgType>{_cdata('text')}</MsgType><Content>{_cdata(_cut(content))}</Content>"
        case News(articles):
            items = "".join(
                f"<item><Title>{_cdata(a.title)}</Title>"
                f"<Description>{_cdata(a.description)}</Description>"
                f"<PicUrl>{_cdata(a.picture)}</PicUrl><Url>{_cdata(a.url)}</Url></item>"
                for a in articles
            )
            return (
                f"<MsgType>{_cdata('news')}</MsgType><ArticleCount>{len(articles)}</ArticleCount>"
                f"<Articles>{items}</Articles>"
            )
        case HandOver(account):
            to = f"<TransInfo><KfAccount>{_cdata(account)}</KfAccount></TransInfo>"
            return (
                f"<MsgType>{_cdata('transfer_customer_service')}</MsgType>{to if account else ''}"
            )


def _cdata(text: str) -> str:
    inner = _printable(text).replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{inner}]]>"


def _printable(text: str) -> str:
    """Without the control characters that XML 1.0 cannot carry."""
    if text.isprintable():
        return text
    return "".join(c for c in text if c in "\n\t" or (c >= " " and not _is_unfit(c)))


def _is_unfit(character: str) -> bool:
    return "\ud800" <= character <= "\udfff" or character in "\ufffe\uffff"


def _cut(content: str) -> str:
    """At most 2,048 bytes, ending on a whole character: WeChat drops longer replies."""
    encoded = content.encode("utf-8", "ignore")
    if len(encoded) <= _TEXT_BYTES:
        return encoded.decode()
    return encoded[: _TEXT_BYTES - 3].decode("utf-8", "ignore") + "…"
