"""The form of an emergency's content: what was typed as content, and content as it is typed.

Services are written by the name people know; what is no service stays as typed, and is told so.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from lightservices import catalogue
from lightservices.console import area_fields
from lightservices.console.area_fields import AreaFields
from lightservices.emergency import content as contents
from lightservices.emergency.content import SEVERITIES, Content, ContentRefused, Severity
from regions import areas, divisions
from regions.areas import Area, AreaRefused

Typed = MultiDict[str, str]
#: Fields of one text each.
TEXTS: Final = ("title", "severity", "hours", "headline", "body", "entry", "opened", "ended")
#: Rows of several fields: the part, and its fields.
ROWS: Final[Mapping[str, Sequence[str]]] = {
    "functions": ("service", "why"),
    "hotlines": ("name", "number", "why"),
    "hide": ("service",),
    "orders": ("why", "who", "outlets", "divisions", "hours"),
}
#: How many rows a part takes.
MOST_ROWS: Final = {"functions": 80, "hotlines": 12, "hide": 80, "orders": 20}
#: The most signs of each text, told beside its field.
LIMITS: Final = {
    "title": 12, "headline": 24, "body": 300, "entry": 8, "opened": 300, "ended": 300,
}  # fmt: skip
#: Fields in which a new line means something.
_LONG: Final = frozenset({"body", "opened", "ended"})
_MOST: Final = 4_000
_WORDS: Final = re.compile(r"[\s,，、;；]+")

#: Parts whose every row says why.
_EXPLAINED: Final = ("functions", "hotlines", "orders")

Fields = dict[str, Any]


def shown(content: Content) -> Fields:
    """The content as the form's fields hold it."""
    names = _titles()
    return {
        "title": content.title,
        "severity": content.severity.value,
        "hours": str(content.hours),
        "headline": content.headline,
        "body": content.body,
        "entry": content.entry,
        "opened": content.opened,
        "ended": content.ended,
        "functions": [
            {"service": names.get(one.key, one.key), "why": one.why} for one in content.functions
        ],
        "hotlines": [
            {"name": one.name, "number": one.number, "why": one.why} for one in content.hotlines
        ],
        "hide": [{"service": names.get(key, key)} for key in content.hide],
        "orders": [
            {
                "why": order.why,
                "who": "all" if order.all else "some",
                "outlets": "、".join(order.outlets),
                "divisions": "、".join(order.divisions),
                "hours": order.hours,
            }
            for order in content.orders
        ],
        "area": area_fields.shown(content.area),
    }


def typed(form: Typed) -> Fields:
    """The fields as they were sent, good or not."""
    found: Fields = {name: _text(form.get(name, ""), name) for name in TEXTS}
    found |= {part: _rows(form, part) for part in ROWS}
    return found | {"area": area_fields.typed(form)}


def read(fields: Fields, before: Content, *, key: str = "") -> Content:
    """What was typed as content of the same kind as before.

    Raises:
        ContentRefused: naming every fault, those of the area included.
    """
    faults = list(_rows_faults(fields))
    area = _area(fields["area"], faults)
    sound = fields | {
        part: [row for row in fields[part] if row["service"] in _keys()]
        for part in ("functions", "hide")
    }
    sound |= {part: [row for row in sound[part] if row["why"]] for part in _EXPLAINED}
    try:
        found = contents.read(_raw(sound, before, key) | _written(area))
    except ContentRefused as refused:
        raise ContentRefused((*refused.faults, *faults)) from None
    if faults:
        raise ContentRefused(tuple(faults))
    return found


def differences(before: Content, after: Content) -> list[tuple[str, str, str]]:
    """What another content changes, in words: what it is about, how it was, how it becomes."""
    was, is_ = dict(_told(before)), dict(_told(after))
    return [(name, was[name], is_[name]) for name in is_ if was[name] != is_[name]]


def services() -> list[str]:
    """The names of all services, to choose from."""
    return list(_titles().values())


def titles(keys: Sequence[str]) -> list[str]:
    """The names of these services."""
    names = _titles()
    return [names.get(key, key) for key in keys]


def _raw(fields: Fields, before: Content, key: str) -> dict[str, Any]:
    hours = str(fields["hours"])
    return {
        "key": key or before.key,
        "kind": before.kind.value,
        "title": fields["title"],
        "severity": fields["severity"],
        "default_hours": int(hours) if hours.isascii() and hours.isdecimal() else hours,
        "wording": {"headline": fields["headline"], "body": fields["body"]},
        "menu_entry": {"title": fields["entry"]},
        "functions": [
            {"key": _key(row["service"]), "why": row["why"]} for row in fields["functions"]
        ],
        "hotlines": [
            {name: text for name, text in row.items() if text or name != "number"}
            for row in fields["hotlines"]
        ],
        "messages": {"opened": fields["opened"], "ended": fields["ended"]},
        "hide": [_key(row["service"]) for row in fields["hide"]],
        "outlets": [_order(row) for row in fields["orders"]],
    }


