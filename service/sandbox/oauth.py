"""Who is looking at a page: codes used once, page tokens, and what they may ask.

Source: the platform's pages on web authorisation. A code lives five minutes; a page's token is not
the account's token.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from service.sandbox.browsing import is_web_address
from service.sandbox.calls import OK, Call, Json, Refused
from service.sandbox.tokens import check_account

if TYPE_CHECKING:
    from service.sandbox.world import Follower, World

CODE_SECONDS: Final = 300
_TOKEN_SECONDS: Final = 7200
_REFRESH_SECONDS: Final = 30 * 86_400
_SCOPES: Final = ("snsapi_base", "snsapi_userinfo")
_STATE: Final = re.compile(r"[A-Za-z0-9]{0,128}")
#: WeChat insists on this order.
_ORDER: Final = ("appid", "redirect_uri", "response_type", "scope", "state")
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class NotAuthorised(Exception):
    """The follower is shown this sentence instead of being sent on."""


@dataclass(slots=True)
class Pass:
    """A code, page token or refresh token, and for whom it stands."""

    openid: str
    scope: str
    expires: float
    snapshot: bool = False
    used: bool = False


class Authorisations:
    """Every code and page token given out."""

    def __init__(self) -> None:
        self.codes: dict[str, Pass] = {}
        self.tokens: dict[str, Pass] = {}
        self.refreshers: dict[str, Pass] = {}

    def code(self, openid: str, scope: str, now: float, *, snapshot: bool) -> str:
        text = secrets.token_urlsafe(24)
        self.codes[text] = Pass(openid, scope, now + CODE_SECONDS, snapshot)
        return text

    def grant(self, who: Pass, now: float) -> Json:
        """A page token and its refresh token, for who is named by the pass."""
        token, refresher = secrets.token_urlsafe(80), secrets.token_urlsafe(80)
        self.tokens[token] = Pass(who.openid, who.scope, now + _TOKEN_SECONDS, who.snapshot)
        self.refreshers[refresher] = Pass(
            who.openid, who.scope, now + _REFRESH_SECONDS, who.snapshot
        )
        answer: Json = {
            "access_token": token,
            "expires_in": _TOKEN_SECONDS,
            "refresh_token": refresher,
            "openid": who.openid,
            "scope": who.scope,
        }
        if who.snapshot:
            answer["is_snapshotuser"] = 1
        return answer


def send_back(world: World, one: Follower, asked: Mapping[str, str]) -> str:
    """Where the follower goes on to, with a code.

    Raises:
        NotAuthorised: what WeChat shows for a wrong link.
    """
    _check_link(world, asked)
    now = world.now()
    snapshot = asked["scope"] == "snsapi_userinfo" and world.limits.snapshot_pages
    openid = "o" + secrets.token_urlsafe(21)[:27] if snapshot else one.openid
    code = world.authorisations.code(openid, asked["scope"], now, snapshot=snapshot)
    url = urlsplit(asked["redirect_uri"])
    query = [*parse_qsl(url.query, keep_blank_values=True), ("code", code)]
    query.append(("state", asked.get("state", "")))
    return urlunsplit(url._replace(query=urlencode(query)))


def access_token(world: World, call: Call) -> Json:
    """``GET /sns/oauth2/access_token``."""
    check_account(world, call.args.get("appid", ""), call.args.get("secret", ""))
    code = call.args.get("code", "")
    if not code:
        raise Refused(41008)
    if call.args.get("grant_type") != "authorization_code":
        raise Refused(40002)
    found = world.authorisations.codes.get(code)
    if found is None:
        raise Refused(40029)
    if found.used:
        raise Refused(40163)
    if call.at >= found.expires:
        raise Refused(42003)
    found.used = True
    return world.authorisations.grant(found, call.at)


def refresh_token(world: World, call: Call) -> Json:
    """``GET /sns/oauth2/refresh_token``."""
    if call.args.get("appid") != world.settings.wechat_appid:
        raise Refused(40013)
    found = world.authorisations.refreshers.get(call.args.get("refresh_token", ""))
    if found is None:
        raise Refused(40030)
    if call.at >= found.expires:
        raise Refused(42002)
    return world.authorisations.grant(found, call.at)


def user_info(world: World, call: Call) -> Json:
    """``GET /sns/userinfo``; sex and place are gone since October 2021."""
    found = _page_token(world, call)
    if found.scope != "snsapi_userinfo" or found.snapshot:
        raise Refused(48001)
    one = world.followers[found.openid]
    return {"openid": one.openid, "nickname": one.name, "headimgurl": "", "privilege": []}


def check(world: World, call: Call) -> Json:
    """``GET /sns/auth``."""
    _page_token(world, call)
    return OK


def _page_token(world: World, call: Call) -> Pass:
    token = call.args.get("access_token", "")
    if not token:
        raise Refused(41001)
    found = world.authorisations.tokens.get(token)
    if found is None:
        raise Refused(40001)
    if call.at >= found.expires:
        raise Refused(42001)
    if call.args.get("openid") != found.openid:
        raise Refused(40003)
    return found


def _check_link(world: World, asked: Mapping[str, str]) -> None:
    given = [name for name in asked if name in _ORDER]
    if given != [name for name in _ORDER if name in given]:
        raise NotAuthorised(
            "链接参数的顺序错误，应为 appid、redirect_uri、response_type、scope、state"
        )
    if asked.get("appid") != world.settings.wechat_appid:
        raise NotAuthorised("appid 参数错误，错误码：10013")
    if asked.get("response_type") != "code":
        raise NotAuthorised("response_type 参数错误，应为 code")
    if asked.get("scope") not in _SCOPES:
        raise NotAuthorised("Scope 参数错误或没有 Scope 权限，错误码：10005")
    state = asked.get("state", "")
    if not _STATE.fullmatch(state):
        raise NotAuthorised("state 参数只能是 128 字节以内的字母和数字")
    if not _is_our_host(world, asked.get("redirect_uri", "")):
        raise NotAuthorised("redirect_uri 域名与后台配置不一致，错误码：10003")


def _is_our_host(world: World, address: str) -> bool:
    """Whether the host is the one entered in the console, exactly; ports do not count there.

    On a developer's machine every loopback name is the same place.
    """
    if not is_web_address(address):
        return False
    ours = urlsplit(world.settings.public_base_url).hostname or ""
    allowed = set(world.limits.oauth_hosts or [ours])
    if allowed & set(_LOOPBACK):
        allowed |= set(_LOOPBACK)
    return urlsplit(address).hostname in allowed
