"""Two hundred payloads in every field that people write, and every page on which they are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from config import HOME
from lightservices import promotions, zone_section
from regions.branches import BranchCode
from tests.security.pages import Walk, intruders, texts
from tests.service.api.programs import HERE, Bank, Program

PAYLOADS = (HOME / "tests" / "payloads" / "xss.txt").read_text("utf-8").splitlines()
BATCH = 10
USUAL = "平常的文字"


def edition(words: list[str]) -> dict[str, Any]:
    """A zone with these words in every field of text there is."""
    blocks: list[dict[str, Any]] = [
        {"kind": "text", "title": word[:16], "text": word} for word in words
    ]
    banner = {"kind": "banner", "title": words[0][:16], "text": words[-1], "link": "/s/outlets"}
    return {
        "zone": {
            "title": words[0][:5], "slogan": words[-1][:40], "services": ["outlets"],
            "blocks": [banner, *blocks, {"kind": "promotions", "title": words[1][:16]}],
        },
        "promotions": [
            {
                "name": f"p{number}", "title": word[:40], "text": word,
                "audience": [], "topics": [word[:12]],
                "starts_at": "2020-01-01T00:00:00+08:00", "ends_at": "2099-01-01T00:00:00+08:00",
            }
            for number, word in enumerate(words)
        ],
    }  # fmt: skip


def batches() -> Iterator[list[str]]:
    for start in range(0, len(PAYLOADS), BATCH):
        yield PAYLOADS[start : start + BATCH]


def only_sound(program: Program, content: dict[str, Any]) -> dict[str, Any]:
    """The content without the words that are refused outright, which is as good as shown clean."""
    for _ in range(3):
        faults = program.post(f"{HERE}/check", {"content": content})["faults"]
        if not faults:
            return content
        for one in faults:
            section, *path = one["where"].split("/")
            place: Any = content[section]
            for step in path[:-1]:
                place = place[int(step)] if isinstance(place, list) else place[step]
            if isinstance(place, dict) and path and path[-1] in place:
                place[path[-1]] = USUAL[:5]
    raise AssertionError(faults)


def published(editor: Program, checker: Program, words: list[str], why: str) -> int:
    """An edition with these words put live; the number of its version."""
    draft = editor.post(f"{HERE}/drafts")
    content = only_sound(editor, edition(words))
    saved = editor.write(draft["id"], content)
    assert saved.status_code == 200, saved.text
    assert saved.json is not None
    told = {"why": why, "hash": saved.json["hash"]}
    waiting = editor.post(f"/versions/{draft['id']}/propose", told)
    checker.post(f"/versions/{draft['id']}/return", {"reason": why})
    waiting = editor.post(f"/versions/{draft['id']}/propose", told)
    checker.post(f"/versions/{draft['id']}/approve", {"seal": waiting["seal"]})
    number: int = draft["id"]
    return number


def shown(bank: Bank, number: int) -> dict[str, str]:
    """Every page on which what was written is read."""
    bank.wiring.shelf.clear()
    with bank.wiring.reading() as unit:
        zone = zone_section.key_of(unit, "B440000")
        running = promotions.of(unit, BranchCode("B440000"))
    follower, (reader, _csrf) = bank.app.test_client(), bank.browser("gd.checker")
    follower.environ_base["HTTP_ACCEPT"] = "text/html"
    pages = {f"/z/{zone}": follower.get(f"/z/{zone}")}
    for place, one in enumerate(running):
        pages[f"promotion {place}"] = follower.get(one.path)
    for name, path in {
        "change": f"/console/changes/{number}",
        "shelf": "/console/changes?shelf=live",
        "preview": "/console/branches/B440000/zone/look",
    }.items():
        pages[name] = reader.get(path)
    pages["audit"] = bank.browser("auditor")[0].get("/console/audit")
    for name, page in pages.items():
        assert page.status_code == 200, (name, page.status)
    return {name: page.text for name, page in pages.items()}


def test_whatever_is_written_is_read_as_text_everywhere(
    bank: Bank, editor: Program, checker: Program
) -> None:
    assert len(PAYLOADS) == 200
    words = [f"{USUAL}{number}" for number in range(BATCH)]
    published(editor, checker, ["开始"] * BATCH, "开始")
    usual = shown(bank, published(editor, checker, words, USUAL))
    found = []
    for words in batches():
        pages = shown(bank, published(editor, checker, words, words[0]))
        assert pages.keys() == usual.keys()
        for name, page in pages.items():
            # Lists of differences are as long as what differs; their kinds of elements are known.
            found += [f"{name} {words[0]}: {one}" for one in beyond(page, usual[name], name)]
    assert not found, "\n".join(found[:20])


def beyond(page: str, like: str, name: str) -> list[str]:
    if name.startswith(("/z/", "promotion", "preview")):
        return intruders(page, like)
    known = set(Walk(like).elements)
    strange = [
        f"<{tag} {names}>" for tag, names in Walk(page).elements if (tag, names) not in known
    ]
    return strange + [str(one) for one in Walk(page).handlers]


def test_the_walk_sees_what_a_payload_would_do() -> None:
    """The proof above would be worth nothing if it were blind."""
    blind = [
        payload
        for payload in PAYLOADS
        if "<" in payload
        and not intruders(f"<p>{payload}</p>", "<p></p>")
        and not intruders(f'<p title="{payload}">x</p>', '<p title="">x</p>')
    ]
    assert len(blind) < len(PAYLOADS) / 4, blind[:10]
    assert intruders('<a href="javascript:alert(1)">x</a>', "")
    assert not intruders("&lt;img src=x onerror=alert(1)&gt;", "")


@pytest.mark.parametrize("words", [PAYLOADS[start : start + 50] for start in range(0, 200, 50)])
def test_a_menu_takes_payloads_as_names_or_not_at_all(
    bank: Bank, editor: Program, words: list[str]
) -> None:
    head = bank.program("ops.wang").get("/branches/HQ/documents/frame/-")["content"]["frame"]
    slots = [slot for column in head["columns"] for slot in column["slots"]]
    slot = next(one["key"] for one in slots if one["kind"] == "delegated")
    for word in words:
        item = {"name": word[:16], "type": "view", "target": "https://bank.example/"}
        answer = editor.call(
            "POST", "/branches/B440000/menu-preview", json={"menu": {slot: {"fill": [item]}}}
        )
        assert answer.status_code in (200, 422), answer.text
        assert answer.json is not None
        if answer.status_code == 200:
            assert answer.mimetype == "application/json"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert word[:16] in texts(answer.json)
        refused = editor.call(
            "POST", f"{HERE}/check",
            json={"content": {"menu": {slot: {"fill": [{**item, "target": word}]}}}},
        )  # fmt: skip
        assert refused.json is not None
        assert refused.json.get("faults") or word.startswith("/")
