"""Content bent out of shape in any place is told to be faulty; it breaks nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.api.programs import Bank, Program

#: By kind: whose program may read it, where it is, and one of its documents.
DOCUMENTS: Final = {
    "zone": ("gd.editor", "/branches/B440000/documents/zone/-"),
    "frame": ("ops.wang", "/branches/HQ/documents/frame/-"),
    "campaign": ("gd.editor", "/branches/B440000/documents/campaign/spring"),
    "people": ("gd.editor", "/branches/B440000/documents/people/-"),
    "outlets": ("gd.editor", "/branches/B440000/documents/outlets/-"),
    "services": ("gd.editor", "/branches/B440000/documents/services/b440000-x"),
    "grants": ("admin", "/branches/B440000/documents/grants/gd.editor"),
}
PROMOTION: Final = {
    "name": "a", "title": "优惠", "text": "内容", "url": "https://bank.example/x",
    "starts_at": "2026-11-01T00:00:00+08:00", "ends_at": "2027-01-01T00:00:00+08:00",
    "divisions": ["440100"], "audience": ["老客户"], "topics": ["年货"], "sort": 5,
    "area": {"inside": {
        "divisions": [], "polygons": [[[23.1, 113.2], [23.2, 113.2], [23.2, 113.3]]],
        "circles": [{"latitude": 23.1, "longitude": 113.2, "radius_m": 500}],
    }},
    "picture": "", "picture_says": "",
}  # fmt: skip
OUTLET: Final = {
    "name": "天河支行", "address": "天河路 1 号", "phone": "020-12345678", "branch": "B440000",
    "hours": "周一至周五 9:00-17:00", "division": "440106", "lat": "23.13", "lng": "113.32",
    "services": [], "accessible": [],
}  # fmt: skip
SERVICE: Final = {
    "key": "b440000-x", "title": "本地办事", "kind": "guide", "class": "业务办理",
    "scenario": "存取款", "summary": "怎样办", "words": ["办事"], "asks": ["怎么办事"],
    "steps": [{"title": "第一步", "text": "带证件"}], "documents": ["身份证"],
    "channels": [{"name": "电话", "how": "拨打", "via": "phone", "link": "95500"}],
}  # fmt: skip
PERSON: Final = {"name": "张三", "title": "客户经理", "url": "https://work.weixin.qq.com/ca/x"}

ODD: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**14), 10**14),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [
            "",
            " ",
            "x" * 3000,
            "\u202e",
            "\ud7ff",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-12:00",
            "//evil.example",
            "🏦" * 40,
        ]
    ),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=3)), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in the content, from the outside in."""
    yield path
    items = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    for name, inner in items:
        yield from places(inner, (*path, name))


def bent(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The content with something else in this place."""
    if not path:
        return value
    whole = copy.deepcopy(content)
    inner = whole
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return whole


def sound(program: Program, path: str, kind: str) -> dict[str, Any]:
    """Content with something in every part, to bend."""
    content: dict[str, Any] = program.get(path)["content"]
    extra: dict[str, Any] = {
        "zone": {"promotions": [PROMOTION]},
        "people": {"people": {"people": [PERSON]}},
        "grants": {"grants": {"roles": ["editor"]}},
        "outlets": {"outlets": {"outlets": {"GD-1": OUTLET}}},
        "services": {"service": {"service": SERVICE}},
        "campaign": {"zone": {
            "title": "会场", "starts_at": PROMOTION["starts_at"], "ends_at": PROMOTION["ends_at"],
            "blocks": [{"kind": "banner", "title": "横幅", "link": "/s/outlets"},
                       {"kind": "text", "text": "**好**"}],
            "gather": {"branches": ["B440000"], "topics": ["年货"]}, "reach": ["B440000"],
        }},
    }.get(kind, {})  # fmt: skip
    return content | extra


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_no_content_breaks_the_check(bank: Bank, kind: str) -> None:
    login, path = DOCUMENTS[kind]
    program = bank.program(login)
    content = sound(program, path, kind)
    where = [place for place in places(content) if place]
    seen: set[int] = set()

    @settings(
        max_examples=60, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.sampled_from(where), ODD)
    def check(place: tuple[Any, ...], value: Any) -> None:
        sent = {"content": bent(content, place, value)}
        answer = program.call("POST", f"{path}/check", json=sent)
        assert answer.status_code in (200, 400, 422), (place, value, answer.text)
        seen.add(answer.status_code)

    check()
    assert 200 in seen


def test_every_kind_of_document_is_bent(bank: Bank) -> None:
    kinds = {one["kind"] for one in bank.program("ops.wang").get("/kinds")["items"]}
    assert kinds == set(DOCUMENTS)
