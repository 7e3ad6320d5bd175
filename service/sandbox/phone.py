"""The pages of the sandbox: the phone, WeChat's OAuth page, and the stand-in for the JS-SDK."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    jsonify,
    make_response,
    redirect,
    request,
    send_from_directory,
)
from werkzeug.wrappers import Response as Answer

from service.sandbox.browsing import FOLLOWER_COOKIE, is_web_address
from service.sandbox.oauth import NotAuthorised, send_back
from service.sandbox.qr import picture
from service.sandbox.tokens import page_signature
from service.sandbox.world import World, world

pages = Blueprint("pages", __name__)

_STATIC: Final = Path(__file__).parent / "static"
_PHONE_POLICY: Final = (
    "default-src 'self'; img-src * data:; frame-src *; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'self'"
)


@pages.get("/")
@pages.get("/phone")
def phone() -> Response:
    """The phone beside its controls."""
    response = send_from_directory(_STATIC, "phone/phone.html")
    response.headers["Content-Security-Policy"] = _PHONE_POLICY
    response.headers["Cache-Control"] = "no-cache"
    return response


@pages.get("/phone/config")
def config() -> Response:
    """What the phone must know before it can be used."""
    settings = world().settings
    return jsonify(
        bank=settings.bank_name,
        datum=settings.location_datum,
        pages=settings.public_base_url,
        webhook=world().webhook.url,
    )


@pages.get("/phone/backdrop")
def backdrop() -> Response:
    """Outlines and cities; without any, a short list of cities only."""
    draw = current_app.extensions["backdrop"]
    if draw is None:
        return send_from_directory(_STATIC, "phone/cities.json")
    shelf: dict[str, Any] = current_app.extensions
    if "backdrop drawn" not in shelf:
        shelf["backdrop drawn"] = json.dumps(draw(world().settings), ensure_ascii=False)
    return Response(shelf["backdrop drawn"], content_type="application/json")


@pages.get("/phone/open")
def open_as() -> Answer:
    """Hand the phone to a follower, then go where they want to go.

    The bank's pages are told to forget who was there before and to ask afresh.
    """
    here, url = world(), request.args.get("url", "")
    with here.lock:
        if request.args.get("openid") not in here.followers:
            abort(404)
    if not is_web_address(url):
        return _sorry("这个链接无法在手机里打开")
    ours = here.settings.public_base_url
    if url == ours or url.startswith(f"{ours}/"):
        path = url.removeprefix(ours) or "/"
        url = f"{ours}/oauth/start?next={quote(path, safe='')}"
    return _held_by(request.args["openid"], redirect(url))


@pages.get("/connect/oauth2/authorize")
def authorise() -> Answer:
    """Who is holding this phone? Known by the phone's cookie, or picked from a list."""
    here = world()
    picked = request.args.get("sandbox_pick", "")
    with here.lock:
        one = here.followers.get(picked or request.cookies.get(FOLLOWER_COOKIE, ""))
        if one is None:
            return _choice(here)
        try:
            onward = send_back(here, one, request.args)
        except NotAuthorised as refused:
            return _sorry(str(refused))
    return _held_by(picked, redirect(onward)) if picked else redirect(onward)


@pages.get("/cgi-bin/showqrcode")
def show_qr_code() -> Response:
    """The picture behind a ticket."""
    here = world()
    with here.lock:
        code = here.qr_codes.all.get(request.args.get("ticket", ""))
        if code is None or not code.works(here.now()):
            abort(404)
        return Response(picture(code), content_type="image/svg+xml")


@pages.get("/q/<scene>")
def scanned_elsewhere(scene: str) -> Answer:
    """What a QR code's address shows outside WeChat."""
    return _sorry(f"请在沙箱手机里用“扫码”输入场景值 {scene}")


@pages.get("/jssdk/jweixin.js")
def jssdk() -> Response:
    """The stand-in for WeChat's page script; pages of any host load it."""
    response = send_from_directory(_STATIC, "jweixin.js")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = "no-cache"
    return response


@pages.route("/_jssdk/verify", methods=["POST", "OPTIONS"])
def verify() -> Response:
    """Whether ``wx.config`` of a page is signed for its address with the ticket of now."""
    response = jsonify(errMsg=_judged(request.get_json(silent=True) or {}))
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type"
    return response


def _judged(sent: dict[str, Any]) -> str:
    here = world()
    if sent.get("appId") != here.settings.wechat_appid:
        return "config:fail, invalid appid"
    with here.lock:
        ticket = here.tokens.current_ticket
    url = str(sent.get("url", "")).partition("#")[0]
    expected = page_signature(
        ticket or "",
        nonce=str(sent.get("nonceStr", "")),
        timestamp=str(sent.get("timestamp", "")),
        url=url,
    )
    if ticket is None or sent.get("signature") != expected:
        return "config:fail, invalid signature"
    return "config:ok"


def _held_by(openid: str, response: Answer) -> Answer:
    # Browsers share cookies between the ports of a host; the path keeps ours from the bank's pages.
    response.set_cookie(FOLLOWER_COOKIE, openid, path="/connect", httponly=True, samesite="Lax")
    return response


def _choice(here: World) -> Answer:
    """A list of everybody there is."""
    asked = request.args.to_dict()
    rows = "".join(
        f'<li><a href="?{escape(urlencode({**asked, "sandbox_pick": one.openid}))}">'
        f"{escape(one.name)}</a></li>"
        for one in here.followers.values()
    )
    empty = "" if rows else "<p>还没有粉丝，请先在沙箱手机里创建一位。</p>"
    return _page("选择以哪位粉丝的身份打开", f"<ul>{rows}</ul>{empty}")


def _sorry(sentence: str) -> Answer:
    response = _page("提示", f"<p>{escape(sentence)}</p>")
    response.status_code = 400
    return response


def _page(title: str, inside: str) -> Answer:
    response = make_response(
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>"
        '<link rel="stylesheet" href="/_static/page.css"></head>'
        f"<body><main><h1>{escape(title)}</h1>{inside}</main></body></html>"
    )
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
