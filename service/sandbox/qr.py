"""Parametric QR codes: what stands behind a ticket, and until when."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from service.sandbox.calls import Call, Json, Refused, whole

if TYPE_CHECKING:
    from service.sandbox.world import World

_TEMPORARY: Final = ("QR_SCENE", "QR_STR_SCENE")
_PERMANENT: Final = ("QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE")
_LONGEST: Final = 2_592_000
_DEFAULT_SECONDS: Final = 60
_SCENE_CHARACTERS: Final = 64
_LARGEST: Final = {"QR_SCENE": 2**32 - 1, "QR_LIMIT_SCENE": 100_000}


@dataclass(frozen=True, slots=True)
class QrCode:
    """One code: its scene, and when it stops working (never, if permanent)."""

    ticket: str
    scene: str
    expires: float | None

    def works(self, now: float) -> bool:
        return self.expires is None or now < self.expires


class QrCodes:
    """Every code made, by ticket."""

    def __init__(self) -> None:
        self.all: dict[str, QrCode] = {}

    def add(self, scene: str, expires: float | None) -> QrCode:
        code = QrCode("gQ" + secrets.token_urlsafe(60), scene, expires)
        self.all[code.ticket] = code
        return code

    def for_scene(self, scene: str, now: float) -> QrCode | None:
        """A working code that leads to this scene."""
        return next(
            (code for code in self.all.values() if code.scene == scene and code.works(now)), None
        )

    def permanent(self) -> int:
        return sum(code.expires is None for code in self.all.values())


def create(world: World, call: Call) -> Json:
    """``POST /cgi-bin/qrcode/create``."""
    action = call.word("action_name")
    info = call.body.get("action_info")
    scene = _scene(action, info.get("scene") if isinstance(info, dict) else None)
    if action in _PERMANENT:
        if world.qr_codes.permanent() >= world.limits.permanent_qr_codes:
            raise Refused(45029)
        return _made(world, scene, None, 0)
    seconds = whole(call.body.get("expire_seconds", _DEFAULT_SECONDS))
    if seconds is None or not 1 <= seconds <= _LONGEST:
        raise Refused(40053)
    return _made(world, scene, call.at + seconds, seconds)


def _made(world: World, scene: str, expires: float | None, seconds: int) -> Json:
    code = world.qr_codes.add(scene, expires)
    answer: Json = {"ticket": code.ticket, "url": f"{world.base_url}/q/{quote(scene)}"}
    if seconds:
        answer["expire_seconds"] = seconds
    return answer


def _scene(action: str, sent: Any) -> str:
    if action not in _TEMPORARY + _PERMANENT or not isinstance(sent, dict):
        raise Refused(40053)
    if action in _LARGEST:
        number = sent.get("scene_id")
        if not isinstance(number, int) or not 1 <= number <= _LARGEST[action]:
            raise Refused(40053)
        return str(number)
    text = sent.get("scene_str")
    if not isinstance(text, str) or not 1 <= len(text) <= _SCENE_CHARACTERS:
        raise Refused(40053)
    return text


def picture(code: QrCode) -> str:
    """What ``showqrcode`` shows: a card that names the scene, as only our phone scans it."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 240" width="240" height="240">'
        '<rect width="240" height="240" fill="#fff" stroke="#333" stroke-width="8"/>'
        '<g font-family="sans-serif" text-anchor="middle" fill="#222">'
        '<text x="120" y="90" font-size="22">沙箱二维码</text>'
        f'<text x="120" y="135" font-size="20">{escape(code.scene)}</text>'
        '<text x="120" y="175" font-size="13">在沙箱手机上“扫码”输入此场景值</text></g></svg>'
    )
