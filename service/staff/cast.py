"""The people of the sample bank, so that a newcomer can try every role within a minute.

Their passwords and second factors follow from ``SECRET_KEY``; whoever left the sample key in place
has what everybody else has. Production knows none of them and lets none of them in.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

from sqlalchemy import update

from config import Settings
from service.sealing import keyed_digest
from service.staff import operations, passwords, second_factor
from service.staff.models import Staff
from service.staff.rights import ROLES
from service.staff.sessions import Session
from service.wiring import Unit, Wiring


@dataclass(frozen=True, slots=True)
class Player:
    """One person of the sample bank."""

    login: str
    name: str
    role: str
    branch: str


CAST: Final = (
    Player("gd.editor", "陈小燕", "editor", "B440000"),
    Player("gd.checker", "林志强", "checker", "B440000"),
    Player("sh.editor", "顾雯", "editor", "B310000"),
    Player("ops.wang", "王值班", "operations", "HQ"),
    Player("ops.li", "李值班", "operations", "HQ"),
    Player("admin", "赵管理", "administrator", "HQ"),
    Player("auditor", "周审计", "auditor", "HQ"),
    Player("reader", "吴只读", "reader", "HQ"),
)


def seed(unit: Unit) -> None:
    """Take the cast on, ready to come in; whoever is there already stays as they are.

    Raises:
        RuntimeError: in production, where nobody may exist whose password can be looked up.
    """
    if unit.settings.in_production:
        raise RuntimeError("the sample bank's people have no place in production")
    hashed = passwords.hashed(password(unit.settings))
    for player in CAST:
        if operations.person(unit, player.login) is None:
            _take_on(unit, player, hashed)


def password(settings: Settings) -> str:
    """The one password of the whole cast."""
    return f"Demo-{_derived(settings, 'cast password')[:8].lower()}"


def secret_of(settings: Settings, login: str) -> str:
    """The second factor's secret of one of the cast, for an authenticator app."""
    return _derived(settings, f"cast second factor {login}")


def code_for(wiring: Wiring, session: Session) -> str:
    """The code one of the cast would read off a phone nobody has; "" for everybody else."""
    settings = wiring.settings
    if settings.in_production or not settings.uses_sandbox or not session.is_demo:
        return ""
    return second_factor.code_now(secret_of(settings, session.me.login))


def card(settings: Settings) -> str:
    """Who may come in and how, for the terminal of whoever tries the program out."""
    lines = [f"  {player.login:<12}{player.branch:<9}{ROLES[player.role].title}" for player in CAST]
    return "\n".join(
        (
            f"  后台                  {settings.public_base_url}/console/",
            f"  示范账号的密码都是    {password(settings)}",
            "  动态码显示在登录的第二步，也可以运行：flask staff code <登录名>",
            *lines,
        )
    )


def _take_on(unit: Unit, player: Player, hashed: str) -> None:
    staff_id = operations.add(
        unit, login=player.login, name=player.name, by=None, password_hash=hashed, is_demo=True
    )
    secret = secret_of(unit.settings, player.login)
    unit.db.execute(
        update(Staff)
        .where(Staff.id == staff_id)
        .values(totp_sealed=second_factor.sealed(unit, secret), must_change_password=False)
    )
    operations.set_grants(
        unit, staff_id=staff_id, branch=player.branch, roles=[player.role], by=None,
        why="示范账号",
    )  # fmt: skip


def _derived(settings: Settings, purpose: str) -> str:
    """32 signs of base 32."""
    digest = bytes.fromhex(keyed_digest(settings.secret_key, "cast", purpose))
    return base64.b32encode(digest[:20]).decode()
