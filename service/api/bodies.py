"""Reading what a program sent: one meaning or none.

JSON that different readers understand differently is refused: a name given twice, numbers without
end, signs no text holds, nesting without end. So is anything that does not say that it is JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Final

import flask
import marshmallow
from webargs import missing
from webargs.flaskparser import FlaskParser

from service.api.problems import Named, Problem

#: Objects and lists within each other; the deepest content there is, a drawn area, needs 9.
MOST_DEPTH: Final = 32
#: Whole numbers beyond this are no longer exact in half of the world's programs.
_MOST_DIGITS: Final = 15


class _Twofold(ValueError):
    """JSON that can be read in more than one way, or in none."""


class StrictParser(FlaskParser):
    """Reads requests as the API does; names it does not know are refused everywhere."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012  # the library reads it from the class
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": marshmallow.RAISE,
        "json": marshmallow.RAISE,
    }

    def load_json(self, req: flask.Request, schema: marshmallow.Schema) -> Any:
        raw = req.get_data(cache=True)
        if not raw:
            # An operation that needs nothing said may be asked without a body.
            return {} if not req.content_type or req.is_json else missing
        if not req.is_json:
            raise Problem(415)
        return read(raw)

    def load_querystring(self, req: flask.Request, schema: marshmallow.Schema) -> Any:
        for name, value in req.args.items(multi=True):
            if fault := _fault_of_text(value) or _fault_of_text(name):
                raise Problem(400, faults=[Named(name, fault, "请去掉这些符号")])
        return super().load_querystring(req, schema)


def read(raw: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        Problem: 400, when it is none or not the one that the next program would read.
    """
    try:
        value = json.loads(
            raw.decode(), object_pairs_hook=_once, parse_constant=_refuse, parse_int=_whole,
            parse_float=_finite,
        )  # fmt: skip
    except _Twofold as twofold:
        raise Problem(400, detail=str(twofold)) from None
    except RecursionError:
        raise Problem(400, detail=f"内容嵌套超过 {MOST_DEPTH} 层") from None
    except ValueError:
        raise Problem(400, detail="请求内容不是有效的 JSON") from None
    for where, fault in _faults(value):
        raise Problem(400, detail=fault, faults=[Named(where, fault, "请改正后再提交")])
    return value


def _faults(value: Any) -> Iterator[tuple[str, str]]:
    """What no database or page could hold, walked without recursion."""
    waiting: list[tuple[str, int, Any]] = [("", 1, value)]
    while waiting:
        where, depth, one = waiting.pop()
        if isinstance(one, str):
            if fault := _fault_of_text(one):
                yield where, fault
        elif isinstance(one, dict | list):
            if depth > MOST_DEPTH:
                yield where, f"内容嵌套超过 {MOST_DEPTH} 层"
                return
            items = one.items() if isinstance(one, dict) else enumerate(one)
            for name, inner in items:
                if isinstance(name, str) and (fault := _fault_of_text(name)):
                    yield where, fault
                waiting.append((f"{where}/{name}".removeprefix("/"), depth + 1, inner))


def _fault_of_text(text: str) -> str:
    if "\x00" in text:
        return "文字里有空字符"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "文字里有不完整的字符"
    return ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twofold("同一个名称写了两次")
    return found


def _refuse(name: str) -> Any:
    raise _Twofold(f"{name} 不是 JSON 里的数字")


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > _MOST_DIGITS:
        raise _Twofold("数字太大")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Twofold("数字太大")
    return number
