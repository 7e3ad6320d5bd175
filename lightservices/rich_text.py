"""Markdown that branches write, as HTML in which nothing but text, lists and safe links is left."""

from __future__ import annotations

import functools
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lightservices.links import fault_of

#: No pictures: those are uploaded and named by their digest, never fetched from elsewhere.
_TAGS: Final = {"p", "br", "strong", "em", "ul", "ol", "li", "h3", "h4", "a", "blockquote", "hr"}
_reader: Final = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(
    ["image", "code", "fence", "html_block", "html_inline"]
)


@functools.lru_cache(maxsize=512)
def rendered(markdown: str) -> str:
    """The text as HTML. What is not allowed is left out, and headings begin at the third level."""
    tokens = _reader.parse(markdown)
    for token in _every(tokens):
        if token.tag in ("h1", "h2"):
            token.tag = "h3"
        elif token.tag in ("h5", "h6"):
            token.tag = "h4"
    html = _reader.renderer.render(tokens, _reader.options, {})
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href"}},
        attribute_filter=_kept,
        url_schemes={"https"},
        link_rel="noopener noreferrer",
    )


def addresses(markdown: str) -> list[str]:
    """Where the text's links lead."""
    return [
        str(token.attrGet("href") or "")
        for token in _every(_reader.parse(markdown))
        if token.type == "link_open"
    ]


def faults(markdown: str) -> list[str]:
    """What of the text followers would not get to see as it was meant."""
    found = [
        f"链接 {address}：{fault}"
        for address in addresses(markdown)
        if (fault := fault_of(address))
    ]
    if "![" in markdown:
        found.append("正文里不能放图片，请用图片栏上传")
    return found


def _kept(_tag: str, attribute: str, value: str) -> str | None:
    return None if attribute == "href" and fault_of(value) else value


def _every(tokens: list[Token]) -> list[Token]:
    return [one for token in tokens for one in (token, *(token.children or ()))]
