"""The core's API as callers meet it: who asks is checked first, then what was asked is answered."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, current_app, jsonify, request
from marshmallow import Schema, ValidationError, fields, validate
from werkzeug.exceptions import HTTPException

from lightservices.coresandbox import people
from lightservices.coresandbox.faults import played
from lightservices.coresandbox.people import Person
from lightservices.coresandbox.world import MOST_TRIES, STRANGER, World
from lightservices.providers.core_client import signature
from service import clock
from service.access import access

api = Blueprint("core_api", __name__, url_prefix="/v1")

#: How far the caller's clock may be off, in seconds.
_SKEW: Final = 300
_SIGNED: Final = "the core's own callers, each request signed with their secret"


class Refused(Exception):
    """A call that is not carried out: the status and the core's word for it."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"code": code, "message": message, **more}


def world() -> World:
    found: World = current_app.extensions["core"]
    return found


@api.errorhandler(Refused)
def refused(refusal: Refused) -> tuple[Response, int]:
    return jsonify(refusal.body), refusal.status


@api.errorhandler(ValidationError)
def malformed(_fault: ValidationError) -> tuple[Response, int]:
    return jsonify(code="malformed", message="the request is not in the agreed form"), 400


@api.before_request
def meet() -> Response | None:
    """Count the call, play a fault if there is one, then look who asks."""
    here = world()
    with here.lock:
        here.calls[request.path] += 1
        met = here.fault(request.path)
    answer = played(met, here.closing) if met else None
    if answer is None:
        _check(here)
    return answer


def _check(here: World) -> None:
    """Who asks is known, asks now and not again, and nobody changed what is asked."""
    sent = {
        name: request.headers.get(f"X-Core-{name.title()}", "")
        for name in ("key", "timestamp", "nonce", "signature", "customer")
    }
    if not hmac.compare_digest(sent["key"].encode(), here.key.encode()):
        raise Refused(401, "key_unknown", "no such caller")
    time = sent["timestamp"]
    is_number = time.isascii() and time.isdecimal() and len(time) <= 12
    if not is_number or abs(int(time) - clock.epoch()) > _SKEW:
        raise Refused(401, "clock_wrong", "the timestamp is not of now")
    expected = signature(
        here.secret, method=request.method, target=request.environ["REQUEST_URI"], timestamp=time,
        nonce=sent["nonce"], customer=sent["customer"], body=request.get_data(),
    )  # fmt: skip
    if not hmac.compare_digest(sent["signature"].encode(), expected.encode()):
        raise Refused(401, "signature_wrong", "the signature does not fit")
    with here.lock:
        if not here.is_new(sent["nonce"]):
            raise Refused(401, "replayed", "this request was made before")


class ConsentInput(Schema):
    version = fields.String(required=True, validate=validate.Length(min=1, max=32))
    given_at = fields.AwareDateTime(required=True, format="iso")


class BindingInput(Schema):
    subject = fields.String(required=True, validate=validate.Regexp(r"^[0-9a-f]{32,64}\Z"))
    phone = fields.String(required=True, validate=validate.Regexp(r"^1[3-9][0-9]{9}\Z"))
    consent = fields.Nested(ConsentInput, required=True)


class CodeInput(Schema):
    code = fields.String(required=True, validate=validate.Regexp(r"^[0-9]{4,8}\Z"))


class LimitInput(Schema):
    limit = fields.Integer(load_default=10, validate=validate.Range(min=1, max=50))


class GroupInput(Schema):
    group = fields.String(required=True, validate=validate.OneOf(people.GROUPS))


class KindInput(Schema):
    kind = fields.String(required=True, validate=validate.OneOf(people.KINDS))


def _sent(schema: Schema) -> Mapping[str, Any]:
    """The body, or 400."""
    if not request.is_json:
        raise ValidationError("not JSON")
    try:
        body = request.get_json()
    except (HTTPException, RecursionError):
        raise ValidationError("not JSON") from None
    if not isinstance(body, dict):
        raise ValidationError("not an object")
    loaded: Mapping[str, Any] = schema.load(body)
    return loaded


def _asked(schema: Schema) -> Mapping[str, Any]:
    """The query, or 400; a parameter given twice is malformed."""
    if any(len(values) > 1 for _name, values in request.args.lists()):
        raise ValidationError("given twice")
    loaded: Mapping[str, Any] = schema.load(request.args.to_dict())
    return loaded


