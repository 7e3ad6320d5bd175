"""The table of calls in the documentation is that of today's plans."""

from __future__ import annotations

from benchmarks.menu_calls import PAGE, rows, written


def test_the_table_of_calls_is_current() -> None:
    page = PAGE.read_text("utf-8")
    assert page == written(page, rows()), "run python -m benchmarks.menu_calls --write"


def test_no_typical_change_costs_more_calls_than_starting_anew_or_leaves_anybody_without() -> None:
    found = {row.change: row for row in rows()}
    assert found["没有变化"].calls == 0
    assert found["一家分行改一个按钮"].calls == 2
    assert found["一家分行改一个按钮"].retagged == 0
    local = [row for row in found.values() if row.change.startswith("一")]
    assert all(row.calls < row.anew for row in local)
