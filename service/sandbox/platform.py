"""The API as callers meet it: which paths there are, and what every call passes through.

A call meets the fault script, then the checks WeChat makes in this order: method, token,
permission, quota, form of the body; then what was asked for happens under the world's lock.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, Response, request

from service.sandbox import (
    exchanges,
    followers,
    masses,
    menus,
    messages,
    network,
    oauth,
    qr,
    quotas,
    reports,
    shorten,
    tags,
    tokens,
)
from service.sandbox.calls import Call, Handler, Json, Refused, new_rid
from service.sandbox.connections import drop
from service.sandbox.faults import Rule
from service.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path: what answers it, by which methods, and whether it needs the account's token."""

    handle: Handler
    methods: frozenset[str] = frozenset({"POST"})
    needs_token: bool = True
    #: Whether two calls about the same follower must not overlap.
    one_at_a_time: bool = False
    #: What happens after the answer is known, outside the world's lock.
    afterwards: Callable[[World, Call, Json], None] | None = None


_GET: Final = frozenset({"GET"})
_EITHER: Final = frozenset({"GET", "POST"})

ENDPOINTS: Final[Mapping[str, Endpoint]] = {
    "/cgi-bin/token": Endpoint(tokens.token, _EITHER, needs_token=False),
    "/cgi-bin/stable_token": Endpoint(tokens.stable_token, needs_token=False),
    "/cgi-bin/ticket/getticket": Endpoint(tokens.ticket, _GET),
    "/cgi-bin/menu/create": Endpoint(menus.create),
    "/cgi-bin/menu/get": Endpoint(menus.get, _GET),
    "/cgi-bin/menu/delete": Endpoint(menus.delete, _GET),
    "/cgi-bin/menu/addconditional": Endpoint(menus.add_conditional),
    "/cgi-bin/menu/delconditional": Endpoint(menus.delete_conditional),
    "/cgi-bin/menu/trymatch": Endpoint(menus.try_match),
    "/cgi-bin/get_current_selfmenu_info": Endpoint(menus.current, _GET),
    "/cgi-bin/tags/create": Endpoint(tags.create),
    "/cgi-bin/tags/get": Endpoint(tags.get, _EITHER),
    "/cgi-bin/tags/update": Endpoint(tags.update),
    "/cgi-bin/tags/delete": Endpoint(tags.delete),
    "/cgi-bin/tags/members/batchtagging": Endpoint(tags.tag, one_at_a_time=True),
    "/cgi-bin/tags/members/batchuntagging": Endpoint(tags.untag, one_at_a_time=True),
    "/cgi-bin/tags/members/getblacklist": Endpoint(followers.blacklist),
    "/cgi-bin/tags/members/batchblacklist": Endpoint(followers.bar),
    "/cgi-bin/tags/members/batchunblacklist": Endpoint(followers.unbar),
    "/cgi-bin/tags/getidlist": Endpoint(tags.of_follower),
    "/cgi-bin/user/tag/get": Endpoint(tags.members, _EITHER),
    "/cgi-bin/user/get": Endpoint(followers.everyone, _GET),
    "/cgi-bin/user/info": Endpoint(followers.info, _GET),
    "/cgi-bin/user/info/batchget": Endpoint(followers.infos),
    "/cgi-bin/user/info/updateremark": Endpoint(followers.remark),
    "/cgi-bin/message/custom/send": Endpoint(messages.send),
    "/cgi-bin/message/custom/typing": Endpoint(messages.typing),
    "/cgi-bin/message/template/send": Endpoint(
        messages.template, afterwards=reports.template_settled
    ),
    "/cgi-bin/message/mass/send": Endpoint(masses.send, afterwards=reports.mass_finished),
    "/cgi-bin/qrcode/create": Endpoint(qr.create),
    "/cgi-bin/openapi/quota/get": Endpoint(quotas.get),
    "/cgi-bin/openapi/quota/clear": Endpoint(quotas.clear_one),
    "/cgi-bin/openapi/rid/get": Endpoint(exchanges.request_of),
    "/cgi-bin/clear_quota": Endpoint(quotas.clear_all),
    "/cgi-bin/clear_quota/v2": Endpoint(quotas.clear_with_secret, needs_token=False),
    "/cgi-bin/getcallbackip": Endpoint(network.addresses, _EITHER),
    "/cgi-bin/get_api_domain_ip": Endpoint(network.addresses, _EITHER),
    "/cgi-bin/callback/check": Endpoint(network.check),
    "/cgi-bin/shorten/gen": Endpoint(shorten.generate),
    "/cgi-bin/shorten/fetch": Endpoint(shorten.fetch),
    "/sns/oauth2/access_token": Endpoint(oauth.access_token, _EITHER, needs_token=False),
    "/sns/oauth2/refresh_token": Endpoint(oauth.refresh_token, _EITHER, needs_token=False),
    "/sns/userinfo": Endpoint(oauth.user_info, _EITHER, needs_token=False),
    "/sns/auth": Endpoint(oauth.check, _EITHER, needs_token=False),
}

