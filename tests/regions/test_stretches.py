"""Every follower of a division is in exactly one stretch, however short they are."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from regions import stretches
from regions.presence import Presence
from service import clock
from service.followers import Follower
from service.wiring import Wiring

HERE, THERE = "440402", "440403"
CELLS = st.none() | st.tuples(st.integers(2200, 2202), st.integers(11300, 11302))
FOLLOWERS = st.lists(st.tuples(st.sampled_from([HERE, THERE]), CELLS), max_size=12)


@settings(max_examples=40, deadline=None)
@given(everybody=FOLLOWERS, length=st.integers(1, 5))
def test_each_is_met_once_and_nobody_of_elsewhere(
    app: Flask, everybody: list[tuple[str, tuple[int, int] | None]], length: int
) -> None:
    wiring: Wiring = app.extensions["wiring"]
    with pytest.MonkeyPatch.context() as patch, wiring.unit() as unit:
        patch.setattr(stretches, "LENGTH", length)
        unit.db.execute(delete(Presence))
        expected = []
        for number, (division, cell) in enumerate(everybody):
            openid, present = f"oSTRETCH{number:020}", clock.now()
            south, west = cell or (None, None)
            values = {"division": division, "cell_south": south, "cell_west": west}
            row = {"openid": openid, "source": "event", "seen_at": present, **values}
            unit.db.execute(unit.insert(Follower).values(openid=openid, followed_at=present)
                            .on_conflict_do_nothing())  # fmt: skip
            unit.db.execute(unit.insert(Presence).values(row))
            expected += [openid] if division == HERE else []
        met = [unit.db.execute(select(Presence.openid).where(*stretch)).scalars().all()
               for stretch in stretches.of(unit, HERE)]  # fmt: skip
        assert all(len(one) <= length for one in met)
        assert sorted(openid for one in met for openid in one) == expected
        unit.db.execute(delete(Presence))
        unit.db.execute(delete(Follower))
