"""What may be sent to the API, and what other sites may make a browser send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.service.api.programs import HERE, Bank, Program

DEEP = 100_000


def test_no_cookie_counts_at_the_api(bank: Bank) -> None:
    client, _csrf = bank.browser("gd.editor")
    cookie = client.get_cookie("console")
    assert cookie is not None
    assert client.get("/console/").status_code == 200
    assert client.get("/api/v1/me").status_code == 401
    assert client.post(f"/api/v1{HERE}/drafts", json={}).status_code == 401
    headers = {"Authorization": f"Bearer {cookie.value}"}
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_no_token_counts_at_the_console(editor: Program) -> None:
    headers = {"Authorization": f"Bearer {editor.token}", "Accept": "text/html"}
    assert editor.client.get("/console/", headers=headers).status_code == 303
    assert editor.client.post("/console/branch", headers=headers).status_code == 303


def test_a_token_in_the_address_is_none(bank: Bank, editor: Program) -> None:
    """Addresses end up in logs and histories."""
    for name in ("token", "access_token", "bearer"):
        answer = bank.app.test_client().get("/api/v1/me", query_string={name: editor.token})
        assert answer.status_code == 401


def test_no_other_site_is_told_that_it_may_read(editor: Program) -> None:
    for method in ("GET", "OPTIONS"):
        answer = editor.call(
            method, "/me",
            headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"},
        )  # fmt: skip
        assert not [name for name, _value in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("form", [{}, {"csrf": "wrong"}])
@pytest.mark.parametrize("path", ["approve", "return", "withdraw", "propose"])
def test_a_page_of_another_site_decides_nothing(
    bank: Bank, editor: Program, form: dict[str, str], path: str
) -> None:
    draft = editor.post(f"{HERE}/drafts")
    client, csrf = bank.browser("gd.checker")
    where = f"/console/changes/{draft['id']}/{path}"
    assert client.post(where, data=form).status_code == 400
    foreign = client.post(where, data={"csrf": csrf}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert editor.get(f"/versions/{draft['id']}")["state"] == "draft"


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
     "text/json", "application/xml"],
)  # fmt: skip
def test_only_what_says_that_it_is_json_is_read_as_json(editor: Program, media_type: str) -> None:
    """A form of another site can send the first three without asking anybody."""
    answer = editor.call(
        "POST", f"{HERE}/drafts", data=b'{"copy_of": null}', content_type=media_type or None
    )
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "raw",
    [
        b"{", b"[]", b"null", b'"text"', b"{}{}", b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}",
        b'{"content": {}, "content": {}}', b'{"content": {"zone": NaN}}',
        b'{"content": {"zone": Infinity}}', b'{"content": {"zone": 1e999}}',
        b'{"content": {"zone": ' + b"9" * 5000 + b"}}", b'{"content": {"zone": "\\u0000"}}',
        b'{"content": {"zone": "\\ud800"}}', b'{"content": {"\\u0000": 1}}',
        b'{"content": "x\xc0"}',
        b'{"content": ' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"content": ' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
        b'{"content": ' + b"[" * 33 + b"]" * 33 + b"}", b'{"unknown": 1}', b'{"content": []}',
    ],
)  # fmt: skip
def test_json_that_can_be_read_two_ways_or_none_is_refused(editor: Program, raw: bytes) -> None:
    answer = editor.call("POST", f"{HERE}/check", data=raw, content_type="application/json")
    assert answer.status_code in (400, 422), answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert answer.json["way_out"]


def test_what_is_too_long_is_not_read(bank: Bank, editor: Program) -> None:
    """Content may be a megabyte, whatever else is said may not."""
    whole = json.dumps({"content": {"zone": "x" * (1024 * 1024)}}).encode()
    some = json.dumps({"reason": "x" * (64 * 1024)}).encode()
    draft = editor.post(f"{HERE}/drafts")
    sent = {"content_type": "application/json"}
    assert editor.call("POST", f"{HERE}/check", data=whole, **sent).status_code == 413
    assert (
        editor.call("POST", f"/versions/{draft['id']}/withdraw", data=some, **sent).status_code
        == 413
    )
    fits = json.dumps({"content": {"zone": "x" * 200_000}}).encode()
    assert editor.call("POST", f"{HERE}/check", data=fits, **sent).status_code == 200
    stranger = bank.app.test_client().post(f"/api/v1{HERE}/check", data=whole, **sent)
    assert stranger.status_code == 401, "who has no token is not read at all"


@pytest.mark.parametrize(
    "path",
    [
        "/branches/B440000%00", "/branches/b440000", "/branches/Ｂ440000", "/branches/B440000%20",
        "/branches/%F0%9F%8F%A6", "/branches/%ff", "/branches/..%2fHQ", "/versions/-1",
        "/versions/99999999999999999999", "/versions/1.0", "/versions/１", "/versions/0x1",
        "/branches/B440000/documents/zone/%00", "/branches/B440000/documents/ZONE/-",
        "/branches/B440000/documents/zone/" + "x" * 300,
    ],
)  # fmt: skip
def test_names_that_only_look_like_others_name_nothing(editor: Program, path: str) -> None:
    assert editor.call("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/changes", {"older_than": "99999999999999999999"}),
        ("/changes", {"older_than": "x"}),
        ("/changes", {"shelf": "everything"}),
        ("/changes", {"shelf\x00": "mine"}),
        ("/changes", {"by": "1"}),
        ("/branches", {"limit": "0"}),
        ("/branches", {"limit": "1e3"}),
        ("/branches", {"after": "B" * 99}),
        ("/menu-preview", {"latitude": "nan", "longitude": "1"}),
        ("/menu-preview", {"latitude": "91", "longitude": "1"}),
        (
            "/menu-preview",
            {"latitude": "23", "longitude": "113", "at": "0001-01-01T00:00:00+14:00"},
        ),
        ("/menu-preview", {"latitude": "23", "longitude": "113", "at": "2027-01-01T00:00:00"}),
        ("/branches/B440000/figures", {"days": "100000"}),
    ],
)
def test_a_query_out_of_bounds_is_told_which(
    editor: Program, path: str, query: dict[str, Any]
) -> None:
    answer = editor.call("GET", path, query_string=query)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json is not None
    assert answer.json["faults"][0]["way_out"]


def test_a_place_of_another_branch_looks_like_none(editor: Program, bank: Bank) -> None:
    here, there = {"latitude": 23.13, "longitude": 113.27}, {"latitude": 31.23, "longitude": 121.47}
    assert editor.get("/menu-preview", **here)["branch"]["code"] == "B440000"
    assert editor.call("GET", "/menu-preview", query_string=there).status_code == 404
    head = bank.program("ops.wang")
    assert head.get("/menu-preview", **there)["branch"]["code"] == "B310000"


def test_the_audit_is_told_within_the_readers_branches(bank: Bank, editor: Program) -> None:
    editor.post(f"{HERE}/drafts")
    bank.program("sh.editor").post("/branches/B310000/documents/zone/-/drafts")
    whole = bank.program("auditor").get("/audit", act="approvals.draft")["items"]
    assert {one["branch"] for one in whole[:2]} == {"B440000", "B310000"}
    local = bank.program("auditor", branch="B440000")
    told = local.get("/audit")["items"]
    assert {one["branch"] for one in told} <= {"B440000", "B440200", "B440300"}
    assert told
    assert local.get("/audit", branch="B310000")["items"] == []
    assert local.get("/audit", branch="HQ")["items"] == []
    assert editor.call("GET", "/audit").status_code == 403


def test_faults_of_ours_say_nothing_of_themselves(bank: Bank, editor: Program) -> None:
    answer = editor.call("GET", "/versions/1/no-such-thing")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert "Traceback" not in answer.text
    assert editor.call("PATCH", "/me").headers["Allow"]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00", "9999-12-31T23:59", "2026-13-01T00:00"])
@pytest.mark.parametrize("path", ["zone/page", "campaigns/spring"])
def test_times_nobody_can_mean_break_no_editor(bank: Bank, path: str, moment: str) -> None:
    client, csrf = bank.browser("gd.editor")
    form = {"csrf": csrf, "title": "约惠", "starts_at": moment, "ends_at": moment}
    answer = client.post(f"/console/branches/B440000/{path}", data=form)
    assert answer.status_code < 500
    assert client.get(f"/console/branches/B440000/{path}").status_code == 200
