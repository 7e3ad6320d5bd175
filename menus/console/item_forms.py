"""One menu item as fields of a form: what it leads to is chosen by kind, as editors think of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from menus.console.forms import Form, field_time, moment
from menus.items import ANSWER, LOCAL_ZONE, PAGE, ZONE, ZONE_HOME

#: What a button does, in the order in which editors are offered it.
KINDS: Final[Mapping[str, str]] = {
    "page": "打开服务页面",
    "answer": "在对话里回答",
    "home": "打开专区首页",
    "zone": "打开某个专区或会场",
    "web": "打开网页",
    "mini": "打开小程序",
    "other": "其他（高级）",
}


def read(form: Form, prefix: str) -> dict[str, Any]:
    """The item whose fields begin like this, without what is empty."""
    kind = form.line(f"{prefix}.kind") or "page"
    item: dict[str, Any] = {"name": form.line(f"{prefix}.name")}
    service = form.line(f"{prefix}.service")
    if kind in ("page", "answer"):
        item["target"] = (PAGE if kind == "page" else ANSWER) + service if service else ""
    elif kind == "home":
        item["target"] = ZONE_HOME
    elif kind == "zone":
        item["target"] = ZONE + form.line(f"{prefix}.zone")
    elif kind == "mini":
        item |= {"type": "miniprogram", "target": form.line(f"{prefix}.fallback")}
        item |= {name: form.line(f"{prefix}.{name}") for name in ("appid", "pagepath")}
    elif kind == "other":
        item |= {"type": form.line(f"{prefix}.type"), "target": form.line(f"{prefix}.target")}
    else:
        item["target"] = form.line(f"{prefix}.url")
    times = {name: moment(form.line(f"{prefix}.{name}")) for name in ("starts_at", "ends_at")}
    return {name: value for name, value in (item | times).items() if value or name == "name"}


def shown(item: Mapping[str, Any]) -> dict[str, str]:
    """The fields of an item as it is kept."""
    target, kind = str(item.get("target") or ""), str(item.get("type") or "")
    fields = {"name": str(item.get("name") or ""), "kind": _kind(target, kind)}
    fields |= {name: field_time(item.get(name)) for name in ("starts_at", "ends_at")}
    match fields["kind"]:
        case "page":
            fields["service"] = target.removeprefix(PAGE)
        case "answer":
            fields["service"] = target.removeprefix(ANSWER)
        case "zone":
            fields["zone"] = target.removeprefix(ZONE)
        case "web":
            fields["url"] = target
        case "mini":
            fields |= {"appid": str(item.get("appid") or ""), "fallback": target}
            fields["pagepath"] = str(item.get("pagepath") or "")
        case "other":
            fields |= {"type": kind, "target": target}
    return fields


def _kind(target: str, kind: str) -> str:
    if kind == "miniprogram":
        return "mini"
    if target == ZONE_HOME and not kind:
        return "home"
    if kind not in ("", "view", "click"):
        return "other"
    starts = {PAGE: "page", ANSWER: "answer", ZONE: "zone"}
    for start, found in starts.items():
        if target.startswith(start) and not set(target) & set("?#") and target != LOCAL_ZONE:
            return found if not kind else "other"
    if target.startswith("https://") or (not target and not kind):
        return "web" if target else "page"
    return "other"
