"""Writing, proposing and deciding by programs: the console's rules, to the letter."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from service import clock
from service.approvals import operations as do
from service.approvals import queries
from service.approvals.refusals import OwnWork
from service.staff import Me
from service.staff.operations import required
from service.wiring import Unit
from tests.service.api.programs import HERE, Bank, Program

_COUNTED = count()


def proposed(program: Program, slogan: str = "", **more: Any) -> dict[str, Any]:
    """A proposal that changes the slogan of 广东's zone, to one nobody has seen before."""
    draft = program.post(f"{HERE}/drafts")
    zone = {**draft["content"]["zone"], "slogan": slogan or f"口号{next(_COUNTED)}"}
    saved = program.write(draft["id"], {"zone": zone}).json
    assert saved is not None
    told: dict[str, Any] = program.post(
        f"/versions/{saved['id']}/propose", {"why": "换口号", "hash": saved["hash"], **more}
    )
    return told


def slogan(program: Program) -> str:
    told: str = program.get(HERE)["content"]["zone"]["slogan"]
    return told


def person(unit: Unit, login: str) -> Me:
    found = required(unit, login)
    return Me(found.id, found.login, found.name, found.grants)


def test_from_draft_to_live_and_back(editor: Program, checker: Program) -> None:
    before, after = slogan(editor), f"新口号{next(_COUNTED)}"
    waiting = proposed(editor, after)
    assert waiting["state"] == "proposed"
    assert slogan(editor) == before, "nothing is live that nobody approved"
    assert checker.get("/changes")["items"][0]["id"] == waiting["id"]
    differences = checker.get(f"/versions/{waiting['id']}/check")["differences"]
    assert [(one["where"], one["after"]) for one in differences] == [("标语", after)]
    live = checker.post(f"/versions/{waiting['id']}/approve", {"seal": waiting["seal"]})
    assert (live["state"], slogan(editor)) == ("live", after)
    back = checker.post(
        f"/versions/{live['id']}/roll-back", {"to": 0, "why": "写错了", "seen_live": live["number"]}
    )
    assert (back["restores"], slogan(editor)) == (0, before)
    history = editor.get(f"/versions/{live['id']}/history")["items"]
    assert [one["state"] for one in history] == ["live", "rolled_back", "superseded"]


def test_the_maker_decides_nowhere_on_what_they_made(bank: Bank) -> None:
    """Neither the other way round: one person is one person at both doors."""
    first, second = bank.program("ops.wang"), bank.program("ops.li")
    waiting = proposed(first)
    refused = first.call(
        "POST", f"/versions/{waiting['id']}/approve", json={"seal": waiting["seal"]}
    )
    assert refused.status_code == 403
    assert refused.json is not None
    assert "不能由您来审批" in refused.json["detail"]
    narrower = bank.program("ops.wang", role="checker")
    again = narrower.call(
        "POST", f"/versions/{waiting['id']}/approve", json={"seal": waiting["seal"]}
    )
    assert again.status_code == 403, "another token of the same person is no other person"
    with bank.wiring.unit() as unit, pytest.raises(OwnWork):
        do.approve(unit, waiting["id"], seal=waiting["seal"], by=person(unit, "ops.wang"))
    assert (
        second.call(
            "POST", f"/versions/{waiting['id']}/approve", json={"seal": waiting["seal"]}
        ).status_code
        == 200
    )


def test_what_was_made_in_the_console_is_not_approved_by_its_makers_program(bank: Bank) -> None:
    program = bank.program("ops.wang", role="checker")
    with bank.wiring.unit() as unit:
        me = person(unit, "ops.wang")
        draft = do.open_draft(unit, "zone", branch="B440000", by=me)
        zone = {**draft.content["zone"], "slogan": "后台写的"}
        saved = do.save(unit, draft.id, content={"zone": zone}, seen=draft.hash, by=me)
        waiting = do.propose(unit, saved.id, why="试", seen=saved.hash, by=me)
    sent = {"seal": waiting.seal}
    assert program.call("POST", f"/versions/{waiting.id}/approve", json=sent).status_code == 403


def test_asking_for_a_draft_twice_makes_one(editor: Program) -> None:
    first, second = (editor.post(f"{HERE}/drafts") for _ in range(2))
    assert first["id"] == second["id"]


