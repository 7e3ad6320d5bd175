"""The form of a branch's own light service: what was typed as content, and content as typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from lightservices import catalogue
from lightservices.catalogue import Kind

#: Texts of one field each; several lines are one text.
_TEXTS: Final = ("title", "scenario", "summary", "icon", "alert", "time", "fee")
#: Lists of texts, one a line.
LINES: Final = ("documents", "notes", "words", "asks")
#: Rows of several fields: the part, and its fields.
ROWS: Final[Mapping[str, Sequence[str]]] = {
    "steps": ("title", "text"),
    "channels": ("name", "how", "via", "link"),
    "fields": ("name", "label", "type", "required", "most", "choices", "hint"),
    "legal": ("text", "source"),
}
#: What reads differently at a branch below, as far as the form has fields for it: one line, many.
_ELSEWHERE_TEXTS: Final = ("alert", "time", "fee")
_ELSEWHERE_LINES: Final = ("documents", "notes")
MOST_ROWS: Final = 12
#: Without a script no row can be added, so that many empty ones wait.
BLANK_ROWS: Final = 3
_MOST_RELATED: Final = 4
#: No field is longer than this, whatever a browser sends.
_MOST: Final = 2_000

Typed = MultiDict[str, str]


def content(typed: Typed, before: Mapping[str, Any], *, key: str) -> dict[str, Any]:
    """What was typed, on top of what was there and has no place in the form."""
    found: dict[str, Any] = dict(before) | {"key": key}
    kind = typed.get("kind", "")
    found["kind"] = kind if kind == Kind.FORM else str(Kind.GUIDE)
    for name in _TEXTS:
        found[name] = _one_line(typed.get(name, ""))
    for name in LINES:
        found[name] = _lines(typed.get(name, ""))
    for name in ("steps", "channels", "legal"):
        found[name] = [
            {part: text for part, text in row.items() if text} for row in _rows(typed, name)
        ]
    found["related"] = list(dict.fromkeys(filter(None, typed.getlist("related"))))[:_MOST_RELATED]
    found["variants"] = _variants(typed, _list(before.get("variants")))
    scenario = catalogue.scenarios().get(found["scenario"])
    if scenario is not None:
        found["class"] = str(scenario.service_class)
    found.pop("form", None)
    if found["kind"] == Kind.FORM:
        found["form"] = _form(typed)
    needed = ("title", "scenario", "summary", "kind", "key", "words", "asks")
    return {name: value for name, value in found.items() if value or name in needed}


def fresh(key: str, *, kind: str, title: str) -> dict[str, Any]:
    """What a new service begins with: its empty form as it would be sent, with the same faults."""
    return content(MultiDict({"kind": kind, "title": title}), {}, key=key)


def shown(service: Mapping[str, Any]) -> dict[str, Any]:
    """The content as the form's fields hold it; never fails, whatever the content is."""
    form = service.get("form")
    form = form if isinstance(form, Mapping) else {}
    told: dict[str, Any] = {name: str(service.get(name, "")) for name in (*_TEXTS, "kind")}
    told |= {name: "\n".join(map(str, _list(service.get(name)))) for name in LINES}
    for name in ("steps", "channels", "legal"):
        told[name] = [
            {part: str(row.get(part, "")) for part in ROWS[name]}
            for row in _list(service.get(name))
            if isinstance(row, Mapping)
        ]
    told["fields"] = [
        {
            **{part: str(row.get(part, "")) for part in ROWS["fields"]},
            "required": "1" if row.get("required") else "",
            "choices": "、".join(map(str, _list(row.get("choices")))),
        }
        for row in _list(form.get("fields"))
        if isinstance(row, Mapping)
    ]
    told["related"] = [str(key) for key in _list(service.get("related"))]
    told["variants"] = [
        _variant_shown(number, one)
        for number, one in enumerate(_list(service.get("variants")))
        if isinstance(one, Mapping)
    ]
    return told | {"category": str(form.get("category", "")), "done": str(form.get("done", ""))}


def _variants(typed: Typed, before: Sequence[Any]) -> list[dict[str, Any]]:
    """What reads differently below; steps and channels of its own, which have no field, stay."""
    names = ("branches", "kept", *_ELSEWHERE_TEXTS, *_ELSEWHERE_LINES)
    columns = {name: typed.getlist(f"variants.{name}")[: 2 * MOST_ROWS] for name in names}
    found = []
    for place in range(max(map(len, columns.values()))):
        row = {
            name: column[place] if place < len(column) else "" for name, column in columns.items()
        }
        one: dict[str, Any] = _without_field(before, row["kept"])
        one |= {name: _one_line(row[name]) for name in _ELSEWHERE_TEXTS}
        one |= {name: _lines(row[name]) for name in _ELSEWHERE_LINES}
        one = {name: value for name, value in one.items() if value}
        if one or row["branches"].strip():
            found.append({"branches": row["branches"].split()[:50], **one})
    return found


def _without_field(before: Sequence[Any], kept: str) -> dict[str, Any]:
    number = int(kept) if kept.isascii() and kept.isdecimal() and len(kept) < 3 else len(before)
    old = before[number] if number < len(before) else {}
    has_field = {"branches", *_ELSEWHERE_TEXTS, *_ELSEWHERE_LINES}
    return {name: old[name] for name in old if name not in has_field} if _is_object(old) else {}


def _variant_shown(number: int, one: Mapping[str, Any]) -> dict[str, str]:
    told = {name: str(one.get(name, "")) for name in _ELSEWHERE_TEXTS}
    told |= {name: "\n".join(map(str, _list(one.get(name)))) for name in _ELSEWHERE_LINES}
    branches = " ".join(map(str, _list(one.get("branches"))))
    more = "1" if one.get("steps") or one.get("channels") else ""
    return told | {"branches": branches, "kept": str(number), "more": more}


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _form(typed: Typed) -> dict[str, Any]:
    rows = _rows(typed, "fields")
    taken = {row["name"] for row in rows}
    fields: list[dict[str, Any]] = []
    for row in rows:
        name = row["name"] or next(f"q{n}" for n in range(1, 100) if f"q{n}" not in taken)
        taken.add(name)
        one: dict[str, Any] = {"name": name, "label": row["label"], "type": row["type"] or "text"}
        if row["required"] == "1":
            one["required"] = True
        if row["most"]:
            one["most"] = int(row["most"]) if row["most"].isdecimal() else row["most"]
        if choices := [word.strip() for word in row["choices"].split("、") if word.strip()]:
            one["choices"] = choices
        if row["hint"]:
            one["hint"] = row["hint"]
        fields.append(one)
    done = _one_line(typed.get("done", ""))
    return {"category": typed.get("category", "")[:_MOST], "fields": fields, "done": done}


def _rows(typed: Typed, part: str) -> list[dict[str, str]]:
    """The rows that hold anything; a row is as long as its fields were sent."""
    columns = {
        name: [_one_line(text) for text in typed.getlist(f"{part}.{name}")[: 2 * MOST_ROWS]]
        for name in ROWS[part]
    }
    longest = max(map(len, columns.values()))
    rows = [
        {name: column[place] if place < len(column) else "" for name, column in columns.items()}
        for place in range(longest)
    ]
    chosen = ("type", "required", "name") if part == "fields" else ("via",)
    return [row for row in rows if any(text for name, text in row.items() if name not in chosen)]


def _lines(text: str) -> list[str]:
    return [line for line in (_one_line(line) for line in text.split("\n")) if line][:50]


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_MOST]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
