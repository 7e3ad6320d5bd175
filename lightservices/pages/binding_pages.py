"""Binding and unbinding, step by step: what is bound and why, consent, a code, done.

Each step counts and remembers in one short transaction, asks the core with nothing open, and writes
down in another what came of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, Response, redirect, request, session
from marshmallow import Schema, fields
from werkzeug.wrappers import Response as AnyResponse

from lightservices import visit
from lightservices.binding import consent, limits, operations
from lightservices.catalogue import Service
from lightservices.catalogue import find as find_service
from lightservices.pages import outage
from lightservices.pages.private import private_page, require_own_form
from lightservices.pages.query_pages import BIND, UNBIND, told_at
from lightservices.providers import core_client
from lightservices.providers.protocol import Failed, Why
from lightservices.providers.shapes import Shape
from lightservices.visit import Visitor
from service import clock, journal
from service.access import access
from service.happenings import OpenId
from service.wiring import Unit, wiring

binding = Blueprint("binding", __name__)
outage.cover(binding)
binding.add_app_template_filter(told_at, "told_at")

_WHY: Final = "only a follower WeChat named is bound; guests are told how to become one"
_PHONE: Final = re.compile(r"1[3-9]\d{9}", re.ASCII)
_CODE: Final = re.compile(r"\d{4,8}", re.ASCII)
#: People copy a number with its country code, spaces and hyphens, or type full-width digits.
_CLUTTER: Final = re.compile(r"[\s\-—()（）]|^\+?86(?=1\d{10}$)")

#: What to say, and the status to say it with, by the core's own word.
_CORE_WORDS: Final = {
    "code_wrong": "验证码不对，请核对短信后重新填写。",
    "code_expired": "验证码已经过期，请重新获取。",
    "tries_spent": "试错的次数太多，请重新获取验证码。",
}
_BUSY: Final = "系统没有及时应答，请过一会儿再试。您没有被绑定，也没有产生费用。"
_TOO_OFTEN: Final = "操作太频繁了，请一小时以后再试，或者拨打客服热线。"


class BegunShape(Shape):
    """What the core answers when it has sent a code."""

    binding = fields.String(required=True, validate=lambda name: 0 < len(name) <= 128)
    phone_masked = fields.String(
        required=True, validate=lambda text: bool(re.fullmatch(r"[\d*]{7,11}", text))
    )
    ends_at = fields.AwareDateTime(required=True, format="iso")


class ConfirmedShape(Shape):
    """What the core answers to the right code."""

    customer = fields.String(required=True, validate=lambda token: 16 <= len(token) <= 512)
    phone_tail = fields.String(
        required=True, validate=lambda tail: bool(re.fullmatch(r"\d{4}", tail))
    )


_BEGUN: Final[Schema] = BegunShape()
_CONFIRMED: Final[Schema] = ConfirmedShape()


def bind(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """Where the follower stands with their binding, and the next step."""
    return _shown(unit, visitor, service)


def unbind(unit: Unit, visitor: Visitor, service: Service) -> Response:
    """What is bound, and the button that ends it."""
    bound = operations.binding(unit, visitor.openid) if visitor.openid else None
    return private_page(
        "bind_end", visitor, title=service.title, service=service, bound=bound, bind_path=BIND,
        has_ended=bound is None and request.args.get("said") == "ended",
    )  # fmt: skip


def _shown(
    unit: Unit, visitor: Visitor, service: Service, *, fault: str = "", status: int = 200,
    phone: str = "",
) -> Response:  # fmt: skip
    openid = visitor.openid
    values: dict[str, Any] = {
        "service": service, "consent": consent.current(), "fault": fault, "phone": phone,
        "is_sandbox": unit.settings.uses_core_sandbox, "unbind_path": UNBIND,
    }  # fmt: skip
    if not core_client.is_connected(unit.wiring):
        step = "unconfigured"
    elif openid is None:
        step = "guest"
    elif (bound := operations.binding(unit, openid)) is not None:
        step, values["bound"] = ("bound" if bound.is_agreed else "agree"), bound
    elif (attempt := operations.attempt(unit, openid)) is not None:
        step, values["attempt"] = "code", attempt
    else:
        step = "start"
    return private_page("bind", visitor, title=service.title, status=status, step=step, **values)


Step = Callable[[OpenId], AnyResponse]


def _by_follower(step: Step) -> AnyResponse:
    """Do a step for the follower whose own form this is; guests see the page that explains."""
    with wiring().reading() as unit:
        openid = visit.visitor(unit, session).openid
    if openid is None or not core_client.is_connected(wiring()):
        return redirect(BIND, 303)
    require_own_form(openid)
    return step(openid)


def _back(fault: str, *, status: int = 422, phone: str = "") -> Response:
    """The page again, with what to mend."""
    with wiring().reading() as unit:
        service = find_service(unit, BIND.rpartition("/")[2])
        visitor = visit.visitor(unit, session)
        if service is None:
            raise LookupError("the catalogue has lost the page on which accounts are bound")
        return _shown(unit, visitor, service, fault=fault, status=status, phone=phone)


@binding.post("/bind/start")
@access("follower", why=_WHY)
def start() -> AnyResponse:
    """Consent is given and a telephone number named: have the core send a code."""
    return _by_follower(_start)


def _start(openid: OpenId) -> AnyResponse:
    typed = request.form.get("phone", "")[:40]
    phone = _CLUTTER.sub("", _CLUTTER.sub("", _half_width(typed)))
    if not _PHONE.fullmatch(phone):
        return _back("请填写 11 位手机号，要与银行预留的一致。", phone=typed)
    if request.form.get("consent") != consent.current().version:
        return _back("请先阅读说明，并勾选同意。", phone=phone)
    try:
        with wiring().unit() as unit:
            subject = operations.allow_start(unit, openid, phone=phone)
    except limits.TooOften:
        return _back(_TOO_OFTEN, status=429)
    except operations.Shared:
        return _back("这个手机号绑定的微信太多了，请先在其他微信里解除绑定，或联系客服。")
    return _code_sent(openid, phone, subject)


def _code_sent(openid: OpenId, phone: str, subject: str) -> AnyResponse:
    given = {"version": consent.current().version, "given_at": _present()}
    body = {"subject": subject, "phone": phone, "consent": given}
    try:
        begun = core_client.in_time(wiring(), "POST", "/v1/bindings", schema=_BEGUN, body=body)
    except Failed as failed:
        journal.count("bindings", outcome=failed.why.value)
        return _back(_BUSY, status=503, phone=phone)
    with wiring().unit() as unit:
        operations.await_code(
            unit, openid, name=begun["binding"], phone=phone,
            phone_masked=begun["phone_masked"], ends_at=begun["ends_at"],
        )  # fmt: skip
    journal.count("bindings", outcome="started")
    return redirect(BIND, 303)


@binding.post("/bind/confirm")
@access("follower", why=_WHY)
def confirm() -> AnyResponse:
    """The code the follower received."""
    return _by_follower(_confirm)


def _confirm(openid: OpenId) -> AnyResponse:
    code = _half_width(request.form.get("code", "")[:20]).replace(" ", "")
    if not _CODE.fullmatch(code):
        return _back("请填写短信里的数字验证码。")
    try:
        with wiring().unit() as unit:
            attempt = operations.allow_try(unit, openid)
    except limits.TooOften:
        return _back(_TOO_OFTEN, status=429)
    except operations.NoAttempt:
        return _back(_CORE_WORDS["code_expired"])
    try:
        answer = core_client.in_time(
            wiring(), "POST", f"/v1/bindings/{attempt.name}/confirm", schema=_CONFIRMED,
            body={"code": code},
        )  # fmt: skip
    except Failed as failed:
        return _not_confirmed(openid, failed, attempt.tries_left)
    with wiring().unit() as unit:
        operations.bind(
            unit, openid, made=attempt, customer=answer["customer"],
            phone_tail=answer["phone_tail"],
        )  # fmt: skip
    journal.count("bindings", outcome="bound")
    return redirect(BIND, 303)


def _not_confirmed(openid: OpenId, failed: Failed, tries_left: int) -> AnyResponse:
    journal.count("bindings", outcome=failed.code if failed.code in _CORE_WORDS else failed.why)
    if failed.why is not Why.DECLINED or failed.code not in _CORE_WORDS:
        return _back(_BUSY, status=503)
    words = _CORE_WORDS[failed.code]
    if failed.code != "code_wrong" or tries_left == 0:
        with wiring().unit() as unit:
            operations.give_up(unit, openid)
        return _back(_CORE_WORDS["tries_spent"] if tries_left == 0 else words)
    return _back(f"{words}还可以试 {tries_left} 次。")


@binding.post("/bind/again")
@access("follower", why=_WHY)
def again() -> AnyResponse:
    """Another code, or another number."""
    return _by_follower(_again)


def _again(openid: OpenId) -> AnyResponse:
    with wiring().unit() as unit:
        operations.give_up(unit, openid)
    return redirect(BIND, 303)


@binding.post("/bind/agree")
@access("follower", why=_WHY)
def agree() -> AnyResponse:
    """The text has changed since, and the follower agrees to it."""
    return _by_follower(_agree)


def _agree(openid: OpenId) -> AnyResponse:
    if request.form.get("consent") != consent.current().version:
        return _back("请先阅读说明，并勾选同意。")
    with wiring().unit() as unit:
        operations.agree(unit, openid)
    return redirect(BIND, 303)


@binding.post("/bind/end")
@access("follower", why=_WHY)
def end() -> AnyResponse:
    """The follower no longer wants to be bound: erased here at once, told to the core."""
    return _by_follower(_end)


def _end(openid: OpenId) -> AnyResponse:
    with wiring().unit() as unit:
        ended = operations.unbind(unit, openid)
    if ended:
        journal.count("bindings", outcome="ended")
    return redirect(f"{UNBIND}?said=ended", 303)


def _present() -> str:
    return clock.now().isoformat("T", "seconds")


def _half_width(text: str) -> str:
    return text.translate({full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)})
