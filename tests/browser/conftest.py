"""The whole town for a browser: its own, so that a browser finds nobody there but its follower."""

from __future__ import annotations

from tests.journeys.conftest import town

#: The fixture, see tests/journeys/conftest.py.
__all__ = ["town"]
