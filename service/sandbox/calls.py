"""What an API call brings along, and how WeChat says no to one.

The codes and their sentences are those of the platform's list of global return codes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from service.sandbox.world import World

Json = dict[str, Any]

OK: Final = {"errcode": 0, "errmsg": "ok"}

#: WeChat's sentence for each code the sandbox can answer.
WORDS: Final[Mapping[int, str]] = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40015: "invalid menu type",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40022: "invalid sub button level",
    40023: "invalid sub button size",
    40024: "invalid sub button type",
    40025: "invalid sub button name size",
    40026: "invalid sub button key size",
    40027: "invalid sub button url size",
    40029: "invalid code",
    40030: "invalid refresh_token",
    40032: "invalid openid list size",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40035: "invalid parameter",
    40037: "invalid template_id",
    40053: "invalid action info",
    40054: "invalid sub button url domain",
    40055: "invalid button url domain",
    40066: "invalid url",
    40117: "invalid media_id size",
    40118: "invalid media_id size",
    40125: "invalid appsecret",
    40130: "invalid openid list size, at least two openid",
    40163: "code been used",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41007: "menu data missing",
    41008: "missing code",
    41009: "missing openid",
    41030: "invalid page",
    42001: "access_token expired",
    42002: "refresh_token expired",
    42003: "code expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43019: "require remove blacklist",
    44002: "empty post data",
    44004: "empty content",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45029: "qrcode count out of limit",
    45047: "out of response count limit",
    45056: "can not create tag, the number of tags is out of limit",
    45057: "tag fans more than 100000, can not be deleted",
    45058: "can not modify sys tag",
    45059: "can not tag this user, the number of tags is out of limit",
    45064: "no permission to use weapp in menu",
    45065: "clientmsgid exist",
    45066: "same clientmsgid retry too fast",
    45067: "clientmsgid size out of limit",
    45072: "invalid command",
    45080: "can not send typing command without interaction within 30 seconds",
    45081: "already in typing status",
    45157: "invalid tag name",
    45158: "tag name too long",
    45159: "invalid tag id",
    45169: "openid much req",
    45171: "some openid fail",
    46003: "menu no exist",
    46004: "user not exist",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    48002: "user block the receive of messages",
    48006: "forbid to clear quota because of reaching the limit",
    49003: "openid not match appid",
    62751: "the user is on the blacklist",
    65301: "this menuid is not a conditional menu",
    65302: "no this user",
    65303: "there is no selfmenu, please create selfmenu first",
    65304: "match rule empty",
    65305: "menu count limit",
    65307: "conditional menu is empty",
    65308: "exist empty button",
    65315: "not fans",
    65316: "url domains of conditional menus are out of limit",
    65320: "match rule violates privacy",
    76001: "rid not found",
    76002: "rid is empty or invalid format",
    76003: "cgi_path is invalid",
    76004: "rid expired",
    76021: "cgi_path not found",
    76022: "no permission to query this cgi_path",
    89504: "mass send needs the administrator's confirmation",
    9410010: "long data too long",
    9410011: "expire seconds too long",
    9410012: "short key not found or expired",
}


class Refused(Exception):
    """WeChat's refusal of a call; ``extra`` joins the answer, ``detail`` replaces the sentence."""

    def __init__(self, errcode: int, detail: str = "", **extra: Any) -> None:
        self.errcode = errcode
        self.detail = detail or WORDS.get(errcode, "unknown error")
        self.extra = extra
        super().__init__(f"{errcode} {self.detail}")

    def answer(self, rid: str) -> Json:
        """The body WeChat answers with; every refusal names the request it refuses."""
        return {"errcode": self.errcode, "errmsg": f"{self.detail} rid: {rid}", **self.extra}


@dataclass(frozen=True, slots=True)
class Call:
    """One API call after its credential and form were found good; ``at`` is the sandbox's time."""

    path: str
    at: float
    args: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    method: str = "POST"

    def word(self, name: str) -> str:
        """A field of the body as text; numbers count as their digits, all else as nothing."""
        value = self.body.get(name, "")
        if isinstance(value, bool) or not isinstance(value, str | int):
            return ""
        return str(value)


Handler = Callable[["World", Call], Json]


def whole(value: Any) -> int | None:
    """A whole number given as a number or as its digits, as WeChat takes either."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return None


def new_rid() -> str:
    """A request id in WeChat's form."""
    return "-".join(secrets.token_hex(4) for _ in range(3))
