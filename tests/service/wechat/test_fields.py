"""The pattern and the parser read the same fields, and only well-formed XML is read at all."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.wechat.fields import Unreadable, _flat_fields, _parsed_fields, fields_of
from tests import pushes

NAMES = st.sampled_from(["ToUserName", "Event", "Content", "a", "_b", "9x", "é", "Event"])
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["]]", "]]>", "<a/>", "&amp;", "&", "\r\n", "\x00", "\ufffe", " x ", "\x85"]),
)

FORMS = st.sampled_from(["<{0}>{1}</{0}>", "<{0}><![CDATA[{1}]]></{0}>", "<{0}>{1}</x>"])
BETWEEN = st.sampled_from(["", "\n", " ", "x", "<!-- c -->"])


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    parts = []
    for _ in range(draw(st.integers(0, 4))):
        form, between = draw(FORMS), draw(BETWEEN)
        parts.append(form.format(draw(NAMES), draw(VALUES)) + between)
    return f"<xml>{''.join(parts)}</xml>".encode("utf-8", "surrogatepass")


@given(documents())
@example(b"<xml></xml>")
@example("<xml><a>\ud800</a></xml>".encode("utf-8", "surrogatepass"))
@example(b"<xml><a>]]></a></xml>")
@example(b"<xml><a><![CDATA[]]]]></a></xml>")
def test_what_the_pattern_reads_the_parser_reads_alike(document: bytes) -> None:
    flat = _flat_fields(document)
    if flat is not None:
        assert _parsed_fields(document) == flat


def test_ordinary_pushes_fit_the_pattern() -> None:
    for document in (
        pushes.event("CLICK", EventKey="svc:outlets"),
        pushes.location(31.2, 121.4),
        b"<xml>\n<A><![CDATA[b]]></A>\n<C>1</C>\n</xml>",
    ):
        assert _flat_fields(document) is not None


@pytest.mark.parametrize(
    "document",
    [
        b"<xml><a><![CDATA[" + b"]" * 60_000 + b"</a></xml>",
        b"<xml>" + b"<a>" * 20_000 + b"</xml>",
        b"<xml>" + b" " * 60_000 + b"</xml>",
        b"<xml><a>" + b" " * 60_000 + b"</xml>",
        b"<xml>" + b"<a></a> " * 8_000 + b"</xml>",
    ],
)
def test_no_document_takes_long(document: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(Unreadable):
        fields_of(document)
    assert time.process_time() - began < 0.05
