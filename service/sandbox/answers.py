"""What the account's server answered to a push, judged as strictly as WeChat judges it."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Final

from service.sandbox.calls import Json
from service.sandbox.messages import TEXT_BYTES
from service.sandbox.payloads import Pushed
from service.wechat.envelope import Envelope, EnvelopeRefused, is_signed

#: What the follower reads when the server gave no answer, or one that is no answer.
NOTICE: Final = "该公众号提供的服务出现故障，请稍后再试"

#: Events whose answer WeChat shows to nobody.
SILENT: Final = frozenset({"event:LOCATION", "event:VIEW", "event:view_miniprogram"})
#: Events nobody sits in front of the chat for, so not even a failure is shown.
UNSEEN: Final = SILENT | {
    "event:unsubscribe",
    "event:MASSSENDJOBFINISH",
    "event:TEMPLATESENDJOBFINISH",
    "event:user_authorization_revoke",
}

_MEDIA: Final = {"image": "Image", "voice": "Voice"}
_EVENT_ARTICLES: Final = 8


class Malformed(Exception):
    """An answer at which WeChat shows its notice; says what is wrong with it."""


def read(
    body: bytes, pushed: Pushed, *, gh_id: str, envelope: Envelope, token: str, mode: str
) -> Json | None:
    """The reply in the answer, or None for ``success`` and for an empty answer.

    Raises:
        Malformed: neither of the two nor a reply WeChat would deliver.
    """
    if body in (b"", b"success"):
        return None
    if not body.startswith(b"<xml>"):
        raise Malformed("the answer must be 'success', empty, or begin with <xml>")
    root = _tree(body)
    if root.find("Encrypt") is not None:
        root = _tree(_opened(root, envelope, token))
    elif mode == "safe":
        raise Malformed("in safe mode a reply must be encrypted")
    if _text(root, "ToUserName") != pushed.openid or _text(root, "FromUserName") != gh_id:
        raise Malformed("ToUserName and FromUserName must be those of the push, swapped")
    if not _text(root, "CreateTime").isdigit():
        raise Malformed("CreateTime must be whole seconds")
    kind = _text(root, "MsgType")
    reader = _READERS.get(kind)
    if reader is None:
        raise Malformed(f"there is no reply of the type {kind!r}")
    return {"type": kind, **reader(root, pushed)}


def _opened(root: ElementTree.Element, envelope: Envelope, token: str) -> bytes:
    parts = [_text(root, name) for name in ("TimeStamp", "Nonce", "Encrypt")]
    if not is_signed(_text(root, "MsgSignature"), token, *parts):
        raise Malformed("the signature of the reply is wrong")
    try:
        return envelope.open(parts[2])
    except EnvelopeRefused as refused:
        raise Malformed(f"the reply cannot be decrypted: {refused.fault}") from None


def _tree(document: bytes) -> ElementTree.Element:
    if b"<!DOCTYPE" in document:
        raise Malformed("a reply has no document type")
    try:
        # Without a document type, which was refused above, there are no entities to expand.
        return ElementTree.fromstring(document)  # noqa: S314
    except (ElementTree.ParseError, ValueError):
        raise Malformed("the reply is not well-formed XML") from None


def _text(root: ElementTree.Element, path: str) -> str:
    return root.findtext(path) or ""


def _words(root: ElementTree.Element, _pushed: Pushed) -> Json:
    content = _text(root, "Content")
    if not content:
        raise Malformed("Content is empty")
    if len(content.encode()) > TEXT_BYTES:
        raise Malformed(f"Content is longer than {TEXT_BYTES} bytes")
    return {"content": content}


def _media(root: ElementTree.Element, _pushed: Pushed) -> Json:
    media_id = _text(root, f"{_MEDIA[_text(root, 'MsgType')]}/MediaId")
    if not media_id:
        raise Malformed("MediaId is missing")
    return {"media_id": media_id}


def _video(root: ElementTree.Element, _pushed: Pushed) -> Json:
    if not _text(root, "Video/MediaId"):
        raise Malformed("MediaId is missing")
    return {"media_id": _text(root, "Video/MediaId"), "title": _text(root, "Video/Title")}


def _music(root: ElementTree.Element, _pushed: Pushed) -> Json:
    if not _text(root, "Music/ThumbMediaId"):
        raise Malformed("ThumbMediaId is missing")
    return {"title": _text(root, "Music/Title"), "url": _text(root, "Music/MusicUrl")}


def _news(root: ElementTree.Element, pushed: Pushed) -> Json:
    articles = [
        {
            "title": _text(item, "Title"),
            "description": _text(item, "Description"),
            "picture": _text(item, "PicUrl"),
            "url": _text(item, "Url"),
        }
        for item in root.findall("Articles/item")
    ]
    most = 1 if pushed.is_message else _EVENT_ARTICLES
    if _text(root, "ArticleCount") != str(len(articles)) or not 1 <= len(articles) <= most:
        raise Malformed(f"here a card has 1 to {most} articles, and ArticleCount says how many")
    if not all(article["title"] for article in articles):
        raise Malformed("an article has no title")
    return {"articles": articles}


def _handed_to_platform(root: ElementTree.Element, pushed: Pushed) -> Json:
    if not pushed.is_message:
        raise Malformed("an event cannot be handed to the platform's own answers")
    return {}


def _handed_over(root: ElementTree.Element, pushed: Pushed) -> Json:
    if not pushed.is_message:
        raise Malformed("an event cannot be handed to a person")
    return {"account": _text(root, "TransInfo/KfAccount")}


_READERS: Final[dict[str, Callable[[ElementTree.Element, Pushed], Json]]] = {
    "text": _words,
    "image": _media,
    "voice": _media,
    "video": _video,
    "music": _music,
    "news": _news,
    "transfer_customer_service": _handed_over,
    "transfer_biz_ai_ivr": _handed_to_platform,
}
