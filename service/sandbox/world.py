"""The whole make-believe platform: one account, its followers, and what time it is there."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from flask import current_app

from config import Settings
from service import clock
from service.sandbox.browsing import Jars
from service.sandbox.calls import Json, Refused
from service.sandbox.exchanges import Exchanges
from service.sandbox.faults import FaultScript
from service.sandbox.limits import Limits
from service.sandbox.masses import Masses
from service.sandbox.menus import Menu, Menus
from service.sandbox.messages import Outbox
from service.sandbox.oauth import Authorisations
from service.sandbox.qr import QrCodes
from service.sandbox.quotas import Quotas
from service.sandbox.shorten import ShortKeys
from service.sandbox.tags import Tags, is_openid, take
from service.sandbox.tokens import Tokens
from service.sandbox.windows import Windows

#: WeChat asks for the menu again when its copy is older than this.
MENU_CACHE_SECONDS: Final = 300
_CHAT_LENGTH: Final = 500


@dataclass(slots=True)
class Follower:
    """Somebody with WeChat; follows the account or not.

    Attributes:
        tags: numbers in the order they were put on; the last one decides the menu.
        platform: 1 iOS, 2 Android, 3 other, as ``client_platform_type`` counts.
        place: where they are, as the phone page keeps it for ``wx.getLocation``.
        barred: on the account's blacklist.
        muted: turned the account's messages off (48002).
        cached_menu: the menu their WeChat fetched last, and when.
    """

    openid: str
    name: str
    platform: str = "2"
    subscribed: bool = False
    subscribed_at: float = 0.0
    scene: str = ""
    remark: str = ""
    barred: bool = False
    muted: bool = False
    tags: list[int] = field(default_factory=list)
    place: Json | None = None
    windows: Windows = field(default_factory=Windows)
    chat: deque[Json] = field(default_factory=lambda: deque(maxlen=_CHAT_LENGTH))
    cached_menu: Menu | None = None
    menu_fetched_at: float = 0.0


@dataclass(slots=True)
class Webhook:
    """Where and how events are pushed.

    Attributes:
        resends: how often an unanswered push is sent again.
        skew_seconds: added to the ``timestamp`` of the signature, to try out freshness.
        previous_key: seal with the EncodingAESKey before the last change.
        reports: push MASSSENDJOBFINISH and the like by itself.
    """

    url: str
    mode: str
    resends: int = 3
    deadline_seconds: float = 5.0
    skew_seconds: int = 0
    previous_key: bool = False
    reports: bool = False


class World:
    """Everything the sandbox knows. Whoever reads or writes holds :attr:`lock`, and not for long:
    nothing waits for the network with the lock in hand.
    """

    def __init__(self, settings: Settings, *, paths: Iterable[str] = ()) -> None:
        self.settings = settings
        #: Every API path there is, so that quotas can be asked for by path.
        self.paths = list(paths)
        self.lock = threading.RLock()
        #: Set when the sandbox closes, so that nobody is left hanging.
        self.closing = threading.Event()
        self.gh_id = "gh_" + hashlib.sha256(settings.wechat_appid.encode()).hexdigest()[:12]
        self.webhook = Webhook(settings.public_base_url + "/wechat", settings.wechat_mode)
        self.base_url = settings.wechat_oauth_base
        self.reset()

    def reset(self) -> None:
        """Begin again with an empty account; where events go to stays as it is."""
        self.offset = 0.0
        self.limits = Limits()
        self.quotas = Quotas()
        self.faults = FaultScript()
        self.exchanges = Exchanges()
        self.tokens = Tokens()
        self.followers: dict[str, Follower] = {}
        self.tags = Tags()
        self.menus = Menus()
        self.outbox = Outbox()
        self.masses = Masses()
        self.authorisations = Authorisations()
        self.qr_codes = QrCodes()
        self.short_keys = ShortKeys()
        self.jars = Jars()
        #: Openids that a tagging call is working on, and those a fault makes fail.
        self.in_hand: set[str] = set()
        self.failing: frozenset[str] = frozenset()
        self._last_message = 23_000_000_000_000_000 + secrets.randbelow(10**12)

    def now(self) -> float:
        """The sandbox's time in seconds since 1970."""
        return clock.now().timestamp() + self.offset

    def next_number(self) -> int:
        """The next MsgId."""
        self._last_message += 1
        return self._last_message

    def add_follower(
        self, openid: str = "", *, name: str = "", platform: str = "2", subscribed: bool = False
    ) -> Follower:
        """Somebody new with WeChat, who follows the account only if asked to (without an event).

        Raises:
            ValueError: the openid is taken, or not what an openid looks like.
        """
        openid = openid or "o" + secrets.token_urlsafe(21)[:27]
        if not is_openid(openid) or openid in self.followers:
            raise ValueError("an openid is 'o' and 27 letters, digits, '-' or '_', and not taken")
        if platform not in ("1", "2", "3"):
            raise ValueError("platform is 1 (iOS), 2 (Android) or 3 (other)")
        one = Follower(openid, name or f"粉丝{len(self.followers) + 1}", platform)
        self.followers[openid] = one
        if subscribed:
            self.subscribe(one)
        return one

    def subscribe(self, one: Follower, scene: str = "") -> None:
        """They follow the account; WeChat fetches the menu at once."""
        one.subscribed, one.subscribed_at, one.scene = True, self.now(), scene
        one.windows.open("follow", self.now(), self.limits)
        self.fetch_menu(one)

    def unsubscribe(self, one: Follower) -> None:
        """They leave, and their tags with them."""
        one.subscribed = False
        for tag_id in list(one.tags):
            take(self.tags.all[tag_id], one)
        one.windows.close()
        one.cached_menu = None

    def follower_called(self, name: str) -> Follower | None:
        return next((one for one in self.followers.values() if one.name == name), None)

    def fan(self, openid: Any) -> Follower:
        """Somebody who follows the account.

        Raises:
            Refused: 40003 no openid, 49003 another account's, 46004 does not follow (any more).
        """
        if not is_openid(openid):
            raise Refused(40003)
        one = self.followers.get(openid)
        if one is None:
            raise Refused(49003)
        if not one.subscribed:
            raise Refused(46004)
        return one

    def menu_of(self, one: Follower) -> Menu | None:
        """The menu the platform would give this follower now."""
        if not one.subscribed:
            return None
        return self.menus.of(tag=one.tags[-1] if one.tags else None, platform=one.platform)

    def fetch_menu(self, one: Follower) -> None:
        """Their WeChat takes the menu of this moment."""
        one.cached_menu, one.menu_fetched_at = self.menu_of(one), self.now()

    def enter_chat(self, one: Follower) -> bool:
        """They open the chat; says whether WeChat found its copy of the menu too old."""
        stale = self.now() - one.menu_fetched_at > MENU_CACHE_SECONDS
        if stale:
            self.fetch_menu(one)
        return stale

    def say(self, one: Follower, by: str, **content: Any) -> None:
        """Put something into their chat: ``by`` is follower, account or system."""
        one.chat.append({"at": self.now(), "by": by, **content})

    @contextmanager
    def handling(self, openids: Iterable[str]) -> Iterator[None]:
        """Keep two tagging calls from working on the same follower at the same time.

        Raises:
            Refused: 45169, as WeChat answers the second of them.
        """
        wanted = set(openids)
        with self.lock:
            if self.in_hand & wanted:
                raise Refused(45169)
            self.in_hand |= wanted
        try:
            yield
        finally:
            with self.lock:
                self.in_hand -= wanted


def world() -> World:
    """The world of the sandbox that is serving this request."""
    found: World = current_app.extensions["world"]
    return found
