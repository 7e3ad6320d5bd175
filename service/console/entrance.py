"""The way in: password, second factor, a new password where one is due; and the way out."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from service import journal
from service.access import access
from service.console import cookies, guard, shell
from service.staff import (
    cast,
    endings,
    entry,
    oidc,
    operations,
    passwords,
    second_factor,
    sessions,
    throttle,
)
from service.staff.sessions import Session
from service.wiring import wiring

log = journal.logger("service.console.entrance")

entrance = Blueprint("console_entrance", __name__, url_prefix=guard.ROOT)

_BEFORE: Final = "nobody is known yet while they sign in"
_HALF_WAY: Final = "whoever has given the password goes on with the second factor"
_WRONG: Final = "登录名或密码不正确，请核对后再试；忘记密码请联系用户管理员。"
_WRONG_CODE: Final = "动态码不正确或已经用过，请等手机上出现新的动态码再输入。"
_RESET: Final = (
    "您的登录已被退出，因为账号已被重置。请用用户管理员给您的重置码登录；"
    "如果不是您本人要求重置的，请马上联系用户管理员。"
)
_STALE: Final = "页面打开得太久，请再提交一次。"


@entrance.get("/sign-in")
@access("public", why=_BEFORE)
def sign_in() -> ResponseReturnValue:
    """The form; whoever is inside already goes on."""
    if guard.known_session() is not None:
        return redirect(guard.own_path(request.args.get("next")), 303)
    if not _was_reset():
        return _form()
    response = _form(notice=_RESET)
    cookies.drop(response, wiring().settings, cookies.SESSION)
    return response


@entrance.post("/sign-in")
@access("public", why=_BEFORE)
def give_password() -> ResponseReturnValue:
    """Whatever is wrong, the answer is the same and takes as long."""
    guard.require_own_origin()
    settings, login = wiring().settings, request.form.get("login", "")[:80]
    if not cookies.proves_form(settings, request.form.get(guard.FIELD, "")):
        return _form(problem=_STALE, status=400)
    if wait := _spend(login):
        return _form(problem=_too_often(wait), status=429)
    password = request.form.get("password", "")
    with wiring().reading() as unit:
        candidate = entry.candidate(unit, login)
    if not entry.is_right(candidate, password):
        journal.count("staff_sign_ins", outcome="wrong")
        log.warning("a sign-in was refused", source=guard.source())
        return _form(problem=_WRONG, status=401)
    kept = candidate.password_hash or ""
    fresh = passwords.hashed(password) if passwords.is_outdated(kept) else ""
    with wiring().unit() as unit:
        if fresh and candidate.staff_id:
            operations.rehash(unit, staff_id=candidate.staff_id, password_hash=fresh)
        if (before := guard.known_session()) is not None:
            sessions.close(unit, before)
        token = entry.begin(unit, candidate, login=login, **guard.whence(login))
    return _onward(token, request.form.get("next"))


@entrance.get("/second-factor")
@access("staff", why=_HALF_WAY, stage="password-ok")
def second_factor_form() -> ResponseReturnValue:
    """Ask for the code; the first time, show what the authenticator app must read."""
    return _code_form()


@entrance.post("/second-factor")
@access("staff", why=_HALF_WAY, stage="password-ok")
def give_code() -> ResponseReturnValue:
    """The code of a second factor there is, or the first one of a new one."""
    found, code = guard.session(), request.form.get("code", "")[:64]
    if wait := _spend(found.me.login):
        return _code_form(problem=_too_often(wait), status=429)
    if _sets_up(found) and ((done := _set_up(code)) or not found.has_second_factor):
        return done or _code_form(problem=_WRONG_CODE, status=401)
    whence = guard.whence(found.me.login)
    with wiring().unit() as unit:
        token = entry.give_code(unit, found, code=code, **whence)
        anew = None if token else entry.give_reset_code(unit, found, code=code, **whence)
    if anew is not None:
        journal.count("staff_sign_ins", outcome="second_factor_anew")
        return _onward(anew, request.args.get("next"))
    if token is None:
        journal.count("staff_sign_ins", outcome="wrong_code")
        log.warning("a second factor was refused", source=guard.source())
        return _code_form(problem=_WRONG_CODE, status=401)
    journal.count("staff_sign_ins", outcome="in")
    response = _onward(token, request.args.get("next"))
    cookies.put_device(response, wiring().settings, found.me.login)
    return response


@entrance.get("/password")
@access("staff", why="whoever must change the password does so first", stage="new-password")
def password_form() -> Response:
    return shell.page("console/new_password.html", title="设置新密码", login=_login())


@entrance.post("/password")
@access("staff", why="whoever must change the password does so first", stage="new-password")
def new_password() -> ResponseReturnValue:
    """A password of the person's own, in place of the one somebody gave them."""
    found, chosen = guard.session(), request.form.get("password", "")
    problems = passwords.faults(chosen, login=found.me.login)
    if chosen != request.form.get("again", ""):
        problems.append("两次输入的不一样，请重新输入")
    with wiring().reading() as unit:
        kept = entry.kept(unit, found)
    if not problems and entry.is_right(kept, chosen):
        problems.append("不能和原来的密码一样，请换一个")
    if problems:
        return shell.page(
            "console/new_password.html", title="设置新密码", login=_login(), problems=problems,
            status=422,
        )  # fmt: skip
    made = passwords.hashed(chosen)
    with wiring().unit() as unit:
        token = entry.change_password(unit, found, password_hash=made)
    return guard.ended() if token is None else _onward(token, None)


