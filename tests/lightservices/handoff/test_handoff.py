"""Whom a follower is handed to, how the QR code looks, and when the agents get the message."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import segno
from sqlalchemy import delete

from lightservices.handoff import choosing, people, section, transfer
from lightservices.handoff.people import LocalPerson, LocalPersonRow
from regions import presence
from service import clock
from service.clock import SHANGHAI
from service.happenings import Clicked, OpenId, TextReceived
from service.replies import HandOver, Text
from service.staff import Me
from service.wiring import Unit, Wiring
from tests.lightservices.conftest import PEOPLES_SQUARE, WHO, Site, stand
from tests.service.console.conftest import Office
from tests.service.console.conftest import office as office  # Fixtures, as the next one is.
from tests.service.console.conftest import premises as premises

URL = "https://work.weixin.qq.com/ca/abc123"
MONDAY = datetime(2026, 11, 16, 10, tzinfo=SHANGHAI)
BY = Me(1, "ops.wang", "王值班")


def person(name: str, *, branch: str = "B310000", outlet: str = "", **more: Any) -> LocalPerson:
    return LocalPerson(
        branch=branch, outlet=outlet, name=name, title="客户经理", **{"url": URL, **more}
    )


def whom(unit: Unit, openid: OpenId | None = WHO, **more: Any) -> list[str]:
    found = choosing.local_people(unit, presence.where(unit, openid), **more)
    return [one.name for one in found.people] if found else []


def test_the_nearest_outlet_goes_before_the_branch_and_that_before_head_office(bank: Unit) -> None:
    stand(bank, PEOPLES_SQUARE)
    assert whom(bank) == []
    people.put(bank, "HQ", [person("总", branch="HQ")])
    assert whom(bank) == ["总"]
    people.put(bank, "B310000", [person("沪")])
    assert whom(bank) == ["沪"]
    people.put(bank, "B310000", [person("沪"), person("近", outlet="SYN-310101-01")])
    assert whom(bank) == ["近"]
    assert whom(bank, None) == ["总"]


def test_the_chosen_outlet_goes_before_the_nearest(bank: Unit) -> None:
    stand(bank, PEOPLES_SQUARE)
    people.put(
        bank,
        "B310000",
        [person("近", outlet="SYN-310101-01"), person("浦", outlet="SYN-310115-01")],
    )
    assert whom(bank, chosen="SYN-310115-01") == ["浦"]
    assert whom(bank, chosen="nowhere") == ["近"]
    assert whom(bank, chosen="SYN-110101-01") == ["近"]


def test_who_is_at_work_stands_in_front(bank: Unit) -> None:
    late = person("晚", branch="HQ", hours="每天 18:00-22:00")
    people.put(bank, "HQ", [late, person("早", branch="HQ", hours="每天 08:00-12:00")])
    assert whom(bank, None, at=MONDAY) == ["早", "晚"]
    assert whom(bank, None, at=MONDAY.replace(hour=20)) == ["晚", "早"]


def test_a_change_is_seen_at_once_and_an_empty_list_takes_all_away(bank: Unit) -> None:
    people.put(bank, "HQ", [person("总", branch="HQ")])
    people.put(bank, "HQ", [])
    assert whom(bank, None) == []


def test_a_person_with_a_link_gets_a_code_drawn_and_a_picture_is_shown_as_it_is() -> None:
    raw, kind = people.qr_of(person("沪"))
    assert kind == "image/png"
    assert raw.startswith(b"\x89PNG")
    drawn = base64.b64encode(raw).decode()
    own = person("沪", url="", picture=drawn)
    assert people.qr_of(own) == (raw, "image/png")
    assert own.digest != person("沪").digest


# What branches may publish


def row(**instead: str) -> dict[str, str]:
    return {
        "outlet": "",
        "name": "沪",
        "title": "客户经理",
        "url": URL,
        "picture": "",
        "hours": "",
    } | instead


@pytest.mark.parametrize(
    ("instead", "where"),
    [
        ({"name": " "}, "name"),
        ({"title": ""}, "title"),
        ({"name": "长" * 21}, "name"),
        ({"url": ""}, "url"),
        ({"url": "http://work.weixin.qq.com/ca/x"}, "url"),
        ({"url": "https://work.weixin.qq.com.evil.example/ca/x"}, "url"),
        ({"url": "https://u@work.weixin.qq.com/ca/x"}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://work.weixin.qq.com/ca/sample-hq"}, "url"),
        ({"picture": "bm8="}, "picture"),
        ({"picture": "<svg>"}, "picture"),
        ({"picture": base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 30_000).decode()}, "picture"),
        ({"hours": "随便"}, "hours"),
        ({"outlet": "nowhere"}, "outlet"),
        ({"outlet": "SYN-110101-01"}, "outlet"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    bank: Unit, instead: dict[str, str], where: str
) -> None:
    found = section.faults(bank, "B310000", "", {"people": [row(**instead)]})
    assert [one.where for one in found] == [f"people/0/{where}"]
    assert all(one.way_out for one in found)
    with pytest.raises(ValueError, match="cannot be shown"):
        section.apply(bank, "B310000", "", {"people": [row(**instead)]}, BY)


@pytest.mark.parametrize(
    "content", [None, [], {}, {"people": "x"}, {"people": [1]}, {"people": [{"name": 1}]}]
)
def test_content_of_another_shape_is_refused(bank: Unit, content: object) -> None:
    assert section.faults(bank, "B310000", "", content)


def test_what_is_applied_is_read_back_and_told_as_a_difference(bank: Unit) -> None:
    content = {"people": [row(), row(name="近", outlet="SYN-310101-01", hours="每天 09:00-17:00")]}
    before = section.read(bank, "B310000", "")
    assert section.faults(bank, "B310000", "", content) == []
    section.apply(bank, "B310000", "", content, BY)
    assert section.read(bank, "B310000", "") == content
    told = section.differences(bank, before, content)
    assert [(one.before, bool(one.after)) for one in told] == [("", True), ("", True)]
    assert section.differences(bank, content, content) == []


# The page


@pytest.fixture
def staffed(site: Site) -> Iterator[Site]:
    with site.wiring.unit() as unit:
        people.put(
            unit,
            "B310000",
            [
                person("顾<b>经理", hours="周一至周五 09:00-17:00"),
                person("样", synthetic=True, url=f"{URL}4"),
            ],
        )
    site.wiring.shelf.clear()
    yield site
    with site.wiring.unit() as unit:
        unit.db.execute(delete(LocalPersonRow))
        people.put(unit, "HQ", [])
    site.wiring.shelf.clear()


def test_the_page_shows_who_when_and_a_code_of_our_own(staffed: Site) -> None:
    client = staffed.visitor(openid=WHO)
    page = client.get("/s/my-manager")
    assert "顾&lt;b&gt;经理" in page.text
    assert "现在服务您的分行" in page.text
    assert "没有这个人" in page.text
    path = person("x").qr_path
    assert f'src="{path}"' in page.text
    code = client.get(path)
    assert code.mimetype == "image/png"
    assert code.data.startswith(b"\x89PNG")
    assert segno.make(URL, error="m").designator
    assert client.get("/q/" + "0" * 24).status_code == 404


def test_where_nobody_is_named_the_page_gives_the_other_ways(site: Site) -> None:
    page = site.visitor().get("/s/my-manager")
    assert page.status_code == 200
    assert "还没有公布客户经理" in page.text
    assert "/t/new" in page.text
    assert "客服热线" in page.text


# The agents


@pytest.mark.parametrize("words", ["转人工", "我要找人工客服", "有真人吗", "找人说"])
def test_who_asks_for_a_person_is_understood(words: str) -> None:
    assert transfer.is_wanted(words)


@pytest.mark.parametrize("words", ["人工费多少", "人工智能理财", "卡丢了", "找人" * 40])
def test_who_does_not_is_not(words: str) -> None:
    assert not transfer.is_wanted(words)


@pytest.fixture
def agents(wiring: Wiring, unit: Unit) -> Unit:
    return Unit(unit.db, replace(wiring, settings=replace(wiring.settings, kf_transfer="on")))


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: moment)


def asked() -> TextReceived:
    return TextReceived(WHO, MONDAY, content="转人工")


def test_within_hours_the_message_is_passed_on_and_outside_words_are_given(
    agents: Unit, unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, MONDAY)
    assert isinstance(transfer.to_a_person(agents, asked()), HandOver)
    off = transfer.to_a_person(unit, asked())
    assert isinstance(off, Text)
    assert "/t/new" in off.content
    assert "不在线" not in off.content
    at(monkeypatch, MONDAY.replace(hour=22))
    late = transfer.to_a_person(agents, asked())
    assert isinstance(late, Text)
    assert "现在不在线" in late.content


def test_an_event_is_never_passed_on(agents: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, MONDAY)
    assert isinstance(transfer.to_a_person(agents, Clicked(WHO, MONDAY, key="x")), Text)


# The console


@pytest.fixture
def desk(office: Office) -> Iterator[Office]:
    yield office
    with office.wiring.unit() as unit:
        people.put(unit, "B310000", [])


def test_people_are_written_by_one_and_shown_after_anothers_yes(desk: Office) -> None:
    editor = desk.browser().sign_in("sh.editor")
    assert editor.get("/console/contacts/B310000").status_code == 200
    form = {"count": "2", "name-0": "顾", "title-0": "客户经理", "url-0": URL, "why": "新来的"}
    bad = editor.post("/console/contacts/B310000", **(form | {"url-0": "x", "propose": "1"}))
    assert bad.status_code == 422
    assert 'id="url-0-fault"' in bad.text
    sent = editor.post("/console/contacts/B310000", **form, propose="1")
    assert sent.location == "/console/contacts/B310000"
    assert "待审批" in editor.get(sent.location).text
    with desk.wiring.reading() as unit:
        assert people.of_branch(unit, "B310000") == []


def test_another_branchs_people_look_like_none(desk: Office) -> None:
    editor = desk.browser().sign_in("sh.editor")
    for code in ("B440000", "B999999"):
        assert editor.get(f"/console/contacts/{code}").status_code == 404
        assert editor.post(f"/console/contacts/{code}", count="0").status_code == 404
    reader = desk.browser().sign_in("reader")
    assert reader.get("/console/contacts/B310000").status_code == 200
    assert reader.post("/console/contacts/B310000", count="0").status_code == 403
