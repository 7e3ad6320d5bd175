"""What we can ask of WeChat, in our words: menus, tags, followers, messages, codes.

Every verb ends within :data:`~service.wechat.client.CALL_SECONDS` and raises only what
:mod:`service.wechat.errors` names. Verbs that must not be repeated blindly raise ``Unsettled`` when
no answer came; the caller then looks at what WeChat has before asking again.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from service.delivery.quotas import Allowance, Quota
from service.happenings import OpenId
from service.replies import Article
from service.wechat.client import AccountClient
from service.wechat.errors import NotAFollower, PartlyDone, SentBefore, TryLater, WillNever
from service.wiring import Wiring

#: How many openids WeChat takes in one call that tags or untags.
BATCH: Final = 50
#: How few and how many it takes in one mass message by list.
MASS_LEAST: Final = 2
MASS_MOST: Final = 10_000

#: Whether this thread holds a transaction open, in which no call to WeChat may be made: it would
#: keep locks for seconds, and could not be undone together with the transaction.
transaction_open: ContextVar[bool] = ContextVar("transaction_open", default=False)

_NO_MENU: Final = 46003
_GONE_MENU: Final = 65301
_GONE_TAG: Final = 45159


@dataclass(frozen=True, slots=True)
class Tag:
    """One of the account's tags; ``count`` is how many followers bear it."""

    id: int
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Identified:
    """Who opened a page. A snapshot is nobody in particular and must not be bound to anything."""

    openid: OpenId
    is_snapshot: bool


