"""The pages on which followers and the bank's people meet, for the table in ``wsgi.py``."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

from lightservices.foryou.pages import foryou
from lightservices.handoff.console import contacts
from lightservices.handoff.pages import handoff
from lightservices.tickets.console import desk
from lightservices.tickets.pages import tickets

PEOPLE: Final[tuple[Blueprint, ...]] = (tickets, handoff, foryou, desk, contacts)
