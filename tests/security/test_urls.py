"""Addresses lead where a bank may send people: in menus, on zones, in promotions, in texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lightservices import links
from tests.service.api.programs import HERE, Bank, Program

SLOT = "local-one"
REFUSED = [
    "http://bank.example/", "HTTP://bank.example/", "//bank.example/", "javascript:alert(1)",
    "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "ftp://bank.example",
    "https://user@bank.example/", "https://user:pw@bank.example/", "https://bank.example@evil.example/",
    "https://127.0.0.1/", "https://10.0.0.1", "https://[::1]/", "https://2130706433/",
    "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://localhost/",
    "https://bank.example:8443/", "https://bank.example\\@evil.example/", "https://",
    "https:///bank.example", "https:bank.example", "https://bank.example/\u0000",
    "https://bank.example/ x", "https://bank.example/\n", "\thttps://bank.example/",
    "https://bank.example/" + "x" * 1024, "https://bank.example/" + "好" * 342, "https://bank.example/\"x",
    "https://bank.example/<b>",
]  # fmt: skip
TAKEN = ["https://bank.example/", "https://bank.example/a?b=c#d", "https://a.bank.example/路"]


def in_a_menu(url: str) -> dict[str, Any]:
    return {"menu": {SLOT: {"fill": [{"name": "看看", "type": "view", "target": url}]}}}


def on_a_banner(url: str) -> dict[str, Any]:
    block = {"kind": "banner", "title": "横幅", "link": url}
    return {"zone": {"title": "约惠", "services": [], "blocks": [block]}}


def promotion(**more: Any) -> dict[str, Any]:
    usual = {
        "name": "a", "title": "优惠", "text": "内容",
        "starts_at": "2026-11-01T00:00:00+08:00", "ends_at": "2027-01-01T00:00:00+08:00",
    }  # fmt: skip
    return {"promotions": [usual | more]}


def in_a_promotion(url: str) -> dict[str, Any]:
    return promotion(url=url)


PLACES = (in_a_menu, on_a_banner, in_a_promotion)
Place = Callable[[str], dict[str, Any]]


def delegated(program: Program) -> str:
    """A slot that this branch may fill."""
    head = program.get("/branches/HQ/documents/frame/-")["content"]["frame"]
    slots = [slot for column in head["columns"] for slot in column["slots"]]
    return next(one["key"] for one in slots if one["kind"] == "delegated")


def sent(bank: Bank, content: dict[str, Any]) -> dict[str, Any]:
    """The content with the slot that the bank's frame really has."""
    if "menu" not in content:
        return content
    slot = delegated(bank.program("ops.wang"))
    return {"menu": {slot: content["menu"][SLOT]}}


@pytest.mark.parametrize("place", PLACES)
def test_an_address_that_leads_astray_is_refused_everywhere(
    bank: Bank, editor: Program, place: Place
) -> None:
    slot = sent(bank, place("x"))
    draft = editor.post(f"{HERE}/drafts")
    for url in REFUSED:
        content = place(url)
        if "menu" in content:
            content = {"menu": {next(iter(slot["menu"])): content["menu"][SLOT]}}
        checked = editor.call("POST", f"{HERE}/check", json={"content": content})
        assert checked.status_code == 400 or checked.json["faults"], (url, checked.text)  # type: ignore[index]  # answered as JSON
        assert editor.write(draft["id"], content).status_code in (400, 422), url
    assert editor.get(f"/versions/{draft['id']}")["hash"] == draft["hash"]


@pytest.mark.parametrize("place", PLACES)
def test_an_honest_address_is_taken(bank: Bank, editor: Program, place: Place) -> None:
    for url in TAKEN:
        told = editor.post(f"{HERE}/check", {"content": sent(bank, place(url))})
        assert told["faults"] == [], (url, told)


@pytest.mark.parametrize(
    "text",
    [
        "[看](http://bank.example)",
        "[看](javascript:alert(1))",
        "[看](https://127.0.0.1/)",
        "<https://u@bank.example>",
    ],
)
def test_a_link_in_a_text_obeys_the_same_rules(editor: Program, text: str) -> None:
    block = {"kind": "text", "text": text}
    for content in (
        {"zone": {"title": "约惠", "services": [], "blocks": [block]}},
        promotion(text=text),
    ):
        told = editor.post(f"{HERE}/check", {"content": content})
        # What markdown itself takes for no link stays plain text, which leads nowhere.
        assert told["faults"] or "javascript" in text


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://shop.example/x", True),
        ("https://SHOP.example/x", True),
        ("/s/outlets", True),
        ("https://bank.example/here", True),
        ("https://evil.example/", False),
        ("https://shop.example.evil.example/", False),
        ("https://evilshop.example/", False),
        ("https://sub.shop.example/", False),
    ],
)
def test_with_a_list_of_hosts_nothing_leads_beyond_it(
    bank: Bank, address: str, allowed: bool
) -> None:
    settings = replace(
        bank.wiring.settings, link_hosts="shop.example, other.example",
        public_base_url="https://bank.example",
    )  # fmt: skip
    assert (links.outside(settings, [address]) == []) is allowed
    assert links.outside(replace(settings, link_hosts=""), [address]) == []
