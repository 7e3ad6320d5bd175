"""The sample bank with its outlets and its people's clock, which a test may move."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config import Settings
from regions import atlas
from service import clock


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], datetime]:
    """Let time pass, or turn the clock back; what it is then."""
    moved = [timedelta(0)]
    real = clock.now

    def pass_(by: timedelta) -> datetime:
        moved[0] += by
        monkeypatch.setattr(clock, "now", lambda: real() + moved[0])
        return clock.now()

    return pass_


@pytest.fixture(scope="session")
def with_map(settings: Settings) -> Callable[[Path], Path]:
    """Puts the map into a folder, so that it is made once and not for every process of a test."""
    atlas.current(settings)

    def put(folder: Path) -> Path:
        shutil.copy(settings.data_dir / "atlas.bin", folder)
        return folder

    return put
