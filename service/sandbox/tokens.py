"""Access tokens and tickets: the classic and the stable kind, their overlap, and who accepts them.

Source: the platform's pages on ``token`` and ``stable_token``. A forced refresh ends the previous
stable token at once; otherwise a replaced token works on for five minutes.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from service.sandbox.calls import Call, Json, Refused

if TYPE_CHECKING:
    from service.sandbox.world import World

Kind = Literal["classic", "stable"]

#: A stable token is renewed when less than this is left of it.
RENEW_SECONDS: Final = 300

_FORM: Final = re.compile(r"[A-Za-z0-9_-]{32,512}")


@dataclass(slots=True)
class Grant:
    """One token: when it runs out by itself, and when its successor ended it."""

    token: str
    expires: float
    replaced: float | None = None


class Tokens:
    """Every token given out, so that each can be refused for its own reason."""

    def __init__(self) -> None:
        self._known: dict[str, Grant] = {}
        self._latest: dict[Kind, Grant] = {}
        self._forced: list[float] = []
        self._ticket: Grant | None = None

    def check(self, token: str, now: float) -> None:
        """Let a good token pass.

        Raises:
            Refused: 41001 absent, 40014 malformed, 42001 expired, 40001 unknown or replaced.
        """
        if not token:
            raise Refused(41001)
        if not _FORM.fullmatch(token):
            raise Refused(40014)
        grant = self._known.get(token)
        if grant is None or (grant.replaced is not None and now >= grant.replaced):
            raise Refused(40001)
        if now >= grant.expires:
            raise Refused(42001)

    def classic(self, now: float, *, seconds: int, overlap: int) -> Grant:
        """A new token at every call; the one before works on for the overlap."""
        return self._issue("classic", now, seconds=seconds, old_until=now + overlap)

    def stable(self, now: float, *, seconds: int) -> Grant:
        """The same token until its last five minutes, which old and new then share."""
        latest = self._latest.get("stable")
        if latest and latest.replaced is None and latest.expires - now >= RENEW_SECONDS:
            return latest
        return self._issue("stable", now, seconds=seconds, old_until=now + RENEW_SECONDS)

    def forced(self, now: float, *, seconds: int, a_day: int, apart: int) -> Grant:
        """A new stable token that ends the old one at once.

        Raises:
            Refused: 45011 too soon after the last forced refresh, 45009 too many in a day.
        """
        if self._forced and now - self._forced[-1] < apart:
            raise Refused(45011)
        self._forced = [at for at in self._forced if now - at < 86_400]
        if len(self._forced) >= a_day:
            raise Refused(45009)
        self._forced.append(now)
        return self._issue("stable", now, seconds=seconds, old_until=now)

    def ticket(self, now: float, *, seconds: int) -> Grant:
        """The ``jsapi_ticket``: the same one until its last five minutes."""
        if self._ticket is None or self._ticket.expires - now < RENEW_SECONDS:
            self._ticket = Grant(secrets.token_urlsafe(64), now + seconds)
        return self._ticket

    @property
    def current_ticket(self) -> str | None:
        """The ticket pages must be signed with, if anybody asked for one yet."""
        return self._ticket.token if self._ticket else None

    def revoke_all(self, now: float) -> None:
        """End every token at once, as when the secret is reset in the console."""
        for grant in self._known.values():
            grant.replaced = now

    def _issue(self, kind: Kind, now: float, *, seconds: int, old_until: float) -> Grant:
        before = self._latest.get(kind)
        if before is not None:
            ends = before.replaced if before.replaced is not None else old_until
            before.replaced = min(ends, old_until)
        self._known = {
            token: grant for token, grant in self._known.items() if now - grant.expires < 86_400
        }
        grant = Grant(secrets.token_urlsafe(100), now + seconds)
        self._known[grant.token] = grant
        self._latest[kind] = grant
        return grant


def check_account(world: World, appid: str, secret: str) -> None:
    """Let the account itself pass.

    Raises:
        Refused: 41002, 41004 absent, 40013, 40125 wrong.
    """
    if not appid:
        raise Refused(41002)
    if not secret:
        raise Refused(41004)
    if appid != world.settings.wechat_appid:
        raise Refused(40013)
    if not secrets.compare_digest(secret.encode(), world.settings.wechat_secret.encode()):
        raise Refused(40125)


def token(world: World, call: Call) -> Json:
    """``GET /cgi-bin/token``."""
    if call.args.get("grant_type") != "client_credential":
        raise Refused(40002)
    check_account(world, call.args.get("appid", ""), call.args.get("secret", ""))
    grant = world.tokens.classic(
        call.at,
        seconds=world.limits.token_seconds,
        overlap=world.limits.token_overlap_seconds,
    )
    return _granted(grant, call.at)


def stable_token(world: World, call: Call) -> Json:
    """``POST /cgi-bin/stable_token``."""
    if call.word("grant_type") != "client_credential":
        raise Refused(40002)
    check_account(world, call.word("appid"), call.word("secret"))
    limits = world.limits
    if call.body.get("force_refresh") is True:
        grant = world.tokens.forced(
            call.at,
            seconds=limits.token_seconds,
            a_day=limits.forced_refreshes_a_day,
            apart=limits.forced_refresh_apart_seconds,
        )
    else:
        grant = world.tokens.stable(call.at, seconds=limits.token_seconds)
    return _granted(grant, call.at)


def ticket(world: World, call: Call) -> Json:
    """``GET /cgi-bin/ticket/getticket``."""
    if call.args.get("type") not in ("jsapi", "wx_card"):
        raise Refused(40035)
    grant = world.tokens.ticket(call.at, seconds=world.limits.token_seconds)
    left = int(grant.expires - call.at)
    return {"errcode": 0, "errmsg": "ok", "ticket": grant.token, "expires_in": left}


def page_signature(ticket_text: str, *, nonce: str, timestamp: str, url: str) -> str:
    """The JS-SDK's signature over a page address without its fragment."""
    text = f"jsapi_ticket={ticket_text}&noncestr={nonce}&timestamp={timestamp}&url={url}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _granted(grant: Grant, now: float) -> Json:
    return {"access_token": grant.token, "expires_in": int(grant.expires - now)}
