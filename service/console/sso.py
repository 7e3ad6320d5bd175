"""By way of the bank's single sign-on: out to the issuer, and back with its word for somebody."""

from __future__ import annotations

from typing import Final

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
)
from flask.typing import ResponseReturnValue

from service import journal
from service.access import access
from service.console import cookies, guard
from service.staff import entry, oidc, sessions
from service.staff.oidc import Attempt, SsoRefused, SsoUnreachable
from service.staff.sessions import SIGNED_IN
from service.wiring import wiring

log = journal.logger("service.console.sso")

sso = Blueprint("console_sso", __name__, url_prefix=f"{guard.ROOT}/sso")

_BEFORE: Final = "nobody is known yet; the issuer alone says who this is"
_AWAY: Final = "统一认证暂时没有回应，请稍后再试，或用密码登录。"
_REFUSED: Final = "统一认证没有通过，或者您还没有开通后台账号；请联系用户管理员。"


@sso.get("")
@access("public", why=_BEFORE)
def leave() -> ResponseReturnValue:
    """Out to the issuer. Whoever is inside is asked to prove anew that it is them."""
    wired = wiring()
    if not oidc.is_offered(wired.settings):
        abort(404)
    found = guard.known_session()
    proving = found.digest if found is not None and found.stage == SIGNED_IN else ""
    following = guard.own_path(request.args.get("next"))
    try:
        url, attempt = oidc.start(wired, next_path=following, proving=proving)
    except SsoUnreachable as fault:
        log.error("the single sign-on is away", fault=str(fault))
        return _back_to_form(_AWAY)
    with wired.unit() as unit:
        token = oidc.keep(unit, attempt)
    response = make_response(redirect(url, 303))
    # The way back begins on the issuer's site, and a strict cookie would stay behind.
    cookies.put(response, wired.settings, cookies.SSO, token, same_site="Lax")
    return response


@sso.get("/back")
@access("public", why=_BEFORE)
def back() -> ResponseReturnValue:
    """The issuer's answer, good for the one attempt this browser made and for nothing else."""
    wired = wiring()
    if not oidc.is_offered(wired.settings):
        abort(404)
    token = cookies.read(wired.settings, cookies.SSO)
    with wired.unit() as unit:
        attempt = oidc.take(unit, token) if token else None
    if attempt is None:
        return _back_to_form(_REFUSED)
    try:
        subject = oidc.subject(wired, attempt, request.args)
    except SsoRefused as fault:
        log.warning("the single sign-on was not believed", fault=str(fault))
        return _back_to_form(_REFUSED)
    except SsoUnreachable as fault:
        log.error("the single sign-on is away", fault=str(fault))
        return _back_to_form(_AWAY)
    cookie = _come_in(attempt, subject)
    if cookie is None:
        journal.count("staff_sign_ins", outcome="sso_unknown")
        return _back_to_form(_REFUSED)
    return _inside(cookie, attempt.next)


def _come_in(attempt: Attempt, subject: str) -> str | None:
    """What the session's cookie must hold; None when the subject is nobody of ours."""
    with wiring().unit() as unit:
        candidate = entry.by_subject(unit, subject)
        if candidate.staff_id is None:
            return None
        if attempt.proving:
            found = sessions.under(unit, attempt.proving, source=guard.source())
            if found is None or found.me.id != candidate.staff_id:
                return None
            return sessions.prove(unit, found)
        return entry.vouched(unit, candidate, source=guard.source())


def _inside(cookie: str, path: str) -> Response:
    """A page that goes on by itself, from our own site: a redirect would carry no strict cookie."""
    journal.count("staff_sign_ins", outcome="sso")
    response = make_response(render_template("console/onward.html", path=guard.own_path(path)))
    cookies.put(response, wiring().settings, cookies.SESSION, cookie)
    cookies.drop(response, wiring().settings, cookies.SSO)
    return response


def _back_to_form(why: str) -> Response:
    flash(why, "warning")
    response = make_response(redirect(guard.SIGN_IN, 303))
    cookies.drop(response, wiring().settings, cookies.SSO)
    return response
