"""Where tickets are opened, found and read; replies and pages point here and nowhere else."""

from __future__ import annotations

from typing import Final

#: A question to the bank's people that no form asks for.
NEW: Final = "/t/new"
#: Where a guest finds a ticket by its number and code.
LOOK: Final = "/t/look"
MINE: Final = "/s/my-tickets"


def ticket(number: str) -> str:
    """The page of one ticket, for the follower whose ticket it is."""
    return f"/t/{number}"
