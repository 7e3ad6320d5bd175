"""The console's cookies: what they are called, and that no script and no other site gets them."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Final, Literal

from flask import Response, request

from config import Settings
from service.sealing import keyed_digest
from service.staff import devices, oidc

#: The session; a form shown before there is one; the way to the single sign-on and back; colours.
SESSION: Final = "console"
FORM: Final = "console-form"
SSO: Final = "console-sso"
THEME: Final = "console-theme"
#: Who came in with this browser before: it keeps their tries apart from strangers', no more.
DEVICE: Final = "console-device"

_THEME_LIFE: Final = timedelta(days=365)


def name(settings: Settings, cookie: str) -> str:
    """With ``__Host-`` browsers take it only over https and for this very host.

    They refuse that name over plain HTTP, which a newcomer's machine speaks.
    """
    return f"__Host-{cookie}" if settings.speaks_https else cookie


def read(settings: Settings, cookie: str) -> str:
    return request.cookies.get(name(settings, cookie), "")


def put(
    response: Response, settings: Settings, cookie: str, value: str, *,
    same_site: Literal["Strict", "Lax"] = "Strict",
) -> None:  # fmt: skip
    """A cookie that ends with the browser, or soon where it is on its way elsewhere."""
    response.set_cookie(
        name(settings, cookie), value, path="/", secure=settings.speaks_https, httponly=True,
        samesite=same_site, max_age=oidc.LIFE if cookie == SSO else None,
    )  # fmt: skip


def drop(response: Response, settings: Settings, cookie: str) -> None:
    response.delete_cookie(
        name(settings, cookie), path="/", secure=settings.speaks_https, httponly=True,
        samesite="Lax" if cookie == SSO else "Strict",
    )  # fmt: skip


def put_theme(response: Response, settings: Settings, theme: str) -> None:
    response.set_cookie(
        name(settings, THEME), theme, path="/", secure=settings.speaks_https, httponly=True,
        samesite="Lax", max_age=_THEME_LIFE,
    )  # fmt: skip


def known_device(settings: Settings, login: str) -> str:
    """What this browser is called for a person who came in with it before; "" for a stranger's."""
    return devices.known(settings.secret_key, read(settings, DEVICE), login=login)


def put_device(response: Response, settings: Settings, login: str) -> None:
    """Remember that this person came in with this browser."""
    held = devices.remember(settings.secret_key, read(settings, DEVICE), login=login)
    response.set_cookie(
        name(settings, DEVICE), held, path="/", secure=settings.speaks_https, httponly=True,
        samesite="Strict", max_age=devices.LIFE,
    )  # fmt: skip


def new_form() -> str:
    """What a browser holds while it looks at a form for which it needs no session."""
    return secrets.token_urlsafe(24)


def form_proof(settings: Settings, held: str) -> str:
    """What the form itself must then carry; no other site can make a browser send both."""
    return keyed_digest(settings.secret_key, "console form", held)


def proves_form(settings: Settings, given: str) -> bool:
    held = read(settings, FORM)
    return bool(held) and hmac.compare_digest(form_proof(settings, held).encode(), given.encode())
