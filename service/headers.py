"""What every answer tells the browser: run nothing foreign, guess nothing, frame us nowhere."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Response

from config import Settings
from service.console import guard


def security_headers(settings: Settings) -> dict[str, str]:
    """The headers by name; they depend on the settings alone.

    The sandbox's phone shows our pages in a frame and answers the page script's calls, so its
    origin is let in while the program talks to a sandbox, and never when it talks to WeChat.
    """
    script = _origin(settings.jssdk_url)
    phone = {_origin(settings.wechat_api_base), _origin(settings.wechat_oauth_base)}
    friends = " ".join(sorted(phone)) if settings.uses_sandbox else ""
    headers = {
        "Content-Security-Policy": "; ".join(
            (
                "default-src 'self'",
                f"script-src 'self' {script}",
                # WeUI draws its icons from data: addresses.
                "img-src 'self' data:",
                "font-src 'self' data:",
                "object-src 'none'",
                "base-uri 'none'",
                "form-action 'self'",
                f"frame-ancestors 'self' {friends}".rstrip(),
            )
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), payment=()",
    }
    if settings.speaks_https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def console_headers(settings: Settings) -> dict[str, str]:
    """What the console's pages get instead: nothing foreign at all, kept nowhere.

    Maps and pictures come from here as well.
    """
    return security_headers(settings) | {
        "Content-Security-Policy": "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                # Tabler draws its icons, and the sign-in its square, from data: addresses.
                "img-src 'self' data: blob:",
                "font-src 'self'",
                "connect-src 'self'",
                "frame-src 'self'",
                "form-action 'self'",
                "base-uri 'none'",
                # A preview is one of our own pages in a frame of another.
                "frame-ancestors 'self'",
            )
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def stamping(settings: Settings) -> Callable[[Response], Response]:
    """What Flask calls after every request; a view that set a header of its own keeps it."""
    headers = tuple(security_headers(settings).items())
    of_console = tuple(console_headers(settings).items())

    def stamp(response: Response) -> Response:
        for name, value in of_console if guard.is_console() else headers:
            response.headers.setdefault(name, value)
        return response

    return stamp


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