@entrance.post("/sign-out")
@access("public", why="whoever is only half way in may leave as well")
def sign_out() -> ResponseReturnValue:
    """End this session, here and in the browser."""
    found, settings = guard.known_session(), wiring().settings
    if found is not None:
        guard.require_own_origin()
        guard.require_csrf(found.csrf)
        with wiring().unit() as unit:
            sessions.close(unit, found)
    response = redirect(guard.SIGN_IN, 303)
    cookies.drop(response, settings, cookies.SESSION)  # type: ignore[arg-type]  # Flask's redirect makes Flask's response
    return response


def _was_reset() -> bool:
    """Whether this browser was inside until somebody reset the account; true once."""
    token = cookies.read(wiring().settings, cookies.SESSION)
    if not token or request.method != "GET":
        return False
    with wiring().unit() as unit:
        return endings.take(unit, token)


def _form(*, problem: str = "", notice: str = "", status: int = 200) -> Response:
    settings = wiring().settings
    held = cookies.read(settings, cookies.FORM) or cookies.new_form()
    response = shell.page(
        "console/sign_in.html",
        title="登录",
        problem=problem,
        notice=notice,
        proof=cookies.form_proof(settings, held),
        next=guard.own_path(request.values.get("next")),
        login=request.form.get("login", "")[:80],
        has_sso=oidc.is_offered(settings),
        status=status,
    )
    cookies.put(response, settings, cookies.FORM, held)
    return response


def _code_form(*, problem: str = "", status: int = 200) -> Response:
    found, wired = guard.session(), wiring()
    following = guard.own_path(request.args.get("next"))
    if not _sets_up(found):
        hint = cast.code_for(wired, found)
        return shell.page(
            "console/second_factor.html", title="输入动态码", problem=problem, hint=hint,
            next=following, status=status,
        )  # fmt: skip
    with wired.reading() as unit:
        secret = second_factor.opened(unit, found.pending)
    if secret is None:
        secret = second_factor.new_secret()
        with wired.unit() as unit:
            seal = second_factor.sealed(unit, secret)
            sessions.await_second_factor(unit, found, seal=seal)
    return shell.page(
        "console/set_up.html", title="绑定动态码", problem=problem, secret=secret, next=following,
        picture=second_factor.picture(secret, login=found.me.login, bank=wired.settings.bank_name),
        status=status,
    )  # fmt: skip


def _sets_up(found: Session) -> bool:
    """Whether this session is about to bind a phone, for the first time or in place of a lost one.

    Only a hint of what to ask for: ``entry.set_up`` decides.
    """
    return not found.has_second_factor or found.pending is not None


def _set_up(code: str) -> Response | None:
    """The recovery codes to be kept, once the phone is bound; None for a code that is not its."""
    found = guard.session()
    with wiring().unit() as unit:
        done = entry.set_up(unit, found, code=code, **guard.whence(found.me.login))
    if done is None:
        return None
    journal.count("staff_sign_ins", outcome="in")
    response = shell.page(
        "console/recovery_codes.html", title="保存恢复码", codes=done.recovery_codes,
        next=guard.own_path(request.args.get("next")),
    )  # fmt: skip
    if done.token is not None:
        cookies.put(response, wiring().settings, cookies.SESSION, done.token)
        cookies.put_device(response, wiring().settings, found.me.login)
    return response


def _onward(token: str, following: str | None) -> Response:
    """To where the person wanted to go; the guard asks for what is missing on the way."""
    path = guard.own_path(following)
    response = guard.go(path)
    cookies.put(response, wiring().settings, cookies.SESSION, token)
    cookies.drop(response, wiring().settings, cookies.FORM)
    return response


def _spend(login: str) -> timedelta:
    with wiring().unit() as unit:
        return throttle.spend(unit, login=operations.login_of(login), **guard.whence(login))


def _too_often(wait: timedelta) -> str:
    seconds = int(wait.total_seconds()) + 1
    told = f"{seconds} 秒" if seconds < 120 else f"{-(-seconds // 60)} 分钟"
    journal.count("staff_sign_ins", outcome="throttled")
    return f"尝试太频繁，请等 {told} 后再试；账号没有被锁定。"


def _login() -> str:
    return guard.session().me.login
