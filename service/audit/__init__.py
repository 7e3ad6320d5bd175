"""Who did what, where, when and why: an append-only chain that shows when it was tampered with.

Operations call :func:`note` in their own transaction, so an act and its entry exist together or not
at all. Nothing here is about followers: a subject is never an openid, and secrets are left out.
"""

from service.audit.chain import Actor, Entry, Head, head, note
from service.audit.reading import Broken, Filters, Soundness, between, search, verify

__all__ = [
    "Actor",
    "Broken",
    "Entry",
    "Filters",
    "Head",
    "Soundness",
    "between",
    "head",
    "note",
    "search",
    "verify",
]
