"""Writing an emergency while the database does not count its followers in time."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from regions import coverage
from tests.lightservices.console.conftest import Bank, words
from tests.lightservices.console.test_emergency_begin import (
    AREA,
    BEGIN,
    checked,
    emergencies,
    finish,
)
from tests.lightservices.console.writing import ROOT, form_of
from tests.lightservices.console.writing import calm as calm  # A fixture.


@pytest.mark.parametrize("do", ["check", "propose", "glass"])
def test_where_followers_cannot_be_counted_nothing_typed_is_lost(
    calm: Bank, monkeypatch: pytest.MonkeyPatch, do: str
) -> None:
    desk = calm.desk("head")
    second = checked(desk)

    def too_many(*_asked: Any) -> None:
        raise OperationalError("SELECT count(*)", None, Exception("statement timeout"))

    monkeypatch.setattr(coverage, "reach", too_many)
    answer = checked(desk) if do == "check" else finish(desk, second, do, glass_hours="1")
    assert answer.status_code == 409
    assert "区域内的粉丝现在数不出来，这一步没有做" in words(answer)
    assert form_of(answer.text, BEGIN)["why"] == "台风将至"
    assert emergencies(calm) == []
    assert desk.get(BEGIN).status_code == 200
    sent = AREA | {"csrf": desk.csrf}
    assert "数不出来" in desk.client.post(f"{ROOT}/area", data=sent).json["problem"]
