"""Binding an account: consent first, a code the core sends, little kept, ended at any time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from lightservices.binding import consent, limits, operations
from lightservices.binding.models import BindingAttempt, BindingLimit, BindingRow
from lightservices.coresandbox.world import STRANGER
from service import clock
from service.delivery.ledger import Row
from service.happenings import OpenId, Unfollowed
from service.wiring import Unit
from tests.lightservices.conftest import PEOPLES_SQUARE, WHO, stand
from tests.lightservices.corebank import CODE, PHONE_NUMBER, CoreBank, core_site, corebank

__all__ = ["core_site", "corebank"]


def everything_stored(bank: CoreBank) -> str:
    with bank.wiring.reading() as unit:
        return "\n".join(
            str(dict(row))
            for table in (BindingRow, BindingAttempt, BindingLimit, Row)
            for row in unit.db.execute(table.__table__.select()).mappings()
        )


def test_a_follower_binds_with_consent_and_a_code(corebank: CoreBank) -> None:
    first = corebank.client.get("/s/account-balance")
    assert "先绑定，再查询" in first.text
    status, page = corebank.start()
    assert status == 200
    assert "138****8000" in page
    assert PHONE_NUMBER not in page
    corebank.post("/bind/confirm", code=CODE)
    shown = corebank.client.get("/s/bind-account").text
    assert "手机号尾号 8000" in shown
    assert corebank.rows(BindingAttempt) == 0
    assert "可用余额" in corebank.client.get("/s/account-balance").text


def test_of_a_binding_nothing_readable_is_kept(corebank: CoreBank) -> None:
    corebank.start()
    during = everything_stored(corebank)
    corebank.post("/bind/confirm", code=CODE)
    token = next(iter(corebank.core.world.customers))
    for kept in (during, everything_stored(corebank)):
        for secret in (PHONE_NUMBER, "138****8000", "8000'", token, CODE, "bnd_"):
            assert secret not in kept
    with corebank.wiring.reading() as unit:
        row = unit.db.execute(select(BindingRow.__table__)).mappings().one()
        bound = operations.binding(unit, WHO)
    assert row["consent_version"] == consent.current().version
    assert row["consent_at"] <= clock.now()
    assert bound is not None
    assert (bound.customer.token, bound.phone_tail) == (token, "8000")
    assert token not in repr(bound) + str(bound.customer)
    # The core never learns the openid itself.
    assert WHO not in corebank.core.world.customers.values()


@pytest.mark.parametrize("version", ["", "1999-01"])
def test_nobody_is_bound_without_consent_to_the_text_of_today(
    corebank: CoreBank, version: str
) -> None:
    status, page = corebank.post("/bind/start", phone=PHONE_NUMBER, consent=version)
    assert status == 422
    assert "勾选同意" in page
    assert not corebank.core.world.pending


@pytest.mark.parametrize("phone", ["", "12345", "13800138", "110", "2380013800a"])
def test_what_is_no_mobile_number_is_said_so(corebank: CoreBank, phone: str) -> None:
    status, page = corebank.start(phone)
    assert status == 422
    assert "请填写 11 位手机号" in page


@pytest.mark.parametrize("phone", ["+86 138 0013 8000", "138-0013-8000", "１３８００１３８０００"])
def test_a_number_may_be_written_as_people_copy_it(corebank: CoreBank, phone: str) -> None:
    assert "138****8000" in corebank.start(phone)[1]


def test_five_wrong_codes_end_the_attempt_whatever_the_core_says(corebank: CoreBank) -> None:
    corebank.start()
    for left in (4, 3, 2, 1):
        status, page = corebank.post("/bind/confirm", code="000000")
        assert status == 422
        assert f"还可以试 {left} 次" in page
        # A core that forgets to count must not open the door to a sixth guess.
        next(iter(corebank.core.world.pending.values())).tries = 0
    assert "请重新获取" in corebank.post("/bind/confirm", code="000000")[1]
    calls = corebank.core.world.calls.total()
    status, page = corebank.post("/bind/confirm", code=CODE)
    assert status == 422
    assert corebank.core.world.calls.total() == calls
    assert corebank.rows(BindingRow) == 0


def test_codes_are_tried_and_asked_for_only_so_often_an_hour(corebank: CoreBank) -> None:
    for _ in range(limits.MOST_STARTS):
        assert corebank.start()[0] == 200
        corebank.post("/bind/again")
    status, page = corebank.start()
    assert status == 429
    assert "一小时以后" in page
    later = datetime.now(UTC) + timedelta(minutes=61)
    with time_machine.travel(later):
        with corebank.wiring.unit() as unit:
            stand(unit, PEOPLES_SQUARE)
        assert corebank.start()[0] == 200


def test_a_telephone_is_not_flooded_by_many_followers(bank: Unit) -> None:
    for number in range(limits.MOST_STARTS):
        operations.allow_start(bank, OpenId(f"oSomebody{number}"), phone=PHONE_NUMBER)
    with pytest.raises(limits.TooOften):
        operations.allow_start(bank, OpenId("oYetAnother"), phone=PHONE_NUMBER)
    operations.allow_start(bank, OpenId("oYetAnother"), phone="13900139000")


def test_a_stranger_is_answered_like_a_customer_and_never_bound(corebank: CoreBank) -> None:
    known = corebank.start()[1]
    corebank.post("/bind/again")
    unknown = corebank.start(STRANGER)[1]
    assert re.sub(r"\d{3}\*{4}\d{4}", "", known) == re.sub(r"\d{3}\*{4}\d{4}", "", unknown)
    assert "验证码不对" in corebank.post("/bind/confirm", code=STRANGER[-6:])[1]
    assert corebank.rows(BindingRow) == 0


def test_unbinding_takes_two_taps_erases_at_once_and_tells_the_core(corebank: CoreBank) -> None:
    corebank.bind()
    balance = corebank.client.get("/s/account-balance").text
    assert 'href="/s/unbind-account"' in balance
    assert "尾号 8000" in corebank.client.get("/s/unbind-account").text
    corebank.core.misbehave({"path": "/v1/customer/binding", "do": "cut"})
    status, page = corebank.post("/bind/end")
    assert (status, corebank.rows(BindingRow)) == (200, 0)
    assert "已经解除" in page
    assert len(corebank.core.world.customers) == 1
    corebank.core.misbehave()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5)):
        corebank.settle()
    assert not corebank.core.world.customers


def test_whoever_leaves_is_unbound_and_the_core_told(corebank: CoreBank) -> None:
    corebank.bind()
    with corebank.wiring.unit() as unit:
        unit.announce(Unfollowed(WHO, clock.now()))
    assert corebank.rows(BindingRow) == 0
    assert WHO not in everything_stored(corebank)
    corebank.settle()
    assert not corebank.core.world.customers


def test_whoever_leaves_while_the_code_is_checked_is_not_bound(corebank: CoreBank) -> None:
    corebank.start()
    with corebank.wiring.unit() as unit:
        made = operations.allow_try(unit, WHO)
        unit.announce(Unfollowed(WHO, clock.now()))
    with corebank.wiring.unit() as unit:
        assert not operations.bind(unit, WHO, made=made, customer="x" * 20, phone_tail="8000")
    assert corebank.rows(BindingRow) == 0
    assert corebank.rows(Row) == 1


def test_a_changed_text_is_agreed_to_again_before_anything_is_shown(
    corebank: CoreBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    corebank.bind()
    newer = consent.Consent(
        "2099-1", "新说明", "新目的", consent.current().points, consent.current().law, "文"
    )
    monkeypatch.setattr(consent, "current", lambda: newer)
    assert "授权说明有更新" in corebank.client.get("/s/account-balance").text
    assert "请先阅读" in corebank.post("/bind/agree")[1]
    status, _page = corebank.post("/bind/agree", consent="2099-1")
    assert status == 200
    assert "可用余额" in corebank.client.get("/s/account-balance").text
    corebank.settle()
    assert list(corebank.core.world.consents.values()) == ["2099-1"]


def test_a_binding_the_bank_ended_is_erased_here_too(corebank: CoreBank) -> None:
    corebank.bind()
    corebank.core.world.customers.clear()
    assert "绑定已经失效" in corebank.client.get("/s/account-balance").text
    assert corebank.rows(BindingRow) == 0


def test_only_a_form_of_ours_binds_or_unbinds(corebank: CoreBank) -> None:
    corebank.bind()
    assert corebank.client.post("/bind/end", data={"form": "0" * 64}).status_code == 403
    assert corebank.client.post("/bind/end").status_code == 403
    foreign = corebank.client.post("/bind/end", headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert corebank.rows(BindingRow) == 1


def test_a_guest_is_told_how_to_be_known(corebank: CoreBank) -> None:
    with corebank.client.session_transaction() as session:
        session.clear()
    assert "请从微信里打开" in corebank.client.get("/s/bind-account").text
    assert corebank.client.post("/bind/start", data={}).status_code == 303
    assert "先绑定，再查询" in corebank.client.get("/s/points-balance").text


def test_what_ran_out_is_forgotten(corebank: CoreBank) -> None:
    corebank.start()
    later = datetime.now(UTC) + timedelta(hours=2)
    with time_machine.travel(later), corebank.wiring.unit() as unit:
        operations.forget_old(unit)
    assert corebank.rows(BindingAttempt) == 0
    assert corebank.rows(BindingLimit) == 0