#: What the platform has and the sandbox does not play: an account without that permission.
_NOT_PLAYED: Final = (
    "/cgi-bin/message/mass/",
    "/cgi-bin/message/subscribe/",
    "/cgi-bin/draft/",
    "/cgi-bin/freepublish/",
    "/cgi-bin/media/",
    "/cgi-bin/material/",
    "/cgi-bin/template/",
    "/cgi-bin/groups/",
    "/cgi-bin/changeopenid",
    "/customservice/",
    "/datacube/",
)
_ESCAPE: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u(?=[0-9a-fA-F]{4})")
_PREFIXES: Final = ("cgi-bin", "sns", "customservice", "datacube", "wxa")


def install(app: Flask, world: World) -> None:
    """Let the application answer every path of the API, those that do not exist included."""

    def view(prefix: str, rest: str) -> Response:
        return _answer(world, f"/{prefix}/{rest}")

    for prefix in _PREFIXES:
        app.add_url_rule(
            f"/{prefix}/<path:rest>",
            endpoint=f"platform_{prefix}",
            view_func=view,
            defaults={"prefix": prefix},
            methods=["GET", "POST"],
        )


def _answer(world: World, path: str) -> Response:
    """Answer one call, and keep what was said."""
    began, rid = time.perf_counter(), new_rid()
    with world.lock:
        fault = world.faults.decide(path)
    response = _behave(world, path, rid, fault)
    world.exchanges.add(
        "in",
        at=world.now(),
        method=request.method,
        path=path,
        query=request.query_string.decode("utf-8", "replace"),
        request=request.get_data(as_text=True),
        status=response.status_code,
        response=response.get_data(as_text=True),
        ms=round((time.perf_counter() - began) * 1000, 1),
        rid=rid,
        fault=fault.do if fault else "",
    )
    return response


def _behave(world: World, path: str, rid: str, fault: Rule | None) -> Response:
    """Answer well, or as the fault says."""
    if fault is None or fault.do in ("delay", "partial"):
        return _json(_effect(world, path, rid, fault), path)
    if fault.do == "errcode":
        refused = Refused(fault.errcode, fault.errmsg)
        return _json(refused.answer(rid), path)
    if fault.do == "hang":
        world.closing.wait(fault.seconds)
        return drop(request.environ)
    if fault.do == "lost" or fault.effect:
        _effect(world, path, rid, None)
    if fault.do == "status":
        return Response(fault.body, fault.status, content_type=fault.content_type)
    if fault.do == "garbage":
        return Response(fault.body, content_type=fault.content_type)
    return drop(request.environ)


def _effect(world: World, path: str, rid: str, fault: Rule | None) -> Json:
    """Do what was asked, or say why not."""
    try:
        endpoint = ENDPOINTS.get(path)
        if endpoint is None:
            raise Refused(48001 if path.startswith(_NOT_PLAYED) else 40066)
        call = _call(world, path, endpoint)
        busy = tags.openids_in(call) if endpoint.one_at_a_time else ()
        with world.handling(busy):
            if fault and fault.do == "delay":
                world.closing.wait(fault.seconds)
            answer = _handled(world, endpoint, call, fault)
    except Refused as refused:
        return refused.answer(rid)
    if endpoint.afterwards:
        endpoint.afterwards(world, call, answer)
    return answer


def _handled(world: World, endpoint: Endpoint, call: Call, fault: Rule | None) -> Json:
    with world.lock:
        failing = fault.openids if fault and fault.do == "partial" else ()
        world.failing = frozenset(failing)
        return endpoint.handle(world, call)


def _call(world: World, path: str, endpoint: Endpoint) -> Call:
    """The call in good form: right method, good token, allowed, within its quota, readable."""
    if request.method not in endpoint.methods:
        raise Refused(43001 if request.method == "POST" else 43002)
    args = request.args.to_dict()
    with world.lock:
        now = world.now()
        if endpoint.needs_token:
            world.tokens.check(args.get("access_token", ""), now)
        if path in world.limits.unauthorised:
            raise Refused(48001)
        world.quotas.spend(path, now)
    body: Mapping[str, Any] = {}
    if request.method == "POST":
        body = _body(world, path, needed="GET" not in endpoint.methods)
    return Call(path, now, args, body, request.method)


def _body(world: World, path: str, *, needed: bool) -> Mapping[str, Any]:
    sent = request.get_data()
    if not sent:
        # clear_quota/v2 is called with everything in the query string, as WeChat's sample shows.
        if needed and path != "/cgi-bin/clear_quota/v2":
            raise Refused(44002)
        return {}
    try:
        text = sent.decode()
        body = json.loads(_literal(world, path, text), strict=False)
    except UnicodeDecodeError:
        raise Refused(40033) from None
    except (ValueError, RecursionError):
        raise Refused(47001) from None
    if not isinstance(body, dict):
        raise Refused(47001)
    return body


def _literal(world: World, path: str, text: str) -> str:
    r"""The body as WeChat reads it: a ``\uXXXX`` stays six characters of text, or is refused."""
    if not _ESCAPE.search(text):
        return text
    rule = world.limits.unicode_escapes
    if rule == "refuse" or (rule == "as_wechat" and path.startswith("/cgi-bin/menu/")):
        raise Refused(40033)
    return _ESCAPE.sub(r"\1\\\\u", text)


def _json(body: Json, path: str) -> Response:
    """JSON in UTF-8, never escaped; the pages' API labels it as plain text, as WeChat does."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    label = "text/plain" if path.startswith("/sns/") else "application/json; encoding=utf-8"
    response = Response(text)
    response.headers["Content-Type"] = label
    return response
