"""Where tickets are opened, found and read; replies and pages point here and nowhere else."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

#: A question to the bank's people that no form asks for.
NEW: Final = "/t/new"
#: Where a guest finds a ticket by its number and code.
LOOK: Final = "/t/look"
MINE: Final = "/s/my-tickets"
#: As much of what was asked in the chat as is taken over into the form.
MOST_ABOUT: Final = 200


def asking(words: str = "") -> str:
    """The page that asks the bank's people, with what the follower wrote already filled in."""
    about = words.strip()[:MOST_ABOUT]
    return f"{NEW}?about={quote(about, safe='')}" if about else NEW


def ticket(number: str) -> str:
    """The page of one ticket, for the follower whose ticket it is."""
    return f"/t/{number}"