def test_moves_repeated_by_who_never_got_the_answer_are_answered_again(
    editor: Program, checker: Program
) -> None:
    waiting = proposed(editor)
    number = waiting["id"]
    again = editor.post(f"/versions/{number}/propose", {"why": "换口号", "hash": waiting["hash"]})
    assert again["edited_at"] == waiting["edited_at"]
    other = editor.call(
        "POST", f"/versions/{number}/propose", json={"why": "别的", "hash": waiting["hash"]}
    )
    assert other.status_code == 409
    for _ in range(2):
        sent_back = checker.post(f"/versions/{number}/return", {"reason": "错字"})
        assert sent_back["reason"] == "错字"
    waiting = editor.post(f"/versions/{number}/propose", {"why": "改好", "hash": waiting["hash"]})
    live = [
        checker.post(f"/versions/{number}/approve", {"seal": waiting["seal"]}) for _ in range(2)
    ]
    assert live[0] == live[1]
    asked = {"to": 0, "why": "错", "seen_live": live[0]["number"]}
    back = [checker.post(f"/versions/{number}/roll-back", asked) for _ in range(2)]
    assert back[0]["id"] == back[1]["id"]
    draft = editor.post(f"{HERE}/drafts")
    gone = [editor.post(f"/versions/{draft['id']}/withdraw") for _ in range(2)]
    assert gone[0]["ended_at"] == gone[1]["ended_at"]
    assert checker.call("POST", f"/versions/{draft['id']}/withdraw", json={}).status_code == 403


def test_writing_needs_what_was_read_last(editor: Program) -> None:
    draft = editor.post(f"{HERE}/drafts")
    where, zone = f"/versions/{draft['id']}", draft["content"]["zone"]

    def put(slogan: str, **headers: str) -> int:
        sent = {"content": {"zone": {**zone, "slogan": slogan}}}
        return editor.call("PUT", where, json=sent, headers=headers).status_code

    first = editor.call("GET", where).headers["ETag"]
    assert put("甲") == 428
    assert put("甲", **{"If-Match": '"made up"'}) == 412
    assert put("甲", **{"If-Match": first}) == 200
    assert put("乙", **{"If-Match": first}) == 412, "somebody wrote since"
    now = editor.call("GET", where)
    assert (
        editor.call("GET", where, headers={"If-None-Match": now.headers["ETag"]}).status_code == 304
    )
    assert now.json is not None
    assert now.json["content"]["zone"]["slogan"] == "甲"


def test_two_who_write_at_once_lose_nothing(bank: Bank, editor: Program) -> None:
    mate = bank.program("ops.wang")
    draft = editor.post(f"{HERE}/drafts")
    tag = editor.call("GET", f"/versions/{draft['id']}").headers["ETag"]
    zone = draft["content"]["zone"]
    statuses = [
        one.call(
            "PUT", f"/versions/{draft['id']}", headers={"If-Match": tag},
            json={"content": {"zone": {**zone, "slogan": words}}},
        ).status_code
        for one, words in ((editor, "先写"), (mate, "后写"))
    ]  # fmt: skip
    assert statuses == [200, 412]


def test_what_was_overtaken_is_told_with_both_texts(
    bank: Bank, editor: Program, checker: Program
) -> None:
    late = bank.program("ops.wang").post(f"{HERE}/drafts")
    first = proposed(editor, "先上线的")
    live = checker.post(f"/versions/{first['id']}/approve", {"seal": first["seal"]})
    operations = bank.program("ops.wang")
    zone = {**late["content"]["zone"], "slogan": "后写的"}
    stale = operations.write(late["id"], {"zone": zone})
    assert stale.status_code == 409
    assert stale.json is not None
    (conflict,) = stale.json["conflicts"]
    assert (conflict["where"], conflict["mine"]) == ("zone/slogan", "后写的")
    assert conflict["theirs"] == "先上线的"
    merged = operations.write(late["id"], {"zone": zone}, onto=live["number"])
    assert merged.status_code == 200


