"""What operators must hear of is said loudly, and says nothing about a follower."""

from __future__ import annotations

import logging

import pytest

from service import clock, notices
from service.happenings import AccountWarned, MessageSettled, OpenId
from service.wiring import Unit

WHO = OpenId("oTESTfollower000000000000001")


def test_an_expiring_verification_is_critical(unit: Unit, caplog: pytest.LogCaptureFixture) -> None:
    notices.warn(unit, AccountWarned(WHO, clock.now(), event="annual_renew"))
    (record,) = [r for r in caplog.records if r.levelno == logging.CRITICAL]
    assert "annual_renew" in str(record.msg)
    assert WHO not in str(record.msg)


def test_a_failed_message_is_said_and_a_delivered_one_is_not(
    unit: Unit, caplog: pytest.LogCaptureFixture
) -> None:
    done = MessageSettled(WHO, clock.now(), kind="templatesendjobfinish", status="success")
    notices.settle(unit, done)
    assert not caplog.records
    failed = MessageSettled(
        WHO, clock.now(), kind="templatesendjobfinish", status="failed:user block"
    )
    notices.settle(unit, failed)
    assert "failed:user block" in str(caplog.records[0].msg)
