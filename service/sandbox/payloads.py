"""Every message and event the platform can push, as the XML the account's server gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.sandbox.calls import Json

Fields = Mapping[str, Any]

#: The sender of events that are not about what a follower did just now.
PUSH_SERVICE: Final = "oSandboxPushService000000000"

#: The event each type of keyed button reports.
_SCANS: Final = ("scancode_push", "scancode_waitmsg")
_PICTURES: Final = ("pic_sysphoto", "pic_photo_or_album", "pic_weixin")


@dataclass(frozen=True, slots=True)
class Pushed:
    """One thing to push: for whom, what it is called (``text``, ``event:CLICK``), its XML."""

    openid: str
    kind: str
    xml: bytes

    @property
    def is_message(self) -> bool:
        return not self.kind.startswith("event:")


def xml(fields: Fields) -> bytes:
    """The fields as ``<xml>``: text in CDATA, numbers bare, lists as ``<item>``.

    Only ``List`` repeats itself instead, as the subscription events do.
    """
    return f"<xml>{_inside(fields)}</xml>".encode()


def message(to: str, openid: str, at: int, msg_id: int, kind: str, fields: Fields) -> Pushed:
    """Something the follower wrote or sent."""
    head = {"ToUserName": to, "FromUserName": openid, "CreateTime": at, "MsgType": kind}
    return Pushed(openid, kind, xml({**head, **fields, "MsgId": msg_id}))


def event(to: str, openid: str, at: int, name: str, fields: Fields) -> Pushed:
    """Something that happened."""
    head = {"ToUserName": to, "FromUserName": openid, "CreateTime": at, "MsgType": "event"}
    return Pushed(openid, f"event:{name}", xml({**head, "Event": name, **fields}))


def location_event(latitude: float, longitude: float, precision: float) -> Json:
    """Fields of LOCATION: degrees as the phone gave them, precision in metres."""
    return {
        "Latitude": _Bare(f"{latitude:.6f}"),
        "Longitude": _Bare(f"{longitude:.6f}"),
        "Precision": _Bare(f"{precision:.6f}"),
    }


def location_message(latitude: float, longitude: float, label: str, scale: int = 16) -> Json:
    """Fields of a location message; WeChat's X is the latitude."""
    return {
        "Location_X": _Bare(f"{latitude:.6f}"),
        "Location_Y": _Bare(f"{longitude:.6f}"),
        "Scale": scale,
        "Label": label,
    }


def button_event(kind: str, key: str, sent: Json) -> Json:
    """Fields of the event of a keyed button, with what the follower scanned, shot or chose."""
    fields: Json = {"EventKey": key}
    if kind in _SCANS:
        result = str(sent.get("result", "https://example.com/scanned"))
        fields["ScanCodeInfo"] = {"ScanType": "qrcode", "ScanResult": result}
    if kind in _PICTURES:
        sums = [{"PicMd5Sum": text} for text in sent.get("pictures", ["0" * 32])]
        fields["SendPicsInfo"] = {"Count": len(sums), "PicList": sums}
    if kind == "location_select":
        place = location_message(
            float(sent.get("lat", 0)), float(sent.get("lng", 0)), str(sent.get("label", ""))
        )
        fields["SendLocationInfo"] = {**place, "Poiname": str(sent.get("poi", ""))}
    return fields


class _Bare(str):
    """Text that is written without CDATA, as WeChat writes numbers."""

    __slots__ = ()


def _inside(fields: Fields) -> str:
    return "".join(
        f"<{name}>{_value(one)}</{name}>"
        for name, value in fields.items()
        for one in (value if name == "List" and isinstance(value, list) else [value])
    )


def _value(value: Any) -> str:
    if isinstance(value, _Bare) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    if isinstance(value, Mapping):
        return _inside(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(f"<item>{_value(item)}</item>" for item in value)
    return "<![CDATA[" + str(value).replace("]]>", "]]]]><![CDATA[>") + "]]>"
