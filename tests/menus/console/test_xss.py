"""Nothing an editor types becomes markup anywhere: editors, previews, changes, pages, menus."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest

from lightservices import rich_text
from lightservices.links import fault_of
from menus import buttons, fills
from menus.console import seen
from menus.items import Item
from menus.slots import Fill
from menus.wish import effective_menu, ingredients
from service.approvals import operations
from service.staff import Me, sessions
from tests.menus.console.office import GUANGDONG, ZONE, Office, Person

PAYLOADS: Final = (
    (Path(__file__).parents[2] / "payloads" / "xss.txt").read_text("utf-8").splitlines()
)
#: More than a page may hold, which is one more fault and no reason to show them unescaped.
BATCH: Final = 40
BATCHES: Final = [PAYLOADS[start : start + BATCH] for start in range(0, len(PAYLOADS), BATCH)]

_KNOWN: Final = frozenset(
    re.findall(
        r"\w+",
        "html head meta title link script body a header form input button label select option"
        " optgroup textarea fieldset legend details summary nav main section aside article div span"
        " p ul ol li h1 h2 h3 h4 dl dt dd table thead tbody tr th td small b strong em i br hr time"
        " blockquote img iframe dialog del ins svg g path rect circle text ellipse footer",
    )
)
_ADDRESSES: Final = frozenset(("href", "src", "action", "xlink:href", "poster", "data", "cite"))
_FORBIDDEN: Final = frozenset(("style", "formaction", "background", "ping", "srcset"))
_ICON: Final = "data:,"
_OFFERS: Final = {"kind": "promotions", "title": "优惠"}


class Judge(HTMLParser):
    """Takes a page apart as a browser would, and knows all that our templates may write."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.inner: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _KNOWN, self.get_starttag_text()
        for name, value in attrs:
            self._attribute(tag, name, value or "")
        told = dict(attrs)
        if tag == "script":
            assert re.match(r"/(console/)?assets/", told.get("src") or ""), told
        if tag == "img":
            assert re.fullmatch(r"/i/[0-9a-f]{32}", told.get("src") or ""), told
        if tag == "meta":
            assert "http-equiv" not in told, told

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_pi = unknown_decl = handle_comment

    def handle_decl(self, decl: str) -> None:
        assert decl == "doctype html"

    def _attribute(self, tag: str, name: str, value: str) -> None:
        assert not name.startswith(("on", "hx-", "x-", "@", ":")), (tag, name, value)
        assert name not in _FORBIDDEN, (tag, name, value)
        if name == "srcdoc":
            self.inner.append(value)
        if name in _ADDRESSES and value not in ("", _ICON):
            is_ours = value.startswith(("/", "#")) and not value.startswith("//")
            assert is_ours or value.startswith("tel:") or not fault_of(value), (tag, name, value)


def judge(html: str) -> None:
    """Raise if anything in the page is not of our making; frames within it are judged alike."""
    one = Judge()
    one.feed(html)
    one.close()
    for inner in one.inner:
        judge(inner)


def test_the_judge_finds_every_payload_that_is_not_escaped() -> None:
    """Or this whole file would prove nothing."""
    slipped = []
    for payload in PAYLOADS:
        try:
            judge(f"<p>{payload}</p>")
        except AssertionError:
            continue
        # What is left has no markup of its own: addresses, attributes, Markdown.
        slipped.append(payload)
    assert not [one for one in slipped if re.search(r"<[a-z!/]", one, re.IGNORECASE)], slipped
    for payload in PAYLOADS:
        if payload.lower().startswith("javascript:"):
            with pytest.raises(AssertionError):
                judge(f'<a href="{payload}">x</a>')


def content(batch: list[str]) -> dict[str, Any]:
    """An edition with a payload in every field that takes text, good or not."""
    first = batch[0]
    return {
        "zone": {
            "title": first, "slogan": first, "services": list(batch), "switched_off": [first],
            "starts_at": first, "ends_at": first, "reach": [first], "gather": None,
            "blocks": [
                {"kind": ("text", "banner")[place % 2], "title": one, "text": one, "link": one,
                 "picture": one, "picture_says": one, "services": [one]}
                for place, one in enumerate(batch)
            ],
        },
        "menu": {
            "local-one": {
                "fill": [
                    {"name": one, "target": one, "type": ("", "miniprogram", one)[place % 3],
                     "appid": one, "pagepath": one}
                    for place, one in enumerate(batch)
                ]
            },
            first: {"fill": [{"name": first, "target": first}]},
        },
        "promotions": [
            {"name": f"p{place}", "title": one, "text": one, "url": one, "starts_at": one,
             "ends_at": one, "divisions": [one], "audience": [one], "topics": [one],
             "picture": one, "picture_says": one, "sort": place,
             "area": {"inside": {"polygons": [[[one, one]]], "circles": [
                 {"latitude": one, "longitude": one, "radius_m": one}]}}}
            for place, one in enumerate(batch)
        ],
    }  # fmt: skip


