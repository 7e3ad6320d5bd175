"""What is remembered of the last reports, by all processes of a machine, and forgotten again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from regions.latest import TRUST_SECONDS, Latest
from service import clock

WHO, OTHER = "oTESTfollower000000000000001", "oTESTfollower000000000000002"
NOW = clock.now()
HERE = {"division": "310101", "branch": "B310000"}


@pytest.fixture
def table(tmp_path: Path) -> Latest:
    return Latest(tmp_path / "latest.bin", key=b"key")


def test_the_same_report_again_is_recognised_for_a_while(table: Latest) -> None:
    assert not table.repeats(WHO, NOW, **HERE)
    table.settle(WHO, NOW, **HERE)
    assert table.repeats(WHO, NOW + timedelta(seconds=5), **HERE)
    assert not table.repeats(WHO, NOW + timedelta(seconds=4), **HERE)
    assert not table.repeats(WHO, NOW + timedelta(seconds=TRUST_SECONDS + 1), **HERE)
    assert not table.repeats(OTHER, NOW + timedelta(seconds=5), **HERE)


@pytest.mark.parametrize(
    "elsewhere",
    [{"division": "310104", "branch": "B310000"}, {"division": "310101", "branch": "B440300"}],
)
def test_another_county_or_branch_is_no_repetition(
    table: Latest, elsewhere: dict[str, str]
) -> None:
    table.settle(WHO, NOW, **HERE)
    assert not table.repeats(WHO, NOW + timedelta(seconds=1), **elsewhere)


def test_a_change_ends_the_trust_and_keeps_the_time(table: Latest) -> None:
    table.settle(WHO, NOW, **HERE)
    table.unsettle(WHO)
    assert not table.repeats(WHO, NOW + timedelta(seconds=1), **HERE)
    assert table.is_newer(WHO, NOW - timedelta(seconds=2))


def test_another_process_sees_it(table: Latest, tmp_path: Path) -> None:
    table.settle(WHO, NOW, **HERE)
    other = Latest(tmp_path / "latest.bin", key=b"key")
    assert other.repeats(WHO, NOW + timedelta(seconds=1), **HERE)
    other.forget(WHO)
    assert not table.is_newer(WHO, NOW - timedelta(days=1))


def test_it_names_nobody_and_no_place(table: Latest, tmp_path: Path) -> None:
    table.settle(WHO, NOW, **HERE)
    content = (tmp_path / "latest.bin").read_bytes()
    assert WHO.encode() not in content
    assert b"B310000" not in content
