"""wechatpy's client with our own transport under it: bounded in time and attempts, and silent.

wechatpy contributes the shape of the requests. Its transport is replaced because, as it comes, it
ignores the time-out when it fetches a token, repeats a call without end while WeChat says 40001,
refreshes once per thread, and shows the token and the secret in exceptions and debug lines.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from sqlalchemy.exc import SQLAlchemyError
from wechatpy import WeChatClient
from wechatpy.client.api import WeChatQRCode

from service import journal
from service.delivery.quotas import Allowance
from service.wechat.errors import (
    AccountRefused,
    QuotaSpent,
    TokenRefused,
    TryLater,
    Unanswered,
    Unreachable,
    Unsettled,
    WillNever,
    refusal,
)
from service.wechat.token import Deadline, Granted, SharedCredential, granted
from service.wiring import Wiring

log = journal.logger("wechat.client")

#: How long a verb may take in all, its token and its one repeat included.
CALL_SECONDS: Final = 3.4
#: How long one attempt waits for a connection; a host that is there answers much sooner.
_CONNECT_SECONDS: Final = 1.5
#: A fetch leaves its caller some time for the call the token is for.
_FETCH_SECONDS: Final = 3.0
#: Under this much time left no attempt is started.
_LEAST_SECONDS: Final = 0.05
_STALE: Final = "访问令牌失效"
#: How long to leave WeChat alone after no answer came; the ledger doubles it.
_SOON: Final = timedelta(seconds=1)
#: The largest honest answer, ten thousand openids, is a tenth of this.
_LARGEST_ANSWER: Final = 4 * 1024 * 1024

#: Calls whose repeat would do a second thing: a second message, menu or tag.
_ONCE_ONLY: Final = frozenset(
    {
        "/cgi-bin/message/custom/send",
        "/cgi-bin/message/template/send",
        "/cgi-bin/message/mass/send",
        "/cgi-bin/menu/addconditional",
        "/cgi-bin/tags/create",
    }
)
#: By these fields WeChat recognises the repeat of a template or of a mass message.
_KEYS: Final = ("client_msg_id", "clientmsgid")
#: Calls that need no access token, and are not counted by the day.
_WITHOUT_TOKEN: Final = frozenset({"/cgi-bin/stable_token", "/sns/oauth2/access_token"})


class _NoAddresses(logging.Filter):
    """Takes queries out of urllib3's lines: the access token and the secret travel in them."""

    _query: Final = re.compile(r"\?[^\s'\"]+")

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._query.sub("?[hidden]", record.getMessage())
        record.args = None
        return True


for _library in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_library).addFilter(_NoAddresses())