def test_faulty_content_is_not_kept_and_every_fault_is_named(editor: Program) -> None:
    draft = editor.post(f"{HERE}/drafts")
    zone = {**draft["content"]["zone"], "title": "长" * 9, "services": ["no-such"]}
    refused = editor.write(draft["id"], {"zone": zone})
    assert refused.status_code == 422
    assert refused.mimetype == "application/problem+json"
    assert refused.json is not None
    assert {one["where"] for one in refused.json["faults"]} >= {"zone/title"}
    assert all(one["rule"] and one["way_out"] for one in refused.json["faults"])
    assert editor.get(f"/versions/{draft['id']}")["hash"] == draft["hash"]
    told = editor.post(f"{HERE}/check", {"content": {"zone": zone}})
    assert told["faults"] == refused.json["faults"]


def test_a_section_that_is_none_is_named(editor: Program) -> None:
    answer = editor.call("POST", f"{HERE}/check", json={"content": {"grants": {}}})
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["faults"][0]["where"] == "content/grants"


@pytest.mark.parametrize(
    ("code", "kind", "key"),
    [
        ("B440000", "zone", "other"),
        ("B440000", "frame", "-"),
        ("B440000", "nonsense", "-"),
        ("B440000", "people", "other"),
        ("HQ", "zone", "-"),
        ("B310000", "zone", "-"),
    ],
)
def test_a_document_that_cannot_be_is_not_begun(
    editor: Program, code: str, kind: str, key: str
) -> None:
    """A second name for the same zone would go live past everybody who watches the first."""
    path = f"/branches/{code}/documents/{kind}/{key}"
    for answer in (
        editor.call("GET", path),
        editor.call("POST", f"{path}/drafts", json={}),
        editor.call("POST", f"{path}/check", json={"content": {}}),
    ):
        assert answer.status_code == 404


def test_a_branchs_operations_do_not_decide_on_everybodys_menu(bank: Bank) -> None:
    """Whoever may publish the frame at one branch must not make one there."""
    local = bank.program("ops.wang", role="operations", branch="B440000")
    path = "/branches/B440000/documents/frame/-"
    assert local.call("POST", f"{path}/drafts", json={}).status_code == 404
    assert local.call("POST", "/branches/HQ/documents/frame/-/drafts", json={}).status_code == 404
    whole = bank.program("ops.wang")
    assert whole.call("POST", "/branches/HQ/documents/frame/-/drafts", json={}).status_code == 200


def test_another_branchs_versions_do_not_exist(editor: Program, stranger: Program) -> None:
    waiting = proposed(editor)
    where = f"/versions/{waiting['id']}"
    asked = {
        "propose": {"why": "x", "hash": waiting["hash"]}, "approve": {"seal": waiting["seal"]},
        "return": {"reason": "x"}, "withdraw": {},
        "roll-back": {"to": 0, "why": "x", "seen_live": 0},
    }  # fmt: skip
    foreign = [stranger.call("POST", f"{where}/{move}", json=said) for move, said in asked.items()]
    absent = [
        stranger.call("POST", f"/versions/999999/{move}", json=said) for move, said in asked.items()
    ]
    assert {one.status_code for one in foreign + absent} == {404}
    assert {one.text for one in foreign} == {one.text for one in absent}
    assert stranger.call("GET", where).status_code == 404
    assert waiting["id"] not in [
        one["id"] for shelf in ("waiting", "mine", "live")
        for one in stranger.get("/changes", shelf=shelf)["items"]
    ]  # fmt: skip


def test_the_seal_is_of_this_version_alone(editor: Program, checker: Program) -> None:
    waiting = proposed(editor, "盖错章的口号")
    for seal in ("0" * 64, waiting["hash"], "x"):
        answer = checker.call("POST", f"/versions/{waiting['id']}/approve", json={"seal": seal})
        assert answer.status_code == 409
    assert slogan(editor) != "盖错章的口号"


def test_nothing_is_scheduled_into_the_past(editor: Program, checker: Program) -> None:
    draft = editor.post(f"{HERE}/drafts")
    zone = {**draft["content"]["zone"], "slogan": "明天"}
    saved = editor.write(draft["id"], {"zone": zone}).json
    assert saved is not None
    where, said = f"/versions/{saved['id']}/propose", {"why": "试", "hash": saved["hash"]}
    past = (clock.now() - timedelta(minutes=1)).isoformat()
    for moment in (past, "1999-01-01T00:00:00+08:00", "9999-12-31T23:59:59-12:00", "2027-01-01"):
        answer = editor.call("POST", where, json={**said, "scheduled_at": moment})
        assert answer.status_code == 422, moment
    tomorrow = (clock.now() + timedelta(days=1)).isoformat()
    waiting = editor.post(where, {**said, "scheduled_at": tomorrow})
    approved = checker.post(f"/versions/{saved['id']}/approve", {"seal": waiting["seal"]})
    assert approved["state"] == "approved"
    assert approved["scheduled_at"].endswith("+08:00")
    assert slogan(editor) != "明天"


