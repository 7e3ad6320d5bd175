"""The editors with all their pages, for the table in ``wsgi.py``."""

from __future__ import annotations

from typing import Final

from menus.console import campaign_pages, frame_pages, preview_pages, proposing, zone_pages
from menus.console.blueprint import FILES, editors, frames, venues

__all__ = ["EDITORS", "FILES"]

EDITORS: Final = (editors, frames, venues)

#: Their routes come with them.
_PAGES = (campaign_pages, frame_pages, preview_pages, proposing, zone_pages)