class Gateway:
    """The account's verbs. One per process, shared by its threads."""

    def __init__(self, wiring: Wiring) -> None:
        self._allowance = Allowance(wiring)
        self._account = AccountClient(wiring, self._allowance)

    @property
    def _client(self) -> AccountClient:
        if transaction_open.get():
            raise RuntimeError("a transaction is open; WeChat must be called outside of it")
        return self._account

    # Menus

    def create_menu(self, buttons: Sequence[Mapping[str, Any]]) -> None:
        """Put this default menu in place of the old one; conditional menus stay."""
        self._client.menu.create({"button": buttons})

    def menus(self) -> dict[str, Any]:
        """The default and the conditional menus made through the API; empty when there is none."""
        try:
            return dict(self._client.get("menu/get"))
        except WillNever as refused:
            if refused.errcode == _NO_MENU:
                return {}
            raise

    def current_menu(self) -> dict[str, Any]:
        """The menu followers see, even one made by hand in WeChat's console."""
        return dict(self._client.menu.get_menu_info())

    def add_conditional(self, buttons: Sequence[Mapping[str, Any]], *, tag_id: int) -> str:
        """Add a menu for those who bear a tag, and return its id.

        Raises:
            MenuCeilingReached: when the account holds as many as it may.
            NoDefaultMenu: when there is no default menu yet.
            Unsettled: when no answer came; look for the menu in :meth:`menus`.
        """
        # WeChat's own samples give the tag as text.
        rule = {"tag_id": str(tag_id)}
        answer = self._client.menu.add_conditional({"button": buttons, "matchrule": rule})
        return str(answer["menuid"])

    def delete_conditional(self, menu_id: str) -> None:
        """Take one conditional menu away; one that is gone already is no fault."""
        try:
            self._client.menu.del_conditional(menu_id)
        except WillNever as refused:
            if refused.errcode != _GONE_MENU:
                raise

    def try_match(self, openid: OpenId) -> list[dict[str, Any]]:
        """The buttons this follower would see."""
        answer = self._client.menu.try_match(openid)
        # Real answers are {"button": […]}; copies of the documentation also show it under "menu".
        return list(answer.get("button") or answer.get("menu", {}).get("button", ()))

    # Tags

    def tags(self) -> list[Tag]:
        """All the account's tags, WeChat's own and other people's among them."""
        answer = self._client.get("tags/get")
        return [
            Tag(int(tag["id"]), str(tag["name"]), int(tag.get("count", 0)))
            for tag in answer.get("tags", ())
        ]

    def create_tag(self, name: str) -> int:
        """Make a tag, and return the number WeChat gave it.

        Raises:
            NameTaken: when there is one of this name; find it in :meth:`tags`.
            Unsettled: when no answer came; look in :meth:`tags`.
        """
        return int(self._client.tag.create(name)["id"])

    def rename_tag(self, tag_id: int, name: str) -> None:
        self._client.tag.update(tag_id, name)

    def delete_tag(self, tag_id: int) -> None:
        """Delete a tag with at most 100,000 followers; one that is gone already is no fault."""
        try:
            self._client.tag.delete(tag_id)
        except WillNever as refused:
            if refused.errcode != _GONE_TAG:
                raise

    def tag(self, openids: Sequence[OpenId], tag_id: int) -> None:
        """Give at most 50 followers a tag.

        Raises:
            NotAFollower: when one of them is not, and then *nobody* was tagged;
                :meth:`tag_each` finds out who.
            PartlyDone: when some were not tagged.
        """
        self._client.tag.tag_user(tag_id, _batch(openids))

    def untag(self, openids: Sequence[OpenId], tag_id: int) -> None:
        """Take a tag from at most 50 followers; raises as :meth:`tag` does."""
        self._client.tag.untag_user(tag_id, _batch(openids))

    def tag_each(
        self, openids: Sequence[OpenId], tag_id: int
    ) -> dict[OpenId, TryLater | WillNever]:
        """Tag any number of followers, halving batches until those who spoil them are found.

        Returns:
            Who was not tagged and why; all others were. Refusals that concern the account or the
            tag, and not single followers, are raised as usual.
        """
        return self._each(openids, lambda batch: self.tag(batch, tag_id))

    def untag_each(
        self, openids: Sequence[OpenId], tag_id: int
    ) -> dict[OpenId, TryLater | WillNever]:
        """Untag any number of followers as :meth:`tag_each` tags them."""
        return self._each(openids, lambda batch: self.untag(batch, tag_id))

    def tags_of(self, openid: OpenId) -> list[int]:
        """The numbers of the tags a follower bears."""
        return [int(tag_id) for tag_id in self._client.tag.get_user_tag(openid)]

    def tag_followers(self, tag_id: int, after: str = "") -> tuple[list[OpenId], str]:
        """One page of those who bear a tag, and what to pass as ``after``; "" ends it."""
        return _page(self._client.tag.get_tag_users(tag_id, after))

    # Followers

    def followers(self, after: str = "") -> tuple[list[OpenId], str]:
        """One page of at most 10,000 followers, and what to pass as ``after``; "" ends it."""
        return _page(self._client.user.get_followers(after))

    def user_info(self, openid: OpenId) -> dict[str, Any]:
        """What WeChat tells of a follower; ``subscribe`` is 0 for somebody who left."""
        return dict(self._client.user.get(openid))

    # Messages

    def send_text(self, openid: OpenId, content: str) -> None:
        """Write to a follower within the customer-service window; may raise ``Unsettled``."""
        self._client.message.send_text(openid, content)

    def send_news(self, openid: OpenId, article: Article) -> None:
        """Send one card within the customer-service window; may raise ``Unsettled``."""
        self._client.message.send_articles(
            openid,
            [
                {
                    "title": article.title,
                    "description": article.description,
                    "url": article.url,
                    "picurl": article.picture,
                }
            ],
        )

    def send_template(
        self,
        openid: OpenId,
        template_id: str,
        data: Mapping[str, str],
        url: str = "",
        client_msg_id: str = "",
    ) -> str:
        """Send a service notice, and return WeChat's number for it.

        With ``client_msg_id`` (at most 32 characters) WeChat recognises a repeat, and the call may
        be repeated; without it the call may raise ``Unsettled``.
        """
        body: dict[str, Any] = {
            "touser": openid,
            "template_id": template_id,
            "data": {name: {"value": value} for name, value in data.items()},
        }
        if url:
            body["url"] = url
        if client_msg_id:
            body["client_msg_id"] = client_msg_id
        answer = self._client.post("message/template/send", data=body)
        return str(answer.get("msgid", ""))

    def send_mass(self, openids: Sequence[OpenId], content: str, *, client_key: str) -> str:
        """Send a text to a list of 2 to 10,000 followers, and return WeChat's number for it.

        Each gets at most four a calendar month, over all the account sends; what came of it is
        pushed as MASSSENDJOBFINISH. With ``client_key`` (at most 32 characters) WeChat recognises a
        repeat for a day, so the call may be repeated, after a minute at the soonest.

        Raises:
            RepeatedTooSoon: within that minute.
            AwaitsAdministrator: until the administrator has confirmed.
            Unanswered: when no answer came; repeat it under the same key.
        """
        if not MASS_LEAST <= len(openids) <= MASS_MOST:
            raise ValueError(f"a mass message goes to 2 to 10,000 followers, not {len(openids)}")
        body = {
            "touser": list(openids),
            "msgtype": "text",
            "text": {"content": content},
            "clientmsgid": client_key,
        }
        try:
            return str(self._client.post("message/mass/send", data=body)["msg_id"])
        except SentBefore as before:
            return before.msg_id

    # Pages and codes

    def create_qr(self, scene: str, *, seconds: int | None = None) -> str:
        """A parametric QR code for a scene of 1–64 characters, as the address of its picture.

        It lasts ``seconds`` (at most 2,592,000, thirty days), or for ever when that is ``None``;
        an account may have 100,000 that last for ever.
        """
        body: dict[str, Any] = {
            "action_name": "QR_LIMIT_STR_SCENE" if seconds is None else "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": scene}},
        }
        if seconds is not None:
            body["expire_seconds"] = seconds
        return self._client.qr_picture(self._client.qrcode.create(body)["ticket"])

    def jsapi_ticket(self) -> str:
        """The account's current JS-SDK ticket, shared by all processes."""
        return self._client.jsapi_ticket()

    def identify(self, code: str) -> Identified:
        """Exchange a page's one-time code for who opened it.

        Raises:
            CodeRefused: when the code is unknown, used or more than five minutes old.
        """
        answer = self._client.exchange_code(code)
        return Identified(OpenId(str(answer["openid"])), str(answer.get("is_snapshotuser")) == "1")

    # Quotas

    def quota(self, cgi_path: str) -> Quota:
        """What WeChat says is left today of one call, such as ``/cgi-bin/menu/create``.

        The answer is also written into our own quota ledger.
        """
        answer = self._client.post("openapi/quota/get", data={"cgi_path": cgi_path})["quota"]
        quota = Quota(int(answer["daily_limit"]), int(answer["used"]), int(answer["remain"]))
        self._allowance.learn(cgi_path, quota)
        return quota

    def _each(self, openids: Sequence[OpenId], act: Any) -> dict[OpenId, TryLater | WillNever]:
        undone: dict[OpenId, TryLater | WillNever] = {}
        batches = [list(openids[start : start + BATCH]) for start in range(0, len(openids), BATCH)]
        while batches:
            batch = batches.pop()
            try:
                act(batch)
            except NotAFollower as refused:
                if len(batch) == 1:
                    undone[batch[0]] = refused
                else:
                    middle = len(batch) // 2
                    batches += [batch[:middle], batch[middle:]]
            except PartlyDone as partly:
                undone |= dict.fromkeys(partly.failed, partly)
        return undone


def _batch(openids: Sequence[OpenId]) -> list[OpenId]:
    if not 1 <= len(openids) <= BATCH:
        raise ValueError(f"WeChat takes 1 to {BATCH} openids at once, not {len(openids)}")
    return list(openids)


def _page(answer: Mapping[str, Any]) -> tuple[list[OpenId], str]:
    """A page of openids; WeChat names a next page even after the last one that holds anybody."""
    openids = [OpenId(str(openid)) for openid in answer.get("data", {}).get("openid", ())]
    return openids, str(answer.get("next_openid", "")) if openids else ""


_creating = threading.Lock()


def gateway_of(wiring: Wiring) -> Gateway:
    """This process's gateway, made when it is first needed so that forked servers share nothing."""
    with _creating:
        found: Gateway | None = wiring.shelf.get(Gateway)
        if found is None:
            found = wiring.shelf[Gateway] = Gateway(wiring)
        return found
