"""The control API: plays followers, moves the clock and the limits, scripts faults, shows the log.

Documented in ``docs/sandbox.md``. It is for whoever runs the sandbox, so it takes no credential,
but refuses what a page of another site makes a browser send.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, jsonify, request

from service.clock import shanghai
from service.sandbox import push
from service.sandbox.browsing import open_page
from service.sandbox.calls import Json
from service.sandbox.deeds import DEEDS, Deed, Impossible, event, raw
from service.sandbox.faults import FaultRefused
from service.sandbox.limits import LimitRefused
from service.sandbox.menus import Menu
from service.sandbox.world import MENU_CACHE_SECONDS, Follower, World, world

control = Blueprint("control", __name__, url_prefix="/_control")

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_MOST_TIMES: Final = 1000
_AT_ONCE: Final = 32


class Unusable(Exception):
    """A control call that cannot be carried out; the sentence says why."""


@control.before_request
def refuse_strangers() -> None:
    """From a browser, only the sandbox's own pages may drive it, under a name of this machine."""
    served = urlsplit(world().base_url).hostname or ""
    named = urlsplit(request.host_url).hostname or ""
    if served in _LOOPBACK and named not in _LOOPBACK:
        abort(403)
    origin = request.headers.get("Origin")
    if origin is not None and origin != request.host_url.rstrip("/"):
        abort(403)


@control.errorhandler(Unusable)
@control.errorhandler(LimitRefused)
@control.errorhandler(FaultRefused)
@control.errorhandler(ValueError)
def unusable(refused: Exception) -> tuple[Response, int]:
    """What was wrong with the call."""
    return jsonify(error=str(refused)), 400


@control.errorhandler(Impossible)
def impossible(refused: Impossible) -> tuple[Response, int]:
    """What this follower cannot do now."""
    return jsonify(error=str(refused)), 409


@control.get("/followers")
def list_followers() -> Response:
    """Everybody there is, in short."""
    here = world()
    with here.lock:
        return jsonify([_short(here, one) for one in here.followers.values()])


@control.post("/followers")
def create_follower() -> tuple[Response, int]:
    """Somebody new with WeChat."""
    here, sent = world(), _sent()
    with here.lock:
        one = here.add_follower(
            str(sent.get("openid") or ""),
            name=str(sent.get("name") or ""),
            platform=str(sent.get("platform") or "2"),
            subscribed=sent.get("subscribed") is True,
        )
        return jsonify(_whole(here, one)), 201


@control.get("/followers/<openid>")
def show_follower(openid: str) -> Response:
    """One follower: chat, tags, windows, and the menu as their WeChat would show it."""
    here = world()
    with here.lock:
        return jsonify(_whole(here, _one(here, openid)))


@control.patch("/followers/<openid>")
def change_follower(openid: str) -> Response:
    """Rename them, give them another phone, mute the account, or put them somewhere."""
    here, sent = world(), _sent()
    allowed = {"name": str, "platform": str, "muted": bool, "place": dict | None}
    for name, value in sent.items():
        if name not in allowed or not isinstance(value, allowed[name]):
            raise Unusable(f"{name} cannot be set to that")
    if sent.get("platform", "2") not in ("1", "2", "3"):
        raise Unusable("platform is 1 (iOS), 2 (Android) or 3 (other)")
    with here.lock:
        one = _one(here, openid)
        for name, value in sent.items():
            setattr(one, name, value)
        return jsonify(_whole(here, one))


@control.post("/followers/<openid>/open")
def open_for(openid: str) -> Response:
    """Fetch a page as this follower; ``fresh`` empties their cookies first."""
    here, sent = world(), _sent()
    with here.lock:
        one = _one(here, openid)
        if sent.get("fresh"):
            here.jars.empty(openid)
    return jsonify(open_page(here, one, str(sent.get("url", ""))))


@control.post("/followers/<openid>/enter")
def enter(openid: str) -> Response:
    """Open the chat: WeChat fetches the menu again if its copy is older than five minutes."""
    here = world()
    with here.lock:
        one = _one(here, openid)
        fetched = here.enter_chat(one)
        return jsonify({"menu_fetched": fetched, **_whole(here, one)})


