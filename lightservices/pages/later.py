"""A page that must ask outside first, and so is made when nothing is open any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response


@dataclass(frozen=True, slots=True)
class Later:
    """What a view returns instead of a page: what is left to do once its unit is closed.

    Asking another system takes up to a second and a half; no connection to our database may be
    held meanwhile, or a slow core would drain the pool for everybody.
    """

    answer: Callable[[], Response]
