"""One's own account: home page, branch, colours, password, recovery codes, proof, leaving all."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, abort, flash, request
from flask.typing import ResponseReturnValue

from service import audit, journal
from service.access import access
from service.console import cookies, guard, shell
from service.staff import cast, door, entry, passwords, second_factor, sessions, throttle
from service.wiring import wiring

account = Blueprint("console_account", __name__, url_prefix=guard.ROOT)

_OWN: Final = "concerns nobody but whoever is signed in"


@account.get("/")
@access("staff", why="everybody who is signed in has a home page")
def home() -> Response:
    """What is out of the ordinary now, and what waits for this person."""
    me = guard.me()
    with wiring().reading() as unit:
        looks = [look(unit, me) for look in wiring().tables.inbox]
        standing = [one for look in wiring().tables.standing for one in look(unit, me)]
    waiting = [found for found in looks if found is not None]
    return shell.page("console/home.html", title="首页", waiting=waiting, standing=standing)


@account.post("/branch")
@access("staff", why=_OWN)
def choose_branch() -> ResponseReturnValue:
    """Work for another branch from now on."""
    found, code = guard.session(), request.form.get("code", "")
    with wiring().unit() as unit:
        door(unit, found.me, code, "read")
        sessions.work_for(unit, found, branch=code)
    # The page one was on may belong to the branch one has just left.
    return guard.go(guard.HOME)


@account.post("/theme")
@access("staff", why=_OWN)
def choose_theme() -> ResponseReturnValue:
    """Light, dark, or as the computer is set; kept in the browser."""
    theme = request.form.get("theme", "")
    if theme not in shell.THEMES:
        abort(400)
    response = guard.go(guard.own_path(request.form.get("next")))
    cookies.put_theme(response, wiring().settings, theme)
    return response


@account.get("/account")
@access("staff", why=_OWN)
def overview() -> Response:
    return shell.page("console/account.html", title="账号与安全")


@account.post("/account/password")
@access("staff", why=_OWN)
def change_password() -> ResponseReturnValue:
    """Another password, for whoever knows the present one."""
    found, chosen = guard.session(), request.form.get("password", "")
    with wiring().unit() as unit:
        wait = throttle.spend(unit, login=found.me.login, **guard.whence(found.me.login))
    with wiring().reading() as unit:
        kept = entry.candidate(unit, found.me.login)
    if wait or not entry.is_right(kept, request.form.get("current", "")):
        problems = ["现在的密码不正确或尝试太频繁，请稍等再输入"]
    else:
        problems = passwords.faults(chosen, login=found.me.login)
    if chosen != request.form.get("again", ""):
        problems.append("两次输入的新密码不一样，请重新输入")
    if problems:
        return shell.page("console/account.html", title="账号与安全", problems=problems, status=422)
    made = passwords.hashed(chosen)
    with wiring().unit() as unit:
        throttle.give_back(unit, login=found.me.login, **guard.whence(found.me.login))
        token = entry.change_password(unit, found, password_hash=made)
    if token is None:
        return guard.ended()
    flash("密码已经更改，其他设备上的登录都已退出。", "success")
    response = guard.go(f"{guard.ROOT}/account")
    cookies.put(response, wiring().settings, cookies.SESSION, token)
    return response


@account.post("/account/recovery-codes")
@access("staff", why=_OWN, fresh=True)
def new_recovery_codes() -> Response:
    """New codes in place of the old ones, shown this once."""
    me = guard.me()
    if not guard.session().has_second_factor:
        abort(404)
    with wiring().unit() as unit:
        codes = second_factor.new_recovery_codes(unit, me.id)
        audit.note(unit, actor=me, act="staff.renewed_recovery_codes", subject=f"staff:{me.login}")
    return shell.page(
        "console/recovery_codes.html", title="保存恢复码", codes=codes, next=f"{guard.ROOT}/account"
    )


@account.post("/account/sign-out-everywhere")
@access("staff", why=_OWN)
def sign_out_everywhere() -> ResponseReturnValue:
    """End every session of this person, on whatever device."""
    with wiring().unit() as unit:
        sessions.close_all(unit, guard.me().id)
    response = guard.go(guard.SIGN_IN)
    cookies.drop(response, wiring().settings, cookies.SESSION)
    return response


@account.get("/prove")
@access("staff", why=_OWN)
def prove_form() -> Response:
    return _proof()


@account.post("/prove")
@access("staff", why=_OWN)
def prove() -> ResponseReturnValue:
    """A code once more, before something that cannot be taken back."""
    found, code = guard.session(), request.form.get("code", "")[:64]
    with wiring().unit() as unit:
        wait = throttle.spend(unit, login=found.me.login, **guard.whence(found.me.login))
    token = None
    if not wait:
        with wiring().unit() as unit:
            if second_factor.use_code(unit, found.me.id, code):
                throttle.give_back(unit, login=found.me.login, **guard.whence(found.me.login))
                token = sessions.prove(unit, found)
    if token is None:
        journal.count("staff_proofs", outcome="wrong")
        return _proof(
            problem="动态码不正确、已经用过，或尝试太频繁；请等新的动态码再输入。", status=401
        )
    flash("身份已确认。如果刚才正在提交，请再提交一次。", "success")
    response = guard.go(guard.own_path(request.form.get("next")))
    cookies.put(response, wiring().settings, cookies.SESSION, token)
    cookies.put_device(response, wiring().settings, found.me.login)
    return response


def _proof(*, problem: str = "", status: int = 200) -> Response:
    return shell.page(
        "console/prove.html", title="请再确认一次身份", problem=problem,
        next=guard.own_path(request.values.get("next")),
        hint=cast.code_for(wiring(), guard.session()), status=status,
    )  # fmt: skip
