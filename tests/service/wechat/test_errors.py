"""Every refusal of WeChat's says whether to come back, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from service.wechat.errors import (
    AccountRefused,
    Busy,
    CodeRefused,
    MenuCeilingReached,
    NoDefaultMenu,
    NotAFollower,
    PartlyDone,
    QuotaSpent,
    Throttled,
    TryLater,
    WillNever,
    refusal,
    until_reset,
)


@pytest.mark.parametrize(
    ("errcode", "kind"),
    [
        (-1, Busy),
        (45169, Busy),
        (45009, QuotaSpent),
        (45011, Throttled),
        (40164, AccountRefused),
        (40125, AccountRefused),
        (43004, NotAFollower),
        (40003, NotAFollower),
        (49003, NotAFollower),
        (46004, NotAFollower),
        (50005, NotAFollower),
        (65305, MenuCeilingReached),
        (65303, NoDefaultMenu),
        (40163, CodeRefused),
        (40018, WillNever),
        (99999, WillNever),
    ],
)
def test_a_code_says_what_to_do(errcode: int, kind: type[Exception]) -> None:
    found = refusal({"errcode": errcode, "errmsg": "words rid: 0a1b2c3d-4e5f6071-8293a4b5"})
    assert type(found) is kind
    assert (found.errcode, found.rid) == (errcode, "0a1b2c3d-4e5f6071-8293a4b5")


def test_a_partial_failure_names_whom_to_repeat() -> None:
    found = refusal({"errcode": 45171, "errmsg": "", "fail_openid_list": ["o1", "o2"]})
    assert isinstance(found, PartlyDone)
    assert found.failed == ("o1", "o2")


def test_an_address_that_is_not_allowed_is_shown_to_those_who_must_add_it() -> None:
    words = "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist rid: 12345678"
    assert "203.0.113.9" in refusal({"errcode": 40164, "errmsg": words}).why


def test_words_that_may_echo_what_we_sent_are_not_repeated() -> None:
    found = refusal({"errcode": 47003, "errmsg": "argument invalid! data.thing1.value 张三"})
    assert "张三" not in str(found)


@pytest.mark.parametrize(
    ("present", "hours", "minutes"),
    [
        (datetime(2026, 5, 4, 4, 0, tzinfo=UTC), 12, 0),
        (datetime(2026, 5, 4, 15, 59, tzinfo=UTC), 0, 1),
        # Ten seconds past midnight in China: our clock may simply be ahead of WeChat's.
        (datetime(2026, 5, 4, 16, 0, 10, tzinfo=UTC), 0, 10),
    ],
)
def test_daily_quotas_start_anew_at_midnight_in_china(
    present: datetime, hours: int, minutes: int
) -> None:
    assert until_reset(present) == timedelta(hours=hours, minutes=minutes)


def test_the_minutes_quota_starts_anew_with_the_next_minute() -> None:
    with time_machine.travel(datetime(2026, 5, 4, 4, 0, 48, tzinfo=UTC), tick=False):
        found = refusal({"errcode": 45011})
    assert isinstance(found, TryLater)
    assert found.after == timedelta(seconds=12)
    assert found.stops_lane


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_reset_is_never_past_and_never_more_than_a_day_away(present: datetime) -> None:
    assert timedelta(0) < until_reset(present) <= timedelta(days=1)


@given(
    st.fixed_dictionaries(
        {"errcode": st.integers(-(2**31), 2**31).filter(bool), "errmsg": st.text()}
    )
)
def test_any_refusal_can_be_raised_and_its_words_stay_out(answer: dict[str, object]) -> None:
    found = refusal(answer)
    assert isinstance(found, TryLater | WillNever)
    assert str(answer["errcode"]) in str(found)