def test_rights_come_back_through_two_people_only(bank: Bank) -> None:
    """Roll back is one person's act, and rights are no one person's."""
    admin, checker = bank.program("admin"), bank.program("gd.checker")
    where = "/branches/B440000/documents/grants/gd.editor"
    numbers = []
    for roles in (["editor", "reader"], ["editor"]):
        draft = admin.post(f"{where}/drafts")
        saved = admin.write(draft["id"], {"grants": {"roles": roles}}).json
        assert saved is not None
        waiting = admin.post(
            f"/versions/{saved['id']}/propose", {"why": "调岗", "hash": saved["hash"]}
        )
        numbers.append(checker.post(f"/versions/{saved['id']}/approve", {"seal": waiting["seal"]}))
    first, second = numbers
    asked = {"to": first["number"], "why": "想要回来", "seen_live": second["number"]}
    refused = checker.call("POST", f"/versions/{second['id']}/roll-back", json=asked)
    assert refused.status_code == 403
    assert refused.json is not None
    assert "一个人" in refused.json["detail"]
    assert bank.program("gd.editor").get("/me")["grants"][0]["role"] == "editor"


def test_nobody_asks_for_rights_of_their_own_or_of_strangers(bank: Bank) -> None:
    admin = bank.program("admin", branch="B440000")
    for login, status in (("sh.editor", 404), ("nobody", 404), ("admin", 404), ("gd.editor", 200)):
        path = f"/branches/B440000/documents/grants/{login}/drafts"
        assert admin.call("POST", path, json={}).status_code == status, login
    whole = bank.program("admin")
    own = whole.call("POST", "/branches/HQ/documents/grants/admin/drafts", json={})
    assert own.status_code == 409


def test_shelves_and_histories_come_in_pages(bank: Bank, editor: Program, checker: Program) -> None:
    for words in ("一", "二", "三"):
        waiting = proposed(editor, words)
        checker.post(f"/versions/{waiting['id']}/approve", {"seal": waiting["seal"]})
    newest = editor.get("/changes", shelf="live")["items"][0]
    found, older = [], None
    while True:
        more = {"older_than": older} if older is not None else {}
        page = editor.get(f"/versions/{newest['id']}/history", limit=2, **more)
        found += [one["number"] for one in page["items"]]
        older = page["older_than"]
        if older is None:
            break
    assert found == [3, 2, 1, 0]
    with bank.wiring.reading() as unit:
        live = queries.live_of(unit, "zone", branch="B440000")
    assert live is not None
    assert live.id == newest["id"]


@pytest.mark.parametrize("login", ["ops.wang", "gd.checker", "reader"])
def test_nobody_learns_of_logins_who_manages_none(bank: Bank, login: str) -> None:
    """A document of rights can be asked for by any login, and says the same of all strangers."""
    program = bank.program(login)
    told = []
    for asked in ("sh.editor", "nobody.of.this.name"):
        where = f"/branches/B440000/documents/grants/{asked}"
        found = {**program.get(where), "key": ""}
        wanted = {"content": {"grants": {"roles": ["editor", "auditor"]}}}
        checked = program.call("POST", f"{where}/check", json=wanted)
        begun = program.call("POST", f"{where}/drafts", json={})
        told.append((found, checked.status_code, begun.status_code, checked.json))
    assert told[0] == told[1]
    assert told[0][1] == 403


def test_an_administrator_of_a_branch_learns_of_nobody_elsewhere(bank: Bank) -> None:
    program = bank.program("admin", branch="B440000")
    statuses = []
    for asked in ("sh.editor", "nobody.of.this.name", "gd.editor"):
        where = f"/branches/B440000/documents/grants/{asked}/check"
        wanted = {"content": {"grants": {"roles": ["editor", "auditor"]}}}
        statuses.append(program.call("POST", where, json=wanted).status_code)
    assert statuses == [404, 404, 200]
