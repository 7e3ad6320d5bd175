"""Followers' pages of tickets: forms without a script, one's own tickets, guests and codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from werkzeug.test import TestResponse

from lightservices import catalogue
from lightservices.binding.models import BindingLimit
from lightservices.catalogue import FieldType, Kind, Service
from lightservices.tickets import operations, paths, queries, tokens
from lightservices.tickets.contents import code_of
from lightservices.tickets.models import TicketEventRow, TicketRow
from lightservices.tickets.pages import MOST_AN_HOUR, MOST_LOOKS
from service import clock, followers
from service.db import table_of
from service.happenings import Fact, OpenId
from tests.lightservices.conftest import PHONE, WHO, Site
from tests.lightservices.tickets.conftest import CLERK, PHONE_NUMBER

PAYLOADS = (Path(__file__).parents[2] / "payloads" / "xss.txt").read_text("utf-8").splitlines()
STRANGER = OpenId("oSTRANGERwhoFollowsToo000001")
FORMS = [one for one in catalogue.services().values() if one.kind is Kind.FORM]
TICKETS = table_of(TicketRow)
_TOKEN = re.compile(r'name="_token" value="([^"]+)"')


@pytest.fixture(autouse=True)
def calm(site: Site) -> Iterator[None]:
    """Nobody has asked too often yet, and somebody else follows as well."""
    with site.wiring.unit() as unit:
        followers.meet(unit, Fact(STRANGER, clock.now()))
    yield
    with site.wiring.unit() as unit:
        for model in (BindingLimit, TicketEventRow, TicketRow):
            unit.db.execute(delete(model))


def token(page: TestResponse) -> str:
    found = _TOKEN.search(page.text)
    assert found, page.text[:400]
    return found[1]


def typed(service: Service, **instead: str) -> dict[str, str]:
    """Every field of the form filled in as it should be."""
    assert service.form is not None
    good = {
        FieldType.TEXT: "中山路支行", FieldType.PARAGRAPH: "等了两个小时",
        FieldType.DATE: clock.shanghai(clock.now()).date().isoformat(),
        FieldType.PHONE: PHONE_NUMBER, FieldType.NUMBER: "8",
    }  # fmt: skip
    filled = {
        one.name: one.choices[0] if one.choices else good[one.type] for one in service.form.fields
    }
    return {f"f-{name}": value for name, value in (filled | instead).items()}


def sent(client: FlaskClient, key: str = "complaint", **instead: str) -> TestResponse:
    service = catalogue.services()[key]
    fresh = token(client.get(service.path))
    return client.post(service.path, data={"_token": fresh, **typed(service, **instead)})


def number_in(answer: TestResponse) -> str:
    assert answer.status_code == 303, answer.text
    return answer.location.rpartition("/")[2].removesuffix("?said=done")


def kept(site: Site) -> list[str]:
    with site.wiring.reading() as unit:
        return list(unit.db.execute(select(TICKETS.c.number)).scalars())


@pytest.mark.parametrize("service", FORMS, ids=lambda one: one.key)
def test_every_form_becomes_a_ticket_of_its_category(site: Site, service: Service) -> None:
    client = site.visitor(openid=WHO)
    page = client.get(service.path)
    assert page.headers["Cache-Control"] == "no-store"
    assert service.form is not None
    assert all(one.label in page.text for one in service.form.fields)
    shown = client.get(sent(client, service.key).location)
    assert shown.status_code == 200
    assert f"{service.form.category}工单" in shown.text
    assert PHONE_NUMBER not in shown.text


def test_what_was_typed_stays_and_each_fault_stands_beside_its_field(site: Site) -> None:
    client = site.visitor(openid=WHO)
    answer = sent(client, place="", what="慢" * 801, wish="道歉", phone="12345")
    assert answer.status_code == 422
    assert "还有 3 处要改" in answer.text
    assert 'id="f-place-fault"' in answer.text
    assert re.search(r'name="f-phone" value="12345"[^>]* aria-invalid="true"', answer.text)
    assert ">道歉</textarea>" in answer.text
    assert kept(site) == []


def test_a_form_sent_twice_even_at_once_is_one_ticket(site: Site) -> None:
    service = catalogue.services()["suggestion"]
    client = site.visitor(openid=WHO)
    body = {"_token": token(client.get(service.path)), **typed(service)}
    cookie = client.get_cookie("visit")
    assert cookie is not None

    def send(_number: int) -> str:
        browser = site.app.test_client()
        browser.set_cookie("visit", cookie.value)
        return number_in(browser.post(service.path, data=body))

    with ThreadPoolExecutor(4) as pool:
        numbers = set(pool.map(send, range(8)))
    assert len(numbers) == 1
    assert len(kept(site)) == 1


@pytest.mark.parametrize("spoiled", ["", "abc", f"{'0' * 32}.1700000000.{'0' * 64}"])
def test_a_form_that_is_not_ours_or_too_old_is_shown_again_with_what_was_typed(
    site: Site, spoiled: str
) -> None:
    service = catalogue.services()["suggestion"]
    client = site.visitor(openid=WHO)
    answer = client.post(service.path, data={"_token": spoiled, **typed(service)})
    assert answer.status_code == 422
    assert "您填的内容都还在" in answer.text
    assert "等了两个小时" in answer.text
    again = client.post(service.path, data={"_token": token(answer), **typed(service)})
    assert again.status_code == 303


def test_a_token_serves_its_own_form_and_follower_for_a_day(site: Site) -> None:
    settings = site.wiring.settings
    made = tokens.made(settings, form="a", who="x")
    assert tokens.accepted(settings, made, form="a", who="x")
    assert not tokens.accepted(settings, made, form="b", who="x")
    assert not tokens.accepted(settings, made, form="a", who="y")
    nonce, at, _sign = made.split(".")
    older = str(int(at) - tokens.LASTS_SECONDS - 1)
    old = f"{nonce}.{older}.{tokens._sign(settings, nonce, older, 'a', 'x')}"
    assert not tokens.accepted(settings, old, form="a", who="x")


def test_another_site_cannot_have_a_form_sent(site: Site) -> None:
    client = site.visitor(openid=WHO)
    body = {"_token": token(client.get("/s/complaint"))}
    foreign = client.post("/s/complaint", data=body, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403


def test_after_some_tickets_an_hour_the_next_waits(site: Site) -> None:
    client = site.visitor(openid=WHO)
    for _time in range(MOST_AN_HOUR):
        assert sent(client, "suggestion").status_code == 303
    refused = sent(client, "suggestion")
    assert refused.status_code == 429
    assert "一小时以后" in refused.text
    assert "等了两个小时" in refused.text
    assert len(kept(site)) == MOST_AN_HOUR
    assert sent(site.visitor(openid=STRANGER), "suggestion").status_code == 303


def test_a_guide_takes_no_form_and_nothing_takes_none(site: Site) -> None:
    client = site.visitor(openid=WHO)
    assert client.post("/s/lost-card").status_code == 405
    assert client.post("/s/no-such-service").status_code == 404


# One's own tickets


def test_a_follower_sees_their_own_ticket_and_nobody_elses(site: Site) -> None:
    client, other = site.visitor(openid=WHO), site.visitor(openid=STRANGER)
    number = number_in(sent(client))
    for reader, status in ((client, 200), (other, 404), (site.visitor(), 404)):
        assert reader.get(paths.ticket(number)).status_code == status
        assert reader.post(f"/t/{number}/say").status_code == (422 if status == 200 else 404)
    assert client.get("/t/261120-NOBODY").status_code == 404
    assert number in client.get(paths.MINE).text
    assert number not in other.get(paths.MINE).text


def test_the_follower_reads_the_answer_adds_to_it_and_settles_it(site: Site) -> None:
    client = site.visitor(openid=WHO)
    number = number_in(sent(client))
    with site.wiring.unit() as unit:
        operations.answer(unit, _ticket(site, number), words="我们<b>核实</b>了", by=CLERK)
    page = client.get(paths.ticket(number))
    assert "我们&lt;b&gt;核实&lt;/b&gt;了" in page.text
    assert "已答复" in page.text
    assert CLERK.login not in page.text
    answer = client.post(f"/t/{number}/say", data={"_token": token(page), "words": "还差一点"})
    page = client.get(answer.location)
    assert "还差一点" in page.text
    assert "处理中" in page.text
    client.post(f"/t/{number}/settle", data={"_token": token(page)})
    assert "已办结" in client.get(paths.ticket(number)).text


def test_what_the_desk_tells_itself_is_not_for_the_follower(site: Site) -> None:
    client = site.visitor(openid=WHO)
    number = number_in(sent(client))
    with site.wiring.unit() as unit:
        operations.hand(unit, _ticket(site, number), to="B320000", why="不归我们管", by=CLERK)
    page = client.get(paths.ticket(number)).text
    assert "已转给负责的机构" in page
    assert "不归我们管" not in page


@pytest.mark.parametrize("words", ["", "字" * 501, "6222021234567890128"])
def test_what_cannot_be_added_is_said_and_kept_in_the_box(site: Site, words: str) -> None:
    client = site.visitor(openid=WHO)
    number = number_in(sent(client))
    fresh = token(client.get(paths.ticket(number)))
    answer = client.post(f"/t/{number}/say", data={"_token": fresh, "words": words})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert f">{words}</textarea>" in answer.text


def test_hostile_words_are_only_words_on_every_page(site: Site) -> None:
    service = catalogue.services()["complaint"]
    client = site.visitor(openid=WHO)
    for start in range(0, len(PAYLOADS), 4):
        four = [text[:60] for text in PAYLOADS[start : start + 4]]
        names = ("place", "what", "wish", "contact")
        hostile = dict(zip(names, four, strict=False)) | {"contact": four[-1][:20]}
        page = client.get(service.path)
        body = {"_token": token(page), **typed(service, **hostile)}
        shown = client.post(service.path, data=body | {"f-phone": four[0]})
        assert _is_inert(shown.text)
        with site.wiring.unit() as unit:
            unit.db.execute(delete(BindingLimit))
        done = client.post(service.path, data=body)
        assert _is_inert((client.get(done.location) if done.location else done).text)


class _Danger(HTMLParser):
    """Elements and attributes that would do something; our own page has one script and no such."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_ours = tag == "script" and (given.get("src") or "").startswith("/assets/")
        if tag in ("script", "iframe", "object", "embed", "base", "img") and not is_ours:
            self.found.append(tag)
        self.found += [name for name in given if name.startswith("on") or name == "style"]
        led = [given.get(name) or "" for name in ("href", "src", "action", "formaction")]
        self.found += [text for text in led if text.strip().lower().startswith("javascript")]


