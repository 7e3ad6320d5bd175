"""The guard before every request: nobody reaches a staff view who does not fit its stamp.

It stands before the whole application and not before some blueprint, so a package that brings a
page cannot forget it; and below ``/console`` a view without a stamp is closed to everybody. What
remains for a view is to ask the door of the branch (``staff.door``) it is about to touch.
"""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import replace
from typing import Final, cast
from urllib.parse import quote, urlsplit

from flask import Response, abort, current_app, flash, g, make_response, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import escape
from werkzeug.exceptions import HTTPException

from service.access import Stamp, stamp_of
from service.api import problems, tokens
from service.console import cookies
from service.sealing import keyed_digest
from service.staff import Me, operations, rights, sessions
from service.staff.sessions import NEW_PASSWORD, PASSWORD_OK, SIGNED_IN, Session
from service.wiring import wiring

ROOT: Final = "/console"
SIGN_IN: Final = f"{ROOT}/sign-in"
HOME: Final = f"{ROOT}/"
#: Where somebody belongs who has come in half way.
_NEXT_STEP: Final = {PASSWORD_OK: f"{ROOT}/second-factor", NEW_PASSWORD: f"{ROOT}/password"}
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: A form sends its token as a field, a script as a header.
FIELD: Final = "csrf"
HEADER: Final = "X-CSRF"


def me() -> Me:
    """Whoever is calling; only in views stamped for staff."""
    return cast(Me, g.staff)


def known_caller() -> Me | None:
    """The same in any view; None where nobody is known."""
    found: Me | None = g.get("staff")
    return found


def session() -> Session:
    """The session of whoever is calling from a browser; only in views stamped for staff."""
    return cast(Session, g.staff_session)


def known_session() -> Session | None:
    """The same in any view of the console; None when there is none."""
    found: Session | None = g.get("staff_session")
    return found


def check() -> ResponseReturnValue | None:
    """Run before every request: what to answer instead of the view, or None to go on."""
    view = current_app.view_functions.get(request.endpoint or "")
    stamp = stamp_of(view)
    if not is_console() and (stamp is None or stamp.audience != "staff"):
        return None
    if problems.is_api():
        return _check_program(stamp)
    g.staff_session = _session()
    if request.routing_exception is not None:
        return None
    # Here a view that says nothing, or is for others, is closed to everybody.
    if stamp is None or stamp.audience not in ("staff", "public"):
        abort(404)
    _require_text()
    if stamp.audience == "public":
        return None
    return _check_person(stamp)


def is_console() -> bool:
    """Whether this request is for the console, by its address alone."""
    return request.path == ROOT or request.path.startswith(f"{ROOT}/")


def own_path(path: str | None) -> str:
    """The path if it leads to a staff page of ours, else the home page: never another site."""
    if not path or not path.startswith(f"{ROOT}/") or "\\" in path or not path.isascii():
        return HOME
    parts = urlsplit(path)
    if parts.scheme or parts.netloc or parts.fragment or not path.isprintable():
        return HOME
    try:
        adapter = current_app.create_url_adapter(request)
        assert adapter is not None
        endpoint, _values = adapter.match(parts.path, method="GET")
    except HTTPException:
        return HOME
    stamp = stamp_of(current_app.view_functions.get(endpoint))
    is_inside = stamp is not None and stamp.audience == "staff" and stamp.stage == SIGNED_IN
    return path if is_inside else HOME


def address() -> str:
    """Where the request comes from, as limits count: behind our own proxies, what they say.

    Of IPv6 the network counts, since one household has billions of addresses in it.
    """
    hops = wiring().settings.proxy_hops
    told = [
        part.strip() for part in ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
    ]
    name = told[-hops] if hops and len(told) >= hops else (request.remote_addr or "")
    try:
        found = ipaddress.ip_address(name)
    except ValueError:
        return request.remote_addr or ""
    if found.version == 6:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def source() -> str:
    """The address as the audit keeps it: one can compare it and not read it."""
    return keyed_digest(wiring().settings.secret_key, "audit source", address())[:14]


def whence(login: str) -> dict[str, str]:
    """The ``address`` and the ``device`` by which tries of this person from here are counted."""
    device = cookies.known_device(wiring().settings, operations.login_of(login))
    return {"address": address(), "device": device}


