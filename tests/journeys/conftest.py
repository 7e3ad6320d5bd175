"""One town for all journeys of a test run; every journey has followers of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config import Settings
from tests.journeys.town import Town, built


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Town]:
    with built(tmp_path_factory.mktemp("town"), settings) as town:
        yield town


@pytest.fixture
def follower(town: Town) -> Iterator[str]:
    """Somebody who has WeChat and does not follow the account yet."""
    openid: str = town.control("followers", name="小林")["openid"]
    yield openid
    town.do(openid, "unsubscribe")
    town.settle()
