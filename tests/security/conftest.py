"""The sample bank, with programs and browsers of its people, to be attacked."""

from __future__ import annotations

from tests.service.api.conftest import bank, checker, editor, premises, stranger

__all__ = ["bank", "checker", "editor", "premises", "stranger"]