def sound(batch: list[str]) -> dict[str, Any]:
    """An edition that may go live: payloads wherever the rules leave room for them."""
    told = [one for one in batch if one.strip() and not rich_text.faults(one)]
    shown = [
        {"kind": "text", "title": one[:16], "text": one}
        if place % 2
        else {"kind": "banner", "title": one[:16].strip() or "x", "text": one}
        for place, one in enumerate(told)
    ]
    return {
        "zone": {"title": batch[0][:5], "slogan": batch[0][:40], "blocks": [*shown, _OFFERS]},
        "menu": {"local-one": {"fill": [{"name": batch[0][:40], "target": "/s/outlets"}]}},
        "promotions": [
            {"name": f"p{place}", "title": one[:40], "text": one, "topics": [one[:12]],
             "starts_at": "2020-01-01T00:00:00+08:00", "ends_at": "2099-01-01T00:00:00+08:00"}
            for place, one in enumerate(told)
        ],
    }  # fmt: skip


def written(office: Office, person: Person, edition: dict[str, Any]) -> Me:
    """Put this on the person's desk, past every form."""
    cookie = person.client.get_cookie("console")
    assert cookie is not None
    with office.wiring.unit() as unit:
        found = sessions.current(unit, cookie.value)
        assert found is not None
        draft = operations.open_draft(unit, "zone", branch=GUANGDONG, by=found.me)
        operations.save(unit, draft.id, content=edition, seen=draft.hash, by=found.me)
    return found.me


@pytest.mark.parametrize("batch", BATCHES, ids=range(len(BATCHES)))
def test_no_page_of_the_console_is_written_by_an_editor(
    office: Office, editor: Person, batch: list[str]
) -> None:
    written(office, editor, content(batch))
    paths = ["", "/page", "/promotions", "/propose", "/promotions/p0", "/promotions/p19"]
    # These show nothing that the others do not; once through each is enough.
    paths += ["/services", "/preview", "/look"] if batch is BATCHES[0] else []
    for path in paths:
        judge(editor.page(f"{ZONE}{path}"))
    judge(editor.page(f"/console/changes/{office.draft().id}"))


#: Eleven blocks and the promotions are as many as a page holds.
SMALL: Final = [PAYLOADS[start : start + 11] for start in range(0, len(PAYLOADS), 11)]


@pytest.mark.parametrize("batch", SMALL, ids=range(len(SMALL)))
def test_no_follower_meets_what_an_editor_smuggled_in(office: Office, batch: list[str]) -> None:
    edition = sound(batch)
    with office.wiring.unit() as unit:
        for name, part in office.wiring.tables.changes["zone"].sections.items():
            assert list(part.faults(unit, GUANGDONG, "", edition[name])) == []
            part.apply(unit, GUANGDONG, "", edition[name], Me(1, "x", "x"))
    office.wiring.shelf.clear()
    visitor = office.app.test_client()
    with visitor.session_transaction() as session:
        session["city"] = "440106"
    page = visitor.get("/z/local").text
    judge(page)
    paths = list(dict.fromkeys(re.findall(r'href="(/p/\d+)"', page)))
    assert paths
    for path in (*paths, "/s/promotions"):
        judge(visitor.get(path).text)


def targets(menu: list[dict[str, Any]]) -> Iterator[str]:
    for button in menu:
        yield from targets(button.get("sub_button", []))
        yield from (button[name] for name in ("url", "pagepath") if name in button)


@pytest.mark.parametrize("batch", BATCHES, ids=range(len(BATCHES)))
def test_a_menus_name_stays_a_text_and_its_address_an_address(
    premises: Office, batch: list[str]
) -> None:
    premises.wiring.shelf.clear()
    with premises.wiring.reading() as unit:
        made_of = ingredients(unit)
        for payload in batch:
            name = payload[:15].strip() or "x"
            own = {"local-one": Fill((Item(name, "/s/outlets"),))}
            shown = effective_menu(
                unit, GUANGDONG, replace(made_of, fills={**made_of.fills, GUANGDONG: own})
            )
            sent = json.loads(json.dumps(buttons.write(shown.menu), ensure_ascii=False))
            names = [button["name"] for column in sent for button in column.get("sub_button", [])]
            assert name in names
            assert all(url.startswith("http://localhost/") for url in targets(sent))
            led = {"fill": [{"name": "x", "target": payload, "type": "view"}]}
            refused = seen.fills_in({"local-one": led})
            assert not refused or fills.faults(unit, GUANGDONG, refused), payload