class AccountClient(WeChatClient):  # type: ignore[misc]  # wechatpy has no annotations.
    """The API of one account. One per process; its threads share the connections."""

    def __init__(self, wiring: Wiring, allowance: Allowance) -> None:
        settings = wiring.settings
        super().__init__(settings.wechat_appid, settings.wechat_secret, auto_retry=False)
        self._base = settings.wechat_api_base
        self._http: requests.Session = _pool(trust_environment=not settings.uses_sandbox)
        self._allowance = allowance
        self._token = SharedCredential(wiring, "access_token", self._fetch_token)
        self._ticket = SharedCredential(wiring, "jsapi_ticket", self._fetch_ticket)

    @property
    def access_token(self) -> str:
        """What wechatpy would fetch anew for itself, from the endpoint that ends everybody's."""
        return self._token.value(Deadline(CALL_SECONDS))

    def jsapi_ticket(self) -> str:
        return self._ticket.value(Deadline(CALL_SECONDS))

    def exchange_code(self, code: str) -> dict[str, Any]:
        """WeChat's answer about who holds a page's one-time code."""
        answer: dict[str, Any] = self.get(
            "/sns/oauth2/access_token",
            params={
                "appid": self.appid,
                "secret": self.secret,
                "code": code,
                "grant_type": "authorization_code",
            },
        )
        return answer

    def qr_picture(self, ticket: str) -> str:
        """The address of a QR code's picture, which WeChat serves from a host of its own."""
        address = str(WeChatQRCode.get_url(ticket))
        if self._base == "https://api.weixin.qq.com":
            return address
        return address.replace("https://mp.weixin.qq.com", self._base, 1)

    def _fetch_token(self, deadline: Deadline) -> Granted:
        try:
            answer = self._request(
                "post",
                "/cgi-bin/stable_token",
                data={
                    "grant_type": "client_credential",
                    "appid": self.appid,
                    "secret": self.secret,
                    # A forced refresh ends the old token at once, for every process and every
                    # other program of the bank; only a person may decide that.
                    "force_refresh": False,
                },
                deadline=Deadline(min(_FETCH_SECONDS, deadline.left())),
            )
        except TokenRefused as refused:
            # Here the same code means the AppSecret, as no token was sent.
            why = "AppSecret 不正确或已重置，请核对配置"
            raise AccountRefused(why, refused.errcode, refused.rid) from None
        journal.count("token_fetches")
        return _granted(answer, "access_token")

    def _fetch_ticket(self, deadline: Deadline) -> Granted:
        answer = self._request(
            "get",
            "ticket/getticket",
            params={"type": "jsapi"},
            deadline=Deadline(min(_FETCH_SECONDS, deadline.left())),
        )
        return _granted(answer, "ticket")

    def _request(
        self,
        method: str,
        url_or_endpoint: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        result_processor: Callable[[Any], Any] | None = None,
        deadline: Deadline | None = None,
    ) -> Any:
        """Everything wechatpy's API objects do ends here: one call, at most two attempts."""
        path = url_or_endpoint
        if not path.startswith("/"):
            path = f"/cgi-bin/{path}"
        deadline = deadline or Deadline(CALL_SECONDS)
        outcome = self._attempted(_Call(method, path, dict(params or {}), data), deadline)
        journal.count("wechat_calls", path=path, outcome=type(outcome).__name__)
        if isinstance(outcome, TryLater | WillNever):
            self._report(path, outcome)
            raise outcome
        return result_processor(outcome) if result_processor else outcome

    def _attempted(self, call: _Call, deadline: Deadline) -> Answer | TryLater | WillNever:
        """An answer, or what it means that there is none: once more if only the token was stale."""
        token, last = "", TokenRefused(_STALE)
        for _ in range(2):
            try:
                if token:
                    self._token.forget(token, deadline)
                if call.needs_token:
                    self._allowance.spend(call.path)
                    token = self._token.value(deadline)
            except (TryLater, WillNever) as refused:
                return refused
            except SQLAlchemyError:
                return Unreachable(_SOON, "数据库暂时不可用")
            outcome = self._exchanged(call, token, deadline)
            if isinstance(outcome, QuotaSpent):
                # Where this cannot be written down, WeChat will say it once more.
                with suppress(SQLAlchemyError):
                    self._allowance.exhausted(call.path)
            if not (token and isinstance(outcome, TokenRefused)):
                return outcome
            last = outcome
        # More attempts would burn the day's quota; in a minute somebody may have mended it.
        return Unreachable(timedelta(minutes=1), _STALE, errcode=last.errcode, rid=last.rid)

    def _exchanged(
        self, call: _Call, token: str, deadline: Deadline
    ) -> Answer | TryLater | WillNever:
        """One request and its answer. What went wrong is returned and not raised: the exceptions of
        the libraries hold the address with the token in it, and must not travel as its context."""
        if deadline.left() < _LEAST_SECONDS:
            return Unreachable(_SOON, "微信没有及时答复")
        try:
            answer = _decoded(self._sent(call, token, deadline))
        except requests.ConnectionError as fault:
            if _was_never_sent(fault):
                return Unreachable(_SOON, "连接不上微信，请检查出网和 DNS")
            return call.unanswered("与微信的连接中断")
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            return call.unanswered("微信没有及时答复")
        except ValueError:
            return call.unanswered("微信的答复无法理解")
        if answer.get("errcode", 0) == 0:
            return answer
        return refusal(answer)

    def _sent(self, call: _Call, token: str, deadline: Deadline) -> bytes:
        body = None
        if call.data is not None:
            # WeChat takes \u escapes literally: names would show them and be counted by them.
            body = json.dumps(call.data, ensure_ascii=False).encode()
        with self._http.request(
            call.method,
            self._base + call.path,
            params={**call.params, "access_token": token} if token else call.params,
            data=body,
            headers={"Content-Type": "application/json; charset=utf-8"} if body else {},
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, total=deadline.left()),  # type: ignore[arg-type]  # requests hands it on; its stubs do not say so.
            stream=True,
            allow_redirects=False,
        ) as response:
            if response.status_code != requests.codes.ok:
                raise ValueError("not an answer of the API")
            return _body(response, deadline)

    def _report(self, path: str, outcome: TryLater | WillNever) -> None:
        said = {"path": path, "kind": type(outcome).__name__, "rid": outcome.rid}
        if isinstance(outcome, AccountRefused):
            journal.count("account_refusals", errcode=str(outcome.errcode))
            log.critical("wechat refuses this account", why=outcome.why, **said)
        else:
            log.warning("not done", errcode=outcome.errcode, **said)


