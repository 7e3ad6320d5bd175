"""Loans and deposits to the cent: laws that hold for all of them, and figures checked by hand."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from lightservices.deposits import Deposit, term_label, yield_of
from lightservices.loans import CENT, Loan, Method, repayment

loans = st.builds(
    Loan,
    principal=st.decimals("0.01", "100000000", places=2),
    annual_percent=st.decimals("0", "36", places=3),
    months=st.integers(1, 360),
    method=st.sampled_from(Method),
)


@settings(deadline=None)
@given(loans)
def test_a_loan_is_paid_back_exactly_and_never_more_than_is_owed(loan: Loan) -> None:
    paid = repayment(loan)
    assert sum(each.principal for each in paid.instalments) == loan.principal
    assert paid.last.balance == 0
    assert len(paid.instalments) == loan.months
    assert all(each.principal >= 0 and each.interest >= 0 for each in paid.instalments)
    assert paid.total == loan.principal + paid.total_interest


@settings(deadline=None)
@given(loans)
def test_what_is_owed_only_falls_and_so_does_the_interest(loan: Loan) -> None:
    instalments = repayment(loan).instalments
    for earlier, later in pairwise(instalments):
        assert later.balance <= earlier.balance
        assert later.interest <= earlier.interest


@settings(deadline=None)
@given(loans.filter(lambda loan: loan.principal >= 10_000))
@example(Loan(Decimal("10856.45"), Decimal("35.860"), 200, Method.EQUAL_INSTALMENT))
def test_equal_instalments_are_equal_but_for_the_last(loan: Loan) -> None:
    level = repayment(
        Loan(loan.principal, loan.annual_percent, loan.months, Method.EQUAL_INSTALMENT)
    )
    rate = loan.annual_percent / 1200
    # Every month rounds twice by half a cent at most, and what that left out bears interest.
    drift = CENT * sum((1 + rate) ** month for month in range(loan.months))
    assume(drift < level.first.payment)
    assert len({each.payment for each in level.instalments[:-1]}) <= 1
    assert abs(level.last.payment - level.first.payment) <= drift


@settings(deadline=None)
@given(loans.filter(lambda loan: loan.principal >= 10_000))
def test_equal_principal_costs_no_more_interest(loan: Loan) -> None:
    costs = {
        method: repayment(
            Loan(loan.principal, loan.annual_percent, loan.months, method)
        ).total_interest
        for method in Method
    }
    tolerance = loan.months * CENT
    assert costs[Method.EQUAL_PRINCIPAL] <= costs[Method.EQUAL_INSTALMENT] + tolerance


def test_a_million_over_thirty_years() -> None:
    level = repayment(Loan(Decimal(1_000_000), Decimal("4.9"), 360, Method.EQUAL_INSTALMENT))
    assert level.first.payment == Decimal("5307.27")
    share = repayment(Loan(Decimal(1_000_000), Decimal("4.9"), 360, Method.EQUAL_PRINCIPAL))
    assert share.first.payment == Decimal("6861.11")


def test_a_loan_without_interest_is_shared_out() -> None:
    paid = repayment(Loan(Decimal(100), Decimal(0), 3, Method.EQUAL_INSTALMENT))
    assert [each.payment for each in paid.instalments] == [
        Decimal("33.33"),
        Decimal("33.33"),
        Decimal("33.34"),
    ]


@pytest.mark.parametrize(("principal", "percent", "months"), [(0, 1, 12), (1, -1, 12), (1, 1, 0)])
def test_what_is_no_loan_is_refused(principal: int, percent: int, months: int) -> None:
    with pytest.raises(ValueError, match="a loan has"):
        repayment(Loan(Decimal(principal), Decimal(percent), months, Method.EQUAL_PRINCIPAL))


@settings(deadline=None)
@given(
    st.decimals("0", "100000000", places=2), st.decimals("0", "10", places=3), st.integers(1, 60)
)
def test_a_deposit_yields_within_half_a_cent(
    principal: Decimal, percent: Decimal, months: int
) -> None:
    result = yield_of(Deposit(principal, percent, months))
    assert abs(result.interest - principal * percent * months / 1200) <= CENT / 2
    assert result.total == principal + result.interest


def test_ten_thousand_for_two_years() -> None:
    assert yield_of(Deposit(Decimal(10_000), Decimal("1.5"), 24)).interest == Decimal("300.00")
    assert (term_label(3), term_label(24)) == ("3 个月", "2 年")
    with pytest.raises(ValueError, match="a deposit has"):
        yield_of(Deposit(Decimal(1), Decimal(1), 0))
