"""Paying back early, changing money, paying in parts: against figures worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightservices.conversions import Conversion, Way, converted
from lightservices.installments import Plan, cost
from lightservices.loans import Loan, Method, repayment
from lightservices.prepayments import Keep, Prepayment, reckon
from tests.lightservices.conftest import Site

D = Decimal
#: 12,000 yuan at 1 % a month for a year, equal principal: 1,000 a month and what interest is due.
YEAR = Loan(D(12000), D(12), 12, Method.EQUAL_PRINCIPAL)


def test_paying_half_of_the_rest_early_shortens_the_term() -> None:
    # After six months 6,000 are owed; interest to come 60+50+40+30+20+10 = 210. After paying 3,000:
    # 30+20+10 = 60 over three months.
    found = reckon(Prepayment(YEAR, 6, D(3000), Keep.INSTALMENT))
    assert (found.owed, found.interest_before, found.interest_after) == (D(6000), D(210), D(60))
    assert (found.saved, found.months_before, found.months_after) == (D(150), 6, 3)
    assert (found.instalment_before, found.instalment_after) == (D(1060), D(1030))


def test_paying_half_of_the_rest_early_makes_instalments_smaller() -> None:
    # 500 a month for six months: 30+25+20+15+10+5 = 105.
    found = reckon(Prepayment(YEAR, 6, D(3000), Keep.TERM))
    assert (found.interest_after, found.saved, found.months_after) == (D(105), D(105), 6)
    assert found.instalment_after == D(530)


@pytest.mark.parametrize("keep", Keep)
def test_paying_everything_settles_the_loan(keep: Keep) -> None:
    found = reckon(Prepayment(YEAR, 6, D(99999), keep))
    assert (found.lump, found.months_after, found.saved) == (D(6000), 0, D(210))
    assert found.settles
    assert found.instalment_after == 0


def test_a_loan_without_interest_saves_nothing_and_is_over_sooner() -> None:
    free = Loan(D(1200), D(0), 12, Method.EQUAL_INSTALMENT)
    found = reckon(Prepayment(free, 2, D(400), Keep.INSTALMENT))
    assert (found.owed, found.saved, found.months_before, found.months_after) == (1000, 0, 10, 6)
    assert found.instalment_after == found.instalment_before == D(100)


def test_the_usual_home_loan() -> None:
    # 1,000,000 at 4.9 % for 30 years is 5,307.27 a month; 60 months later 916,983.96 are owed by
    # the formula P(1+r)^k − A((1+r)^k − 1)/r, a little more or less by rounding each month.
    home = Loan(D(1000000), D("4.9"), 360, Method.EQUAL_INSTALMENT)
    found = reckon(Prepayment(home, 60, D(100000), Keep.INSTALMENT))
    rate = D("4.9") / 1200
    growth = (1 + rate) ** 60
    owed = D(1000000) * growth - D("5307.27") * (growth - 1) / rate
    assert abs(found.owed - owed) < D("0.5")
    assert found.instalment_before == found.instalment_after == D("5307.27")
    assert found.months_after < found.months_before == 300


@given(
    st.decimals(1000, 5_000_000, places=2), st.decimals(0, 24, places=2), st.integers(1, 30),
    st.sampled_from(Method), st.floats(0, 0.999), st.decimals("0.01", 5_000_000, places=2),
)  # fmt: skip
def test_paying_early_never_costs_interest_and_a_shorter_term_saves_most(
    principal: D, rate: D, years: int, method: Method, share: float, lump: D
) -> None:
    loan = Loan(principal, rate, years * 12, method)
    paid = int(share * loan.months)
    shorter = reckon(Prepayment(loan, paid, lump, Keep.INSTALMENT))
    smaller = reckon(Prepayment(loan, paid, lump, Keep.TERM))
    # Each instalment is rounded to the cent, and what it is off by bears interest to the end.
    monthly = loan.annual_percent / 1200
    growth = (1 + monthly) ** loan.months
    slack = D("0.01") * ((growth - 1) / monthly if monthly else loan.months)
    assert smaller.saved >= -slack
    assert shorter.saved >= smaller.saved - slack
    assert shorter.months_after <= smaller.months_after <= loan.months - paid
    assert shorter.owed == (repayment(loan).instalments[paid - 1].balance if paid else principal)


@pytest.mark.parametrize(("paid", "lump"), [(12, 1), (-1, 1), (0, 0)])
def test_what_is_no_prepayment_is_refused(paid: int, lump: int) -> None:
    with pytest.raises(ValueError, match="instalments"):
        reckon(Prepayment(YEAR, paid, D(lump), Keep.TERM))


def test_six_per_mille_a_month_is_thirteen_per_cent_a_year() -> None:
    # The figure banks themselves publish for twelve parts at 0.6 %: 13.03 %.
    found = cost(Plan(D(12000), 12, D("0.6")))
    assert (found.first, found.fee, found.total_fee) == (D(1072), D(72), D(864))
    assert (found.total, found.annual_percent) == (D(12864), D("13.03"))


def test_two_parts_by_hand() -> None:
    # 100 in two parts at 2 %: 52 each; 52/(1+r) + 52/(1+r)² = 100 gives r = 2.6550 %.
    found = cost(Plan(D(100), 2, D(2)))
    assert (found.first, found.last) == (52, 52)
    assert found.annual_percent == D("31.86")


def test_no_fee_is_no_interest_and_the_last_part_takes_the_cents() -> None:
    found = cost(Plan(D(100), 3, D(0)))
    assert (found.first, found.last, found.total) == (D("33.33"), D("33.34"), 100)
    assert found.annual_percent == 0
    with pytest.raises(ValueError, match="parts"):
        cost(Plan(D(100), 0, D(0)))


@pytest.mark.parametrize(
    ("way", "amount", "price", "unit", "gets"),
    [
        (Way.SELL, 500, "712.34", 100, "3561.70"),
        (Way.BUY, 10000, "4.6255", 100, "462.55"),
        (Way.SELL, "0.01", "712.34", 100, "0.07"),
        (Way.SPEND, 1000, "712.34", 100, "140.38"),
        (Way.SPEND, 1000, "7.1234", 1, "140.38"),
        (Way.BUY, 1, "7.125", 1, "7.13"),
    ],
)
def test_money_is_changed_to_the_cent(
    way: Way, amount: int | str, price: str, unit: int, gets: str
) -> None:
    assert converted(Conversion(way, D(amount), D(price), unit)) == D(gets)


def test_nothing_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="above zero"):
        converted(Conversion(Way.SELL, D(0), D(1), 1))


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (
            "prepayment-calculator?amount=1.2&years=1&rate=12&paid=6&lump=0.3&method=equal-principal",
            "150.00",
        ),
        ("prepayment-calculator?amount=1&years=1&rate=3&paid=12&lump=1", "应小于 12 期"),
        ("prepayment-calculator?amount=1&years=1&rate=3&paid=x&lump=1", "应填数字"),
        ("exchange-calculator?amount=500&price=712.34", "3,561.70"),
        ("exchange-calculator?amount=500&price=0", "应在 0.0001"),
        ("installment-calculator?amount=12000&parts=12&fee=0.6", "13.03"),
        ("installment-calculator?amount=12000&parts=5&fee=0.6", "请选择期数"),
    ],
)
def test_the_calculators_answer_without_a_script(site: Site, path: str, says: str) -> None:
    page = site.visitor().get(f"/s/{path}")
    assert page.status_code == 200
    assert says in page.text
    assert "算法" in page.text