class Answer(dict[str, Any]):
    """A JSON object from WeChat; one that lacks what it must hold leaves the matter unsettled."""

    def __missing__(self, key: str) -> Any:
        raise Unsettled(_SOON, f"微信的答复缺少 {key}")


@dataclass(frozen=True, slots=True, repr=False)
class _Call:
    """One request; it does not show itself because of the people and secrets in it."""

    method: str
    path: str
    params: Mapping[str, Any]
    data: Mapping[str, Any] | None

    @property
    def needs_token(self) -> bool:
        return self.path not in _WITHOUT_TOKEN

    def unanswered(self, why: str) -> TryLater:
        """What it means that the request went out and no proper answer came back."""
        if self.path not in _ONCE_ONLY:
            return Unreachable(_SOON, why)
        is_recognised = any(self.data and self.data.get(name) for name in _KEYS)
        return Unanswered(_SOON, why) if is_recognised else Unsettled(_SOON, why)


def _pool(*, trust_environment: bool) -> requests.Session:
    """Connections that are kept and shared by threads. The bank's proxy settings count, except for
    the sandbox on this machine; cookies, stored passwords and hidden repeats never do."""
    session = requests.Session()
    session.trust_env = trust_environment
    session.auth = lambda prepared: prepared
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=2, pool_maxsize=32, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _body(response: requests.Response, deadline: Deadline) -> bytes:
    """The body, in the time that is left, however slowly it drips."""
    body = bytearray()
    while chunk := response.raw.read1(65_536, decode_content=True):
        body += chunk
        if deadline.left() <= 0:
            raise requests.Timeout("too slow")
        if len(body) > _LARGEST_ANSWER:
            raise ValueError("too large")
    return bytes(body)


def _decoded(body: bytes) -> Answer:
    """WeChat answers UTF-8 JSON whatever its header says; raw control characters occur in names.

    Raises:
        ValueError: when it is anything else.
    """
    answer = json.loads(body.decode("utf-8"), strict=False, object_hook=Answer)
    if not isinstance(answer, Answer) or type(answer.get("errcode", 0)) is not int:
        raise ValueError("not an object")
    return answer


def _was_never_sent(fault: requests.ConnectionError) -> bool:
    if isinstance(fault, requests.ConnectTimeout):
        return True
    cause = fault.args[0] if fault.args else None
    return isinstance(getattr(cause, "reason", None), urllib3.exceptions.NewConnectionError)


def _granted(answer: Answer, name: str) -> Granted:
    return granted(str(answer[name]), int(answer["expires_in"]))