@control.post("/followers/<openid>/<deed>")
def act(openid: str, deed: str) -> Response:
    """Let the follower do something, and push what comes of it."""
    if deed not in DEEDS:
        abort(404)
    here, sent = world(), _sent()
    with here.lock:
        one = _one(here, openid)
        done = DEEDS[deed](here, one, sent)
        if one.barred and deed != "unsubscribe":
            return jsonify(deliveries=[], outcome="unsent", why="on the blacklist", **done.about)
    return jsonify(_carry_out(here, done, sent))


@control.post("/<any(event, raw):deed>")
def act_as_wechat(deed: str) -> Response:
    """Push something that comes from WeChat itself, such as ``annual_renew``."""
    here, sent = world(), _sent()
    with here.lock:
        done = (event if deed == "event" else raw)(here, None, sent)
    return jsonify(_carry_out(here, done, sent))


@control.get("/quotas")
def show_quotas() -> Response:
    """Ceilings and usage of every path."""
    here = world()
    with here.lock:
        return jsonify(here.quotas.shown(here.now(), here.paths))


@control.put("/quotas")
def change_quotas() -> Response:
    """Set ``daily``, ``minute`` or ``used`` numbers by path."""
    here, sent = world(), _sent()
    with here.lock:
        here.quotas.change(sent, here.now())
    return show_quotas()


@control.get("/limits")
def show_limits() -> Response:
    """Every adjustable bound."""
    return jsonify(world().limits.shown())


@control.put("/limits")
def change_limits() -> Response:
    """Set some of them."""
    here, sent = world(), _sent()
    with here.lock:
        here.limits.change(sent)
    return show_limits()


@control.get("/faults")
def show_faults() -> Response:
    """The script, with how often each rule was asked and fired."""
    here = world()
    with here.lock:
        return jsonify(here.faults.shown())


@control.put("/faults")
def change_faults() -> Response:
    """Begin another script; an empty one makes everything work."""
    here, sent = world(), _sent()
    with here.lock:
        here.faults.play(sent)
    return show_faults()


@control.get("/clock")
def show_clock() -> Response:
    """What time the sandbox thinks it is."""
    here = world()
    now = here.now()
    local = shanghai(datetime.fromtimestamp(now, UTC))
    return jsonify(now=now, offset=here.offset, shanghai=local.isoformat(timespec="seconds"))


@control.put("/clock")
def change_clock() -> Response:
    """``{"at": epoch}``, ``{"advance": seconds}`` or ``{"offset": seconds}``."""
    here, sent = world(), _sent()
    name, value = next(iter(sent.items()), ("", None))
    if name not in ("at", "advance", "offset") or not isinstance(value, int | float):
        raise Unusable("say at, advance or offset, in seconds")
    with here.lock:
        if name == "at":
            here.offset += value - here.now()
        else:
            here.offset = value + (here.offset if name == "advance" else 0)
    return show_clock()


@control.get("/webhook")
def show_webhook() -> Response:
    """Where and how events are pushed."""
    return jsonify(asdict(world().webhook))


@control.put("/webhook")
def change_webhook() -> Response:
    """Set some of it."""
    here, sent = world(), _sent()
    kinds: dict[str, Any] = {
        "url": str,
        "mode": str,
        "resends": int,
        "deadline_seconds": int | float,
        "skew_seconds": int,
        "previous_key": bool,
        "reports": bool,
    }
    for name, value in sent.items():
        if name not in kinds or not isinstance(value, kinds[name]):
            raise Unusable(f"{name} cannot be set to that")
    if sent.get("mode", "safe") not in ("safe", "compat", "plain"):
        raise Unusable("mode is safe, compat or plain")
    with here.lock:
        for name, value in sent.items():
            setattr(here.webhook, name, value)
    return show_webhook()


@control.post("/webhook/verify")
def verify_webhook() -> Response:
    """Check the address as the console does when it is saved."""
    return jsonify(push.verify(world()))