def _is_inert(page: str) -> bool:
    parser = _Danger()
    parser.feed(page)
    return not parser.found


# Guests


def test_a_guest_gets_a_number_and_a_code_and_finds_the_ticket_from_elsewhere(site: Site) -> None:
    client = site.visitor(city="310000")
    number = number_in(sent(client))
    page = client.get(paths.ticket(number)).text
    code = re.search(r"查询码</dt><dd><b>(\w{8})</b>", page)
    assert code
    assert number in client.get(paths.MINE).text
    elsewhere = site.visitor()
    assert elsewhere.get(paths.ticket(number)).status_code == 404
    wrong = elsewhere.post(paths.LOOK, data={"number": number, "code": "AAAAAAAA"})
    assert wrong.status_code == 422
    right = elsewhere.post(paths.LOOK, data={"number": number.lower(), "code": code[1].lower()})
    assert right.location == paths.ticket(number)
    assert elsewhere.get(right.location).status_code == 200


def test_a_followers_ticket_is_not_found_by_any_code(site: Site) -> None:
    number = number_in(sent(site.visitor(openid=WHO)))
    with site.wiring.reading() as unit:
        code = code_of(unit, number)
    answer = site.visitor().post(paths.LOOK, data={"number": number, "code": code})
    assert answer.status_code == 422


