"""What can be answered in the chat: plain values, rendered for WeChat at its border."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """Words, at most 2,048 bytes; may hold ``<a href="…">`` links."""

    content: str


@dataclass(frozen=True, slots=True)
class Article:
    title: str
    description: str
    url: str
    picture: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """A card. One article answers a message; up to eight answer an event."""

    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True)
class HandOver:
    """Pass the follower's message on to the bank's people; never allowed in answer to an event."""

    account: str = ""


Reply = Text | News | HandOver
