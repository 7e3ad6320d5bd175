"""The index of the pack, and what this folder asks of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lightservices import catalogue
from lightservices.catalogue import Service
from lightservices.knowledge import ready
from lightservices.knowledge.index import Index


@pytest.fixture(scope="session")
def index() -> Index:
    found = ready.index(patience=None)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def offered() -> Mapping[str, Service]:
    return dict(catalogue.services())