def test_codes_are_not_guessed(site: Site) -> None:
    client = site.visitor()
    for _try in range(MOST_LOOKS):
        assert client.post(paths.LOOK, data={"number": "x", "code": "y"}).status_code == 422
    assert client.post(paths.LOOK, data={"number": "x", "code": "y"}).status_code == 429


# From the chat


def test_a_question_is_sent_to_the_branch_that_serves_there(site: Site) -> None:
    client = site.visitor(openid=WHO)
    page = client.get(paths.NEW)
    answer = client.post(paths.NEW, data={"_token": token(page), "f-what": "怎么转让"})
    found = _ticket(site, number_in(answer))
    assert (found.category, found.branch, found.service) == ("咨询", "B310000", "")


def test_what_is_written_in_the_chat_never_stands_in_an_address(site: Site) -> None:
    page = site.visitor(openid=WHO).get(f"{paths.NEW}?about=大额存单")
    assert "大额" not in page.text


def test_inside_wechat_a_stranger_is_asked_for_once_and_comes_back_to_the_form(
    site: Site,
) -> None:
    client = site.visitor(agent=PHONE)
    answer = client.get(paths.NEW)
    assert answer.status_code == 302
    assert "next%3D%2Ft%2Fnew" in answer.location or "next=/t/new" in answer.location


def test_an_old_ticket_says_how_to_go_on(site: Site) -> None:
    client = site.visitor(openid=WHO)
    number = number_in(sent(client))
    fresh = token(client.get(paths.ticket(number)))
    client.post(f"/t/{number}/settle", data={"_token": fresh})
    with site.wiring.unit() as unit:
        old: dict[str, Any] = {"closed_at": clock.now() - timedelta(days=40)}
        unit.db.execute(update(TICKETS).values(**old))
    fresh = token(client.get(paths.ticket(number)))
    answer = client.post(f"/t/{number}/say", data={"_token": fresh, "words": "还有事"})
    assert answer.status_code == 422
    assert "重新提交一张" in answer.text


def _ticket(site: Site, number: str) -> queries.Ticket:
    with site.wiring.reading() as unit:
        found = queries.find(unit, number)
    assert found is not None
    return found
