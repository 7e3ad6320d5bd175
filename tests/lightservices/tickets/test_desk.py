"""The desk in the console: one's own branches' tickets, answers, audited telephones, figures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import delete

from lightservices.outlets.models import OutletRow
from lightservices.tickets import operations, queries
from lightservices.tickets.contents import Content
from lightservices.tickets.models import ConversationRow, TicketEventRow, TicketRow
from service import audit, clock, followers
from service.happenings import Fact, OpenId, TextReceived
from tests.lightservices.tickets.conftest import PHONE_NUMBER
from tests.service.console.conftest import Browser, Office
from tests.service.console.conftest import office as office  # Fixtures, as the next one is.
from tests.service.console.conftest import premises as premises

ASKER = OpenId("oASKERinShanghai000000000001")
LIST = "/console/tickets"


@pytest.fixture(autouse=True)
def empty_desk(office: Office) -> Iterator[None]:
    with office.wiring.unit() as unit:
        followers.meet(unit, Fact(ASKER, clock.now()))
    yield
    with office.wiring.unit() as unit:
        for model in (TicketEventRow, TicketRow, ConversationRow, OutletRow):
            unit.db.execute(delete(model))


def opened(
    office: Office, *, branch: str = "B310000", category: str = "投诉", words: str = "等太久",
    openid: OpenId | None = ASKER,
) -> str:  # fmt: skip
    with office.wiring.unit() as unit:
        asked = operations.Request(
            category=category, service="complaint", branch=branch, openid=openid,
            token=f"{branch}{category}{words}"[:64],
            content=Content((("事情经过", words),), PHONE_NUMBER),
        )  # fmt: skip
        return operations.open_ticket(unit, asked)[0]


def state(office: Office, number: str) -> queries.Ticket:
    with office.wiring.reading() as unit:
        found = queries.find(unit, number)
    assert found is not None
    return found


@pytest.fixture
def editor(office: Office) -> Browser:
    return office.browser().sign_in("sh.editor")


def test_the_list_holds_ones_own_branches_tickets_and_no_word_of_them(
    office: Office, editor: Browser
) -> None:
    own, foreign = opened(office), opened(office, branch="B440000")
    page = editor.get(LIST).text
    assert own in page
    assert foreign not in page
    assert "等太久" not in page
    assert own not in editor.get(f"{LIST}?category=建议").text
    assert own in editor.get(f"{LIST}?category=投诉&phone=138-0013-8000&view=all").text
    assert own not in editor.get(f"{LIST}?phone=13900139000&view=all").text


def test_head_office_sees_all_and_filters_by_branch(office: Office) -> None:
    own, other = opened(office), opened(office, branch="B440000")
    browser = office.browser().sign_in("ops.wang")
    assert {own, other} <= {n for n in (own, other) if n in browser.get(LIST).text}
    assert other not in browser.get(f"{LIST}?branch=B310000").text


@pytest.mark.parametrize(
    "path",
    ["", "/take", "/release", "/reopen", "/answer", "/close", "/hand", "/escalate", "/phone"],
)
def test_a_foreign_ticket_looks_like_one_there_is_not(
    office: Office, editor: Browser, path: str
) -> None:
    number = opened(office, branch="B440000")
    editor.get(LIST)
    for one in (number, "261120-NOBODY"):
        address, form = f"{LIST}/{one}{path}", {"words": "好", "why": "好", "to": "B310000"}
        answer = editor.post(address, **form) if path else editor.get(address)
        assert answer.status_code == 404
    assert state(office, number).state == "open"
    assert editor.get(f"{LIST}?branch=B440000").status_code == 404


@pytest.mark.parametrize("login", ["reader", "auditor", "admin", "gd.checker"])
def test_who_may_only_look_does_not_read_what_followers_wrote(office: Office, login: str) -> None:
    number = opened(office, branch="B440000")
    browser = office.browser().sign_in(login)
    assert browser.get(LIST).status_code == 403
    assert browser.get(f"{LIST}/{number}").status_code == 403
    figures = browser.get(f"{LIST}/figures")
    assert figures.status_code == 200
    assert "广东" in figures.text


def test_it_is_taken_answered_and_closed(office: Office, editor: Browser) -> None:
    number = opened(office)
    assert "等太久" in editor.get(f"{LIST}/{number}").text
    editor.post(f"{LIST}/{number}/take")
    assert number in editor.get(f"{LIST}?view=mine").text
    assert state(office, number).holder == "sh.editor"
    page = editor.get(f"{LIST}/{number}?reply=0").text
    assert "正在核实" in page
    answer = editor.post(f"{LIST}/{number}/answer", words="查过了，向您道歉")
    assert answer.location == f"{LIST}/{number}"
    page = editor.get(answer.location).text
    assert "正在发送到微信" in page
    assert "查过了，向您道歉" in page
    editor.post(f"{LIST}/{number}/close", why="已道歉")
    assert number in editor.get(f"{LIST}?view=closed").text


def test_when_the_window_is_closed_the_desk_reads_so_and_the_way_out(
    office: Office, editor: Browser
) -> None:
    number = opened(office)
    with office.wiring.unit() as unit:
        unit.announce(TextReceived(ASKER, clock.from_epoch(clock.epoch() - 3 * 86_400)))
    page = editor.get(f"{LIST}/{number}").text
    assert "客服消息窗口已关闭" in page
    assert "按留的电话回拨" in page
    editor.post(f"{LIST}/{number}/answer", words="查过了")
    page = editor.get(f"{LIST}/{number}").text
    assert "等对方下次发消息时送达" in page
    with office.wiring.unit() as unit:
        unit.announce(TextReceived(ASKER, clock.now()))
    assert "客服消息窗口开着" in editor.get(f"{LIST}/{number}").text


def test_a_guests_ticket_says_that_nothing_reaches_a_chat(office: Office, editor: Browser) -> None:
    number = opened(office, openid=None)
    assert "没有从微信提交" in editor.get(f"{LIST}/{number}").text


def test_the_whole_telephone_is_shown_once_and_that_is_in_the_audit(
    office: Office, editor: Browser
) -> None:
    number = opened(office)
    assert PHONE_NUMBER not in editor.get(f"{LIST}/{number}").text
    assert PHONE_NUMBER in editor.post(f"{LIST}/{number}/phone").text
    assert PHONE_NUMBER not in editor.get(f"{LIST}/{number}").text
    with office.wiring.reading() as unit:
        seen = audit.search(unit, audit.Filters(subject=f"ticket:{number}"))
    assert [(one.act, one.actor) for one in seen] == [("ticket.phone", "sh.editor")]


@pytest.mark.parametrize(
    ("step", "form"),
    [
        ("answer", {"words": ""}),
        ("answer", {"words": "6222021234567890128"}),
        ("close", {"why": ""}),
        ("hand", {"why": "", "to": "B440000"}),
        ("hand", {"why": "错了", "to": "B310000"}),
        ("hand", {"why": "错了", "to": "B999999"}),
        ("escalate", {"why": ""}),
        ("release", {}),
        ("reopen", {}),
    ],
)
def test_what_cannot_be_done_is_said_on_the_page(
    office: Office, editor: Browser, step: str, form: dict[str, str]
) -> None:
    number = opened(office)
    editor.get(f"{LIST}/{number}")
    answer = editor.post(f"{LIST}/{number}/{step}", **form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert state(office, number).state == "open"


def test_handed_on_it_is_out_of_sight_and_in_anothers(office: Office, editor: Browser) -> None:
    number = opened(office)
    editor.get(f"{LIST}/{number}")
    assert editor.post(f"{LIST}/{number}/hand", why="广州的事", to="B440000").location == LIST
    assert editor.get(f"{LIST}/{number}").status_code == 404
    assert "广州的事" in office.browser().sign_in("gd.editor").get(f"{LIST}/{number}").text


def test_escalated_it_is_head_offices(office: Office, editor: Browser) -> None:
    number = opened(office)
    editor.get(f"{LIST}/{number}")
    assert editor.post(f"{LIST}/{number}/escalate", why="请支持").location == LIST
    assert state(office, number).branch == "HQ"
    ops = office.browser().sign_in("ops.wang")
    ops.get(f"{LIST}/{number}")
    refused = ops.post(f"{LIST}/{number}/escalate", why="再升")
    assert "总行之上没有机构" in refused.text


def test_hostile_words_are_only_words_at_the_desk(office: Office, editor: Browser) -> None:
    number = opened(office, words="<script>alert(1)</script>")
    page = editor.get(f"{LIST}/{number}").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_what_is_owed_waits_on_the_home_page(office: Office, editor: Browser) -> None:
    assert "待办工单" not in editor.get("/console/").text
    opened(office)
    opened(office, branch="B440000")
    home = editor.get("/console/").text
    assert "待办工单</span><strong>1<" in home
    assert ">工单</a>" in home
    assert "工单" not in office.browser().sign_in("admin").get("/console/").text
