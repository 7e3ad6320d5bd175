"""What WeChat told us happened: frozen facts in the past tense, plain values only.

Packages above announce facts of their own by deriving from :class:`Fact`. Who reacts to a fact is
a table in ``wsgi.py``; nothing here knows of it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

OpenId = NewType("OpenId", str)


class Surface(enum.Enum):
    """Where in WeChat a position came from, which decides its datum and how far it is trusted."""

    EVENT = "event"  #: the LOCATION event; datum undocumented, see the setting
    MESSAGE = "message"  #: a location the follower sent or picked on Tencent's map; GCJ-02
    PAGE = "page"  #: wx.getLocation on one of our pages; we ask it for GCJ-02


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to one follower at a time WeChat stated (aware, UTC)."""

    openid: OpenId
    at: datetime


@dataclass(frozen=True, slots=True)
class Subscribed(Fact):
    """A follower arrived; ``scene`` is the parametric QR code's scene, if one was scanned."""

    scene: str | None = None


@dataclass(frozen=True, slots=True)
class Unfollowed(Fact):
    """A follower left: everything about them must go."""


@dataclass(frozen=True, slots=True)
class Scanned(Fact):
    """Somebody who already follows scanned a parametric QR code."""

    scene: str = ""


@dataclass(frozen=True, slots=True)
class LocationReported(Fact):
    """A position, in degrees as received; its datum follows from ``surface``.

    ``precision_m`` is the radius in metres within which the follower is, where it was given.
    """

    latitude: float = 0.0
    longitude: float = 0.0
    precision_m: float | None = None
    surface: Surface = Surface.EVENT
    label: str = ""


@dataclass(frozen=True, slots=True)
class Clicked(Fact):
    """A menu button with a key was tapped."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class Viewed(Fact):
    """A menu button with a link was tapped; the follower has already left the chat."""

    url: str = ""
    menu_id: str = ""


@dataclass(frozen=True, slots=True)
class TextReceived(Fact):
    """The follower wrote something, or tapped the item ``menu_item`` of a message menu."""

    content: str = ""
    menu_item: str | None = None


@dataclass(frozen=True, slots=True)
class MediaReceived(Fact):
    """The follower sent a picture, a voice message or a link; ``said`` is its transcript."""

    kind: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class PermissionRevoked(Fact):
    """The follower withdrew permissions, by WeChat's numbers ("206" is the place)."""

    permissions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MessageSettled(Fact):
    """WeChat reported the fate of a message or job it had accepted from us.

    A mass message is reported with numbers: of ``total`` followers ``ready`` were left after those
    who had their share of the month or want none, and of these so many got it and so many did not.
    """

    kind: str = ""
    message_id: str = ""
    status: str = ""
    total: int = 0
    ready: int = 0
    sent: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class AccountWarned(Fact):
    """WeChat spoke about the account itself (its verification expires, …): operators must know."""

    event: str = ""


@dataclass(frozen=True, slots=True)
class OtherHeard(Fact):
    """A genuine message or event that needs no reaction; it is acknowledged and counted."""

    kind: str = ""
