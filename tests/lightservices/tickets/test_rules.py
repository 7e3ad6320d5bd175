"""The pure parts of tickets: states, deadlines, what may be typed and what must not be kept."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightservices import catalogue
from lightservices.catalogue import FieldType, Form, FormField, Kind
from lightservices.outlets.holidays import PLAIN, Calendar
from lightservices.outlets.hours import parse
from lightservices.tickets import categories, deadlines, fields, numbers
from lightservices.tickets.categories import Route
from lightservices.tickets.states import OWED, Act, NotNow, State, after, allowed
from service.clock import SHANGHAI

DESK = parse("周一至周五 09:00-12:00，13:30-17:30")
TODAY = date(2026, 11, 20)
#: A card and an identity number whose check digits are right and which belong to nobody.
CARD = "6222 0212 3456 7890 128"
IDENTITY = "11010519491231002X"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """November 2026, whose 16th is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


# States


@given(st.lists(st.sampled_from(Act), max_size=30))
def test_whatever_is_tried_a_ticket_stands_somewhere_it_can_get_out_of(acts: list[Act]) -> None:
    state = State.OPEN
    for act in acts:
        try:
            state = after(state, act)
        except NotNow:
            continue
    assert allowed(state)


def test_what_cannot_be_done_is_refused_with_a_way_out() -> None:
    with pytest.raises(NotNow, match="已办结") as refused:
        after(State.CLOSED, Act.ANSWER)
    assert refused.value.way_out


def test_only_an_answer_or_a_closing_ends_what_the_bank_owes() -> None:
    ends = {act for state in OWED for act in allowed(state) if after(state, act) not in OWED}
    assert ends == {Act.ANSWER, Act.CLOSE, Act.SETTLE}


def test_a_closed_ticket_is_not_answered_or_handed_on() -> None:
    assert allowed(State.CLOSED) == {Act.SAY, Act.REOPEN}


# Deadlines


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        (at(16, 9), 60, at(16, 10)),
        (at(16, 11, 30), 60, at(16, 14)),
        (at(16, 17), 60, at(17, 9, 30)),
        (at(20, 17), 60, at(23, 9, 30)),
        (at(21, 3), 30, at(23, 9, 30)),
        (at(16, 12), 1, at(16, 13, 31)),
    ],
)
def test_only_working_time_counts(start: datetime, minutes: int, due: datetime) -> None:
    assert deadlines.due(start, minutes=minutes, hours=DESK, days=PLAIN) == due


def test_a_holiday_is_left_out_and_a_worked_weekend_counts() -> None:
    days = Calendar({date(2026, 11, 17): "节日"}, frozenset({date(2026, 11, 21)}))
    assert deadlines.due(at(16, 17), minutes=60, hours=DESK, days=days) == at(18, 9, 30)
    assert deadlines.due(at(20, 17), minutes=60, hours=DESK, days=days) == at(21, 9, 30)


def test_without_hours_the_clock_simply_runs() -> None:
    due = deadlines.due(at(21, 3), minutes=90, hours=parse(""), days=PLAIN)
    assert due == at(21, 4, 30)


@given(st.integers(0, 60 * 24 * 20), st.integers(1, 5000), st.integers(1, 500))
def test_more_work_is_never_due_earlier(start: int, minutes: int, more: int) -> None:
    begun = at(2, 0) + timedelta(minutes=start)
    first = deadlines.due(begun, minutes=minutes, hours=DESK, days=PLAIN)
    later = deadlines.due(begun, minutes=minutes + more, hours=DESK, days=PLAIN)
    assert begun + timedelta(minutes=minutes) <= first < later


# Categories


def test_every_form_of_the_pack_has_its_category() -> None:
    forms = [one for one in catalogue.services().values() if one.kind is Kind.FORM]
    assert forms
    assert {one.form.category for one in forms if one.form} <= set(categories.names())


def test_a_report_on_staff_does_not_go_to_the_branch_it_is_about() -> None:
    chain = ("B440100", "B440000", "HQ")
    assert categories.desks().categories["举报"].first(chain) == "HQ"
    assert categories.desks().categories["投诉"].first(chain) == "B440100"
    parent = categories.Category("督办", 60, Route.PARENT)
    assert [parent.first(chain), parent.first(("HQ",))] == ["B440000", "HQ"]


# What is typed


def a_form(*inner: FormField) -> Form:
    return Form("咨询", inner, "好")


def faults(one: FormField, typed: str) -> str:
    found = fields.read(a_form(one), {f"f-{one.name}": typed}, today=TODAY)
    assert found.is_sound == (one.name not in found.faults)
    return found.faults.get(one.name, "")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (FieldType.TEXT, "中山路支行", "一\n二"),
        (FieldType.PARAGRAPH, "一\n二", "字" * 501),
        (FieldType.CHOICE, "甲", "乙"),
        (FieldType.DATE, "2026-11-20", "2026-02-30"),
        (FieldType.DATE, "２０２６-11-20", "1926-11-20"),
        (FieldType.PHONE, "+86 138-0013-8000", "12345"),
        (FieldType.PHONE, "010-62345678", "13800138000000"),
        (FieldType.PHONE, "+852 2345 6789", "+86123"),
        (FieldType.NUMBER, "1,200.50", "八万"),
    ],
)
def test_each_kind_of_field_takes_what_it_asks_for(kind: FieldType, good: str, bad: str) -> None:
    choices = ("甲",) if kind is FieldType.CHOICE else ()
    one = FormField("x", "题目", kind, True, choices=choices)
    assert not faults(one, good)
    assert faults(one, bad)
    assert "题目" in faults(one, " \u200b ")
    assert not faults(FormField("x", "题目", kind, choices=choices), "")


def test_a_telephone_is_kept_apart_from_the_answers() -> None:
    form = a_form(FormField("p", "电话", FieldType.PHONE), FormField("t", "称呼", FieldType.TEXT))
    found = fields.read(form, {"f-p": "138 0013 8000", "f-t": "林"}, today=TODAY)
    assert (found.phone, found.answers) == ("13800138000", (("称呼", "林"),))
    assert "13800138000" not in repr(found).replace("138 0013 8000", "")


@pytest.mark.parametrize("typed", [CARD, CARD.replace(" ", ""), IDENTITY, f"卡号{CARD}，急"])
def test_card_and_identity_numbers_are_refused_with_a_way_out(typed: str) -> None:
    one = FormField("x", "经过", FieldType.PARAGRAPH, True)
    assert "后四位" in faults(one, typed)
    assert "后四位" in fields.fault_of_words(typed, limit=500)


@pytest.mark.parametrize("typed", ["13800138000", "订单 202611201234567", "6222021234567890121"])
def test_other_long_numbers_may_stay(typed: str) -> None:
    assert not numbers.private_number(typed)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_without_a_fault_of_ours(typed: str) -> None:
    for kind in FieldType:
        choices = ("甲",) if kind is FieldType.CHOICE else ()
        faults(FormField("x", "题目", kind, True, choices=choices), typed)


def test_a_number_is_masked_but_for_its_ends() -> None:
    assert numbers.masked("13800138000") == "138****8000"
    assert numbers.masked("12345") == "*****"
