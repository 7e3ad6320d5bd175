"""The one path WeChat knocks on, as a small WSGI door in front of the Flask application.

It comes before Flask because WeChat's pushes are nine tenths of all requests and need nothing of a
web framework: measured, Flask's own machinery costs more than the whole job behind it. Everything
else goes through to the application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from service import clock, journal
from service.webhook.intake import Intake
from service.webhook.nonces import PlainSignature, Reused
from service.wechat.envelope import EnvelopeRefused, is_signed
from service.wiring import Wiring

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/wechat"
BODY_CAP = 64 * 1024
_PARAMETERS_CAP = 32
_OPENS, _CLOSES = b"<Encrypt>", b"</Encrypt>"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: str
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


SUCCESS = Answer("200 OK", b"success")
#: One refusal for everything that is not genuine, so that nobody learns what was wrong with it.
REFUSED = Answer("403 Forbidden")
TOO_LARGE = Answer("413 Content Too Large")
NOT_ALLOWED = Answer("405 Method Not Allowed")


class Refused(Exception):
    """Not genuine. ``fault`` is counted and never told."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(fault)


class Door:
    """Answers ``/wechat`` and lets every other request through."""

    def __init__(self, inside: WSGIApplication, wiring: Wiring) -> None:
        self._inside = inside
        self._webhook = Webhook(wiring)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return self._inside(environ, start_response)
        answer = self._webhook.answer(
            environ["REQUEST_METHOD"], environ.get("QUERY_STRING", ""), _body_of(environ)
        )
        start_response(
            answer.status,
            [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))],
        )
        return [answer.body]


class Webhook:
    """A function of method, query and body; the same on every server."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._settings = wiring.settings
        self._intake = Intake(wiring)
        self._envelope = self._intake.envelope

    def answer(self, method: str, query: str, body: bytes | None) -> Answer:
        """What WeChat, or whoever pretends to be it, is answered; never raises."""
        if body is None:
            return self._counted(TOO_LARGE, "size")
        try:
            parameters = _parameters(query)
            if method == "GET":
                return self._handshake(parameters)
            if method == "POST":
                return self._push(parameters, body)
        except Refused as refused:
            return self._counted(REFUSED, refused.fault)
        return self._counted(NOT_ALLOWED, "method")

    def _handshake(self, parameters: dict[str, str]) -> Answer:
        """WeChat has us echo a word to prove the address is ours; in the clear, in every mode."""
        self._require_fresh(parameters)
        self._require_signature(parameters)
        if not (word := parameters.get("echostr")):
            raise Refused("echostr")
        return Answer("200 OK", word.encode())

    def _push(self, parameters: dict[str, str], body: bytes) -> Answer:
        self._require_fresh(parameters)
        sealed = parameters.get("encrypt_type") == "aes"
        if sealed:
            reply = self._intake.answer(self._opened(parameters, body))
        else:
            reply = self._overheard(parameters, body)
        if reply is None:
            return SUCCESS
        if sealed:
            reply = self._envelope.sealed_reply(
                reply, timestamp=str(clock.epoch()), nonce=parameters["nonce"]
            )
        return Answer("200 OK", reply, "application/xml; charset=utf-8")

    def _opened(self, parameters: dict[str, str], body: bytes) -> bytes:
        """The message of a push in safe or compat mode, of which only the sealed part counts."""
        if self._settings.wechat_mode == "plain":
            raise Refused("mode")
        encrypted = _sealed_text_in(body)
        signature = parameters.get("msg_signature", "")
        token = self._settings.wechat_token
        # The signature comes first: nobody may probe the padding of what is not genuine.
        if not is_signed(signature, token, parameters["timestamp"], parameters["nonce"], encrypted):
            raise Refused("msg_signature")
        try:
            return self._envelope.open(encrypted)
        except EnvelopeRefused as refused:
            raise Refused(refused.fault) from None

    def _overheard(self, parameters: dict[str, str], body: bytes) -> bytes | None:
        """The answer to a push in plaintext mode, if the settings allow that at all.

        In compat mode every push has a sealed part: one without it was stripped of it, to put
        another body under a signature that covers none.
        """
        if self._settings.wechat_mode != "plain":
            raise Refused("mode")
        self._require_signature(parameters)
        try:
            return self._intake.answer(body, PlainSignature(parameters["signature"], body))
        except Reused:
            raise Refused("nonce") from None

    def _require_fresh(self, parameters: dict[str, str]) -> None:
        timestamp = parameters.get("timestamp", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            raise Refused("timestamp")
        if abs(clock.epoch() - int(timestamp)) > self._settings.freshness_seconds:
            raise Refused("stale")
        if not parameters.get("nonce"):
            raise Refused("nonce")

    def _require_signature(self, parameters: dict[str, str]) -> None:
        token = self._settings.wechat_token
        if not is_signed(
            parameters.get("signature", ""), token, parameters["timestamp"], parameters["nonce"]
        ):
            raise Refused("signature")

    def _counted(self, answer: Answer, fault: str) -> Answer:
        journal.count("pushes_refused", fault=fault)
        return answer


def _parameters(query: str) -> dict[str, str]:
    """The query's parameters, each of which may stand once."""
    pairs = query.split("&")
    if len(pairs) > _PARAMETERS_CAP or not query.isascii():
        raise Refused("query")
    found: dict[str, str] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name in found:
            raise Refused("query")
        found[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return found


def _sealed_text_in(body: bytes) -> str:
    """The Base64 text between ``<Encrypt>`` and ``</Encrypt>``.

    Nothing is parsed before it is proved genuine, and Base64 needs no XML to be found.
    """
    if body.count(_OPENS) != 1 or body.count(_CLOSES) != 1:
        raise Refused("outer XML")
    text = body.partition(_OPENS)[2].partition(_CLOSES)[0].strip()
    text = text.removeprefix(b"<![CDATA[").removesuffix(b"]]>").strip()
    if not text.isascii():
        raise Refused("outer XML")
    return text.decode("ascii")


def _body_of(environ: WSGIEnvironment) -> bytes | None:
    """The request's body, or nothing where it is larger than any push can be."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length and not (length.isascii() and length.isdigit() and len(length) < 9):
        return None
    if length and int(length) > BODY_CAP:
        return None
    read: Callable[[int], bytes] = environ["wsgi.input"].read
    if length:
        return read(int(length))
    # Chunked bodies state no length; the server ends the stream where the body ends.
    if not environ.get("wsgi.input_terminated"):
        return b""
    body = read(BODY_CAP + 1)
    return body if len(body) <= BODY_CAP else None
