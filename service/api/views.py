"""The API's description: the OpenAPI document for programs, and a page of it for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, current_app, jsonify

from service.access import access
from service.api import document
from service.api.blueprint import PREFIX
from service.console import guard, shell

reference = Blueprint("api_reference", __name__)

_METHODS: Final = ("get", "put", "post", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is given or answered."""

    name: str
    kind: str
    says: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    anchor: str
    method: str
    path: str
    says: str
    parameters: Sequence[Field]
    body: Sequence[Field]
    answer: Sequence[Field]


@reference.get(f"{PREFIX}/openapi.json")
@access("public", why="the same for everybody; says what can be asked, and nothing of any bank")
def openapi() -> Response:
    """The document."""
    answer = jsonify(_spec())
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


@reference.get(f"{guard.ROOT}/api")
@access("staff", may="read")
def page() -> Response:
    """All operations on one page, in groups."""
    spec = _spec()
    groups: dict[str, list[Operation]] = {}
    for path, entry in spec["paths"].items():
        for method in _METHODS:
            if method in entry:
                found = entry[method]
                told = _operation(spec, path, method, found, entry.get("parameters", ()))
                groups.setdefault(found["tags"][0], []).append(told)
    return shell.page("api/reference.html", title="接口", groups=groups, says=spec["info"])


def _spec() -> dict[str, Any]:
    found = document.current(current_app)
    spec: dict[str, Any] = found.spec.to_dict()
    return spec


def _operation(
    spec: Mapping[str, Any], path: str, method: str, entry: Mapping[str, Any], shared: Any
) -> Operation:
    parameters = [
        _resolved(spec, one, "parameters") for one in (*shared, *entry.get("parameters", ()))
    ]
    taken = _content(_resolved(spec, entry.get("requestBody", {}), "requestBodies"))
    given = _content(_resolved(spec, entry["responses"]["200"], "responses"))
    return Operation(
        anchor=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        method=method.upper(),
        path=path,
        says=entry.get("summary", ""),
        parameters=[
            Field(
                one["name"], _kind(spec, one["schema"]), one.get("description", ""),
                bool(one.get("required")),
            )
            for one in parameters
        ],
        body=list(_fields(spec, taken)),
        answer=list(_fields(spec, given)),
    )  # fmt: skip


def _content(told: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = told.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _fields(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Field]:
    schema = _resolved(spec, schema, "schemas")
    required = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        yield Field(name, _kind(spec, one), one.get("description", ""), name in required)


def _kind(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What a value is, in a word or two."""
    if "$ref" in schema:
        return _kind(spec, _resolved(spec, schema, "schemas"))
    if several := schema.get("anyOf") or schema.get("allOf"):
        return " 或 ".join(dict.fromkeys(_kind(spec, one) for one in several))
    if "enum" in schema:
        return "、".join(str(one) for one in schema["enum"])
    kinds = schema.get("type", "任意")
    listed: list[str] = kinds if isinstance(kinds, list) else [kinds]
    named = [_KINDS.get(one, one) for one in listed]
    if schema.get("format") == "date-time":
        named[0] = "时间"
    if "items" in schema:
        named[0] = f"{_kind(spec, schema['items'])}的列表"
    return " 或 ".join(named)


_KINDS: Final = {
    "string": "文字",
    "integer": "整数",
    "number": "数字",
    "boolean": "是或否",
    "object": "对象",
    "array": "列表",
    "null": "空",
}


def _resolved(spec: Mapping[str, Any], told: Any, among: str) -> Mapping[str, Any]:
    """What a reference stands for; anything else as it is."""
    if isinstance(told, str):
        told = {"$ref": f"#/components/{among}/{told}"}
    while "$ref" in told:
        *_, group, name = told["$ref"].split("/")
        told = spec["components"][group][name]
    found: Mapping[str, Any] = told
    return found