def _customer() -> tuple[str, Person]:
    here, token = world(), request.headers.get("X-Core-Customer", "")
    with here.lock:
        subject = here.customers.get(token)
    if subject is None:
        raise Refused(401, "customer_unknown", "this binding holds no longer")
    return token, Person(subject, clock.now())


@api.post("/bindings")
@access("public", why=_SIGNED)
def begin() -> tuple[Response, int]:
    """Send a one-time code; the answer does not tell whether the number is a customer's."""
    sent = _sent(BindingInput())
    here = world()
    with here.lock:
        name, pending = here.begin(
            subject=sent["subject"], phone=sent["phone"],
            consent_version=sent["consent"]["version"],
        )  # fmt: skip
    phone = sent["phone"]
    body = {
        "binding": name,
        "phone_masked": f"{phone[:3]}****{phone[-4:]}",
        "ends_at": pending.ends_at.isoformat(timespec="seconds"),
        "resend_after_seconds": 60,
    }
    return jsonify(body), HTTPStatus.CREATED


@api.post("/bindings/<name>/confirm")
@access("public", why=_SIGNED)
def confirm(name: str) -> Response:
    """The code that the customer received."""
    sent = _sent(CodeInput())
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", name):
        raise ValidationError("not a name of ours")
    here = world()
    with here.lock:
        pending = here.pending.get(name)
        if pending is None or pending.ends_at < clock.now():
            raise Refused(404, "code_expired", "this code holds no longer")
        if pending.tries >= MOST_TRIES:
            raise Refused(429, "tries_spent", "too many tries")
        pending.tries += 1
        is_right = hmac.compare_digest(pending.code, sent["code"])
        if not is_right or pending.phone == STRANGER:
            left = MOST_TRIES - pending.tries
            raise Refused(422, "code_wrong", "the code is wrong", tries_left=left)
        del here.pending[name]
        token = here.bind(pending)
    return jsonify(customer=token, phone_tail=pending.phone[-4:])


@api.delete("/customer/binding")
@access("public", why=_SIGNED)
def end() -> tuple[str, int]:
    """End the binding; ending it again changes nothing."""
    here, token = world(), request.headers.get("X-Core-Customer", "")
    if not re.fullmatch(r"[!-~]{16,512}", token):
        raise Refused(401, "customer_unknown", "a binding is ended with its own token")
    with here.lock:
        here.unbind(token)
    return "", HTTPStatus.NO_CONTENT


@api.put("/customer/consent")
@access("public", why=_SIGNED)
def consent() -> tuple[str, int]:
    """The customer agreed to a newer text."""
    sent = _sent(ConsentInput())
    here, (token, _person) = world(), _customer()
    with here.lock:
        here.consents[token] = sent["version"]
    return "", HTTPStatus.NO_CONTENT


@api.get("/customer/accounts")
@access("public", why=_SIGNED)
def accounts() -> Response:
    return jsonify(_customer()[1].accounts())


@api.get("/customer/statement")
@access("public", why=_SIGNED)
def statement() -> Response:
    asked = _asked(LimitInput())
    return jsonify(_customer()[1].statement(asked["limit"]))


@api.get("/customer/cards")
@access("public", why=_SIGNED)
def cards() -> Response:
    return jsonify(_customer()[1].cards())


@api.get("/customer/applications")
@access("public", why=_SIGNED)
def applications() -> Response:
    return jsonify(_customer()[1].applications())


@api.get("/customer/points")
@access("public", why=_SIGNED)
def points() -> Response:
    return jsonify(_customer()[1].points())


@api.get("/fees")
@access("public", why=_SIGNED)
def fees() -> Response:
    return jsonify(people.fees(clock.now(), _asked(GroupInput())["group"]))


@api.get("/quotes/gold")
@access("public", why=_SIGNED)
def gold() -> Response:
    return jsonify(people.gold(clock.now()))


@api.get("/quotes/exchange")
@access("public", why=_SIGNED)
def exchange() -> Response:
    return jsonify(people.exchange(clock.now()))


@api.get("/rates")
@access("public", why=_SIGNED)
def rates() -> Response:
    return jsonify(people.rates(clock.now(), _asked(KindInput())["kind"]))


@api.get("/outlets/<outlet>/queue")
@access("public", why=_SIGNED)
def queue(outlet: str) -> Response:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,32}", outlet):
        raise Refused(404, "outlet_unknown", "no such outlet")
    return jsonify(people.queue(clock.now(), outlet))


@api.get("/health")
@access("public", why=_SIGNED)
def health() -> Response:
    """Whether the core answers this caller at all."""
    return jsonify(well=True, as_of=clock.now().isoformat(timespec="seconds"))