def require_csrf(expected: str) -> None:
    """Abort with 400 unless the request carries the token."""
    given = request.headers.get(HEADER) or request.form.get(FIELD) or ""
    if not hmac.compare_digest(given.encode(), expected.encode()):
        abort(400)


def require_own_origin() -> None:
    """Abort with 403 when the browser says that another site made this request."""
    origin = request.headers.get("Origin")
    ours = (_origin(wiring().settings.public_base_url), _origin(request.host_url))
    if origin is not None and origin not in ours:
        abort(403)


def _check_person(stamp: Stamp) -> ResponseReturnValue | None:
    found = known_session()
    if found is None:
        return _send_to_sign_in()
    if found.stage != stamp.stage:
        return _send_where_they_belong(found)
    if request.method not in _SAFE:
        require_own_origin()
        require_csrf(found.csrf)
    g.staff = found.me
    _require_act(found.me, stamp)
    if stamp.fresh and not found.is_fresh:
        return _ask_for_proof()
    if found.is_worth_noting:
        with wiring().unit() as unit:
            sessions.see(unit, found)
    return None


def _check_program(stamp: Stamp | None) -> ResponseReturnValue | None:
    """The API's callers bring a token with every request, and no cookie counts there."""
    if stamp is None or stamp.audience != "staff":
        return None
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    caller = None
    if scheme.lower() == "bearer" and token:
        with wiring().reading() as unit:
            caller = tokens.bearer(unit, token.strip())
    if caller is None:
        return problems.answered(401)
    g.staff = replace(caller, source=f"{source()}{caller.source}")
    _require_act(caller, stamp)
    return None


def _require_text() -> None:
    """No database takes a NUL in a text, and no page should have to know that."""
    given = (*request.args.values(), *request.form.values(), *(request.view_args or {}).values())
    if any("\x00" in value for value in given if isinstance(value, str)):
        abort(400)


def _require_act(caller: Me, stamp: Stamp) -> None:
    if stamp.may and not rights.held(caller.grants, stamp.may):
        abort(403)


def _session() -> Session | None:
    token = cookies.read(wiring().settings, cookies.SESSION)
    if not token:
        return None
    with wiring().reading() as unit:
        return sessions.current(unit, token, source=source())


def _send_to_sign_in() -> Response:
    if request.method not in _SAFE:
        return go(SIGN_IN)
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and request.method == "GET":
        return _come_from_here(request.full_path.rstrip("?"))
    path = own_path(request.full_path.rstrip("?"))
    return go(SIGN_IN if path == HOME else with_next(SIGN_IN, path))


def _come_from_here(path: str) -> Response:
    """A link from another site brings no strict cookie along; asked for from here, it comes."""
    return make_response(
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>正在打开</title>'
        f'<meta http-equiv="refresh" content="0;url={_escaped(own_path(path))}">'
    )


def _send_where_they_belong(found: Session) -> Response:
    if found.stage == SIGNED_IN:
        return go(HOME)
    path = own_path(request.full_path.rstrip("?")) if request.method in _SAFE else HOME
    step = _NEXT_STEP[found.stage]
    return go(step if path in (HOME, step) else with_next(step, path))


def _ask_for_proof() -> Response:
    """A form sent too late is not lost quietly: the proof leads back to where it was filled in."""
    asked = request.full_path.rstrip("?")
    if request.method not in _SAFE:
        parts = urlsplit(request.headers.get("Referer", ""))
        asked = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return go(with_next(f"{ROOT}/prove", own_path(asked)))


def ended() -> Response:
    """To the door, for whoever's session ended while their request was worked on."""
    flash("您的登录已被退出，密码没有更改。如果是管理员刚为您重置，请用重置码登录。", "warning")
    response = go(SIGN_IN)
    cookies.drop(response, wiring().settings, cookies.SESSION)
    return response


def go(path: str) -> Response:
    """To another page; a script that asked for a part of a page goes there as a whole."""
    if "HX-Request" in request.headers:
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = path
        return answer
    return cast(Response, redirect(path, 303))


def with_next(path: str, following: str) -> str:
    return f"{path}?next={quote(following, safe='/')}"


def _escaped(text: str) -> str:
    return str(escape(text))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