def _rows_faults(fields: Fields) -> Iterator[str]:
    """What is wrong with a row that can be named by what stands in it."""
    for part, called in (("functions", "可用的功能"), ("hide", "停用的服务")):
        for row in fields[part]:
            if row["service"] not in _keys():
                yield f"{called}“{row['service'][:20]}”不是现有的服务：请从提示的名称里选"
    for row in fields["functions"]:
        if not row["why"]:
            yield f"功能“{row['service'][:20]}”没有写理由：请用一句话说它现在有什么用"
    for row in fields["hotlines"]:
        if not (row["name"] and row["why"]):
            yield f"电话“{row['name'] or row['number']}”要写名称和什么时候打：请补上"
    for row in fields["orders"]:
        if not row["why"]:
            yield "网点安排没有写原因：请补上，粉丝会看到"


def _order(row: Mapping[str, str]) -> dict[str, Any]:
    order: dict[str, Any] = {"why": row["why"]}
    if row["who"] == "all":
        order["all"] = True
    else:
        order |= {name: found for name in ("outlets", "divisions") if (found := _split(row[name]))}
    return order | ({"hours": row["hours"]} if row["hours"] else {})


def _area(fields: AreaFields, faults: list[str]) -> Area | None:
    try:
        return area_fields.read(fields)
    except AreaRefused as refused:
        faults.append(str(refused))
        return None


def _written(area: Area | None) -> dict[str, Any]:
    return {"area": areas.write(area)} if area is not None else {}


def _told(content: Content) -> Iterator[tuple[str, str]]:
    """The content in words, part by part, always the same parts."""
    yield "标题", content.title
    yield "级别", SEVERITIES[content.severity]
    yield "大标题", content.headline
    yield "正文", content.body
    yield "菜单名", content.entry
    yield "可用的功能", _lines(f"{_named(one.key)}：{one.why}" for one in content.functions)
    yield "电话", _lines(f"{one.name} {one.number}：{one.why}" for one in content.hotlines)
    yield "停用的服务", "、".join(titles(content.hide))
    yield "网点安排", _lines(_ordered(row) for row in shown(content)["orders"])
    yield "开启消息", content.opened
    yield "结束消息", content.ended
    fields = area_fields.shown(content.area)
    yield "划入的行政区划", _places(fields.codes)
    yield "划入的图形（坐标）", fields.drawn
    yield "除外的行政区划", _places(fields.without)
    yield "除外的图形（坐标）", fields.without_drawn


def _ordered(row: Mapping[str, str]) -> str:
    who = (
        "区域内全部网点" if row["who"] == "all" else f"{row['outlets']} {row['divisions']}".strip()
    )
    return f"{who}：{row['hours'] or '停业'}（{row['why']}）"


def _places(listed: str) -> str:
    codes, _faults = area_fields.divisions_in(listed)
    return "、".join(divisions.table().label(code) for code in codes)


def _lines(each: Iterator[str]) -> str:
    return "\n".join(each)


def _rows(form: Typed, part: str) -> list[dict[str, str]]:
    """The rows that hold anything; a row is as long as its fields were sent."""
    columns = {
        name: [_text(text) for text in form.getlist(f"{part}.{name}")[: 2 * MOST_ROWS[part]]]
        for name in ROWS[part]
    }
    longest = max(map(len, columns.values()))
    rows = [
        {name: column[place] if place < len(column) else "" for name, column in columns.items()}
        for place in range(longest)
    ]
    # A choice alone says nothing: nobody can leave it empty.
    return [row for row in rows if any(text for name, text in row.items() if name != "who")]


def _text(text: str, name: str = "") -> str:
    whole = text.replace("\r\n", "\n").strip()[:_MOST]
    return whole if name in _LONG else " ".join(whole.split())


def _split(text: str) -> list[str]:
    return [word for word in _WORDS.split(text) if word]


def _named(key: str) -> str:
    return _titles().get(key, key)


def _key(name: str) -> str:
    return _keys().get(name, name)


@functools.cache
def _titles() -> Mapping[str, str]:
    """Every service's name by its key; one that shares its name with another keeps its key."""
    known = catalogue.services()
    counted: dict[str, int] = {}
    for one in known.values():
        counted[one.title] = counted.get(one.title, 0) + 1
    return {
        key: one.title if counted[one.title] == 1 else key for key, one in sorted(known.items())
    }


@functools.cache
def _keys() -> Mapping[str, str]:
    """Every service's key by its name, and by itself."""
    names = _titles()
    return {key: key for key in names} | {title: key for key, title in names.items()}


def severities() -> list[tuple[str, str, int]]:
    """Every severity: its value, its name, and the most hours it allows."""
    return [(one.value, SEVERITIES[one], contents.CAPS[one]) for one in Severity]