@control.put("/menu")
def menu_by_hand() -> Response:
    """A menu made in the console; only ``get_current_selfmenu_info`` will show it."""
    here, sent = world(), _sent()
    if not isinstance(sent.get("button"), list):
        raise Unusable("button must be a list")
    with here.lock:
        here.menus.by_hand = sent["button"]
    return jsonify(ok=True)


@control.post("/tokens/revoke")
def revoke_tokens() -> Response:
    """End every access token now: the next call with one gets 40001."""
    here = world()
    with here.lock:
        here.tokens.revoke_all(here.now())
    return jsonify(ok=True)


@control.get("/log")
def show_log() -> Response:
    """Every exchange with a number higher than ``after``, oldest first."""
    after = request.args.get("after", 0, type=int)
    return jsonify(world().exchanges.after(after))


@control.get("/state")
def show_state() -> Response:
    """The account at a glance."""
    here = world()
    with here.lock:
        return jsonify(
            now=here.now(),
            gh_id=here.gh_id,
            appid=here.settings.wechat_appid,
            webhook=asdict(here.webhook),
            followers=len(here.followers),
            subscribed=sum(one.subscribed for one in here.followers.values()),
            tags=[tag.shown() for tag in here.tags.all.values()],
            menu=_menu(here.menus.default),
            conditional=[_menu(menu) for menu in here.menus.conditional],
            faults=here.faults.shown(),
        )


@control.post("/reset")
def reset() -> Response:
    """An empty account; where events are pushed to stays."""
    here = world()
    with here.lock:
        here.reset()
    return jsonify(ok=True)


def _sent() -> Json:
    sent = request.get_json(silent=True)
    if sent is None and not request.get_data():
        return {}
    if not isinstance(sent, dict):
        raise Unusable("send a JSON object, labelled as application/json")
    return sent


def _one(here: World, openid: str) -> Follower:
    one = here.followers.get(openid)
    if one is None:
        abort(404)
    return one


def _carry_out(here: World, done: Deed, sent: Json) -> Json:
    """Push it, as often as asked, one after the other or all ``together``."""
    times = sent.get("times", 1)
    if not isinstance(times, int) or not 1 <= times <= _MOST_TIMES:
        raise Unusable(f"times is 1 to {_MOST_TIMES}")
    answer: Json = {"deliveries": [], "outcome": "unsent", "why": "", **done.about}
    if sent.get("quiet") or not done.pushes:
        return answer
    jobs = [pushed for pushed in done.pushes for _ in range(times)]
    with ThreadPoolExecutor(min(len(jobs), _AT_ONCE) if sent.get("together") else 1) as pool:
        rounds = list(pool.map(lambda pushed: push.deliver(here, pushed), jobs))
    answer["deliveries"] = [asdict(attempt) for attempts in rounds for attempt in attempts]
    # The first push decides: a location message that follows a picker event is a second thought.
    last = rounds[times - 1][-1]
    return {**answer, "outcome": last.outcome, "why": last.why}


def _short(here: World, one: Follower) -> Json:
    return {
        "openid": one.openid,
        "name": one.name,
        "platform": one.platform,
        "subscribed": one.subscribed,
        "barred": one.barred,
        "muted": one.muted,
        "tags": [{"id": tag, "name": here.tags.all[tag].name} for tag in one.tags],
        "place": one.place,
    }


def _whole(here: World, one: Follower) -> Json:
    age, menu = here.now() - one.menu_fetched_at, here.menu_of(one)
    cached = _menu(one.cached_menu)
    if cached is not None:
        cached |= {"age_seconds": round(age), "stale": age > MENU_CACHE_SECONDS}
    return {
        **_short(here, one),
        "scene": one.scene,
        "remark": one.remark,
        "menu": menu.buttons if menu else [],
        "menu_id": str(menu.menu_id) if menu else "",
        "cached_menu": cached,
        "windows": one.windows.shown(here.now()),
        "typing": one.windows.typing,
        "chat": list(one.chat),
    }


def _menu(menu: Menu | None) -> Json | None:
    if menu is None:
        return None
    return {"menuid": str(menu.menu_id), "rule": dict(menu.rule), "button": menu.buttons}
