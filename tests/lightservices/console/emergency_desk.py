"""People on duty at the console's page of one emergency, and the forms they fill in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from sqlalchemy import delete
from werkzeug.test import TestResponse

from lightservices.emergency import queries
from lightservices.emergency.models import EmergencyRow, Record, ReviewRow, VersionRow
from regions.presence import Presence
from service import followers
from service.epochs import bump
from service.staff import Me
from service.staff import operations as staff
from tests.lightservices.console.conftest import Bank, Desk
from tests.lightservices.emergency.duty import key_of, opened, proposed

ROOT = "/console/emergency"
#: Beside the cast: two on duty at head office and one in Guangdong.
DUTY = {
    "duty.one": ("operations", "HQ"),
    "duty.two": ("operations", "HQ"),
    "duty.gd": ("operations", "B440000"),
    "duty.sh": ("operations", "B310000"),
    "watcher": ("auditor", "HQ"),
}


@pytest.fixture
def calm(bank: Bank) -> Iterator[Bank]:
    """Nothing is open before, and nothing after; people are on duty."""
    people = dict(bank.people)
    with bank.wiring.unit() as unit:
        for login, (role, branch) in DUTY.items():
            found = staff.person(unit, login)
            number = found.id if found else staff.add(unit, login=login, name=login, by=None)
            staff.set_grants(unit, staff_id=number, branch=branch, roles=[role], by=None)
            person = staff.required(unit, login)
            people[login] = Me(number, login, person.name, person.grants)
    yield replace(bank, people=people)
    with bank.wiring.unit() as unit:
        for model in (ReviewRow, VersionRow, EmergencyRow, Presence, followers.Follower):
            unit.db.execute(delete(model))
        bump(unit, "emergencies")


def one(bank: Bank) -> Record:
    """The only emergency there is."""
    with bank.wiring.reading() as unit:
        [found] = [queries.find(unit, key) for key in keys(bank)]
    assert found is not None
    return found


def keys(bank: Bank) -> list[str]:
    with bank.wiring.reading() as unit:
        return [row.key for row in unit.db.execute(EmergencyRow.__table__.select())]


def filled(desk: Desk, key: str, step: str) -> dict[str, str]:
    """The fields the page's form for this step holds; a box is ticked."""
    shown = desk.get(f"{ROOT}/{key}?count=1").text
    found = re.search(rf'<form[^>]+action="{ROOT}/{key}/{step}">(.*?)</form>', shown, re.S)
    assert found is not None, f"no form for {step}"
    fields: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", found[1]):
        told = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if told.get("type") in ("hidden", "checkbox"):
            fields[told["name"]] = unescape(told["value"])
    return {name: value for name, value in fields.items() if name != "csrf"}


def move(desk: Desk, key: str, step: str, **form: Any) -> TestResponse:
    """Fill in the form of this step and send it."""
    return desk.post(f"{ROOT}/{key}/{step}", **(filled(desk, key, step) | form))


def laid(bank: Bank, **more: Any) -> str:
    """A proposal by somebody on duty."""
    with bank.wiring.unit() as unit:
        return key_of(unit, proposed(unit, bank.people["duty.one"], **more))


def standing(bank: Bank, **more: Any) -> Record:
    """An emergency opened by one of those on duty."""
    with bank.wiring.unit() as unit:
        me = bank.people
        return opened(unit, me["duty.two"], proposer=me["duty.one"], **more)
