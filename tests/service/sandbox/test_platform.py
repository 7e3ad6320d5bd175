"""What every call passes through: method, body, unknown paths, permission; and the fault script."""

from __future__ import annotations

import json
import time

import pytest
import requests

from service.sandbox.faults import FaultRefused, FaultScript
from tests.service.sandbox.conftest import BUTTONS, Caller

CREATE = "/cgi-bin/tags/create"


def fault(caller: Caller, path: str, do: str, **how: object) -> None:
    answer = caller.control("PUT", "faults", {"rules": [{"path": path, "do": do, **how}]})
    assert "error" not in answer


def names(caller: Caller) -> list[str]:
    return [tag.name for tag in caller.world.tags.all.values()][1:]


def test_methods_matter(caller: Caller) -> None:
    assert caller.get("/cgi-bin/menu/create")["errcode"] == 43002
    assert caller.post("/cgi-bin/menu/get", {})["errcode"] == 43001


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 44002),
        (b"{", 47001),
        (b"[]", 47001),
        (b"{" * 100_000, 47001),
        ("标签".encode("gbk"), 40033),
        (b"null", 47001),
    ],
)
def test_an_unreadable_body_is_refused(caller: Caller, body: bytes, code: int) -> None:
    assert caller.raw(CREATE, body).json()["errcode"] == code


def test_paths_wechat_does_not_have_are_refused_by_code(caller: Caller) -> None:
    for path in ("/cgi-bin/nowhere", "/sns/nowhere", "/elsewhere"):
        assert caller.get(path)["errcode"] == 40066
    assert caller.post("/cgi-bin/message/mass/sendall", {})["errcode"] == 48001


def test_an_account_can_be_denied_a_permission(caller: Caller) -> None:
    caller.control("PUT", "limits", {"unauthorised": [CREATE]})
    assert caller.post(CREATE, {"tag": {"name": "上海"}})["errcode"] == 48001


def test_answers_are_unescaped_utf8(caller: Caller) -> None:
    answer = caller.raw(CREATE, '{"tag":{"name":"上海"}}'.encode())
    assert "上海".encode() in answer.content
    assert answer.headers["Content-Type"].startswith("application/json")


def test_the_way_to_the_server_can_be_checked(caller: Caller) -> None:
    assert caller.get("/cgi-bin/getcallbackip") == {"ip_list": ["127.0.0.1"]}
    assert caller.get("/cgi-bin/get_api_domain_ip") == {"ip_list": ["127.0.0.1"]}
    checked = caller.post("/cgi-bin/callback/check", {"action": "all"})
    assert set(checked) == {"dns", "ping"}
    assert caller.post("/cgi-bin/callback/check", {"action": "fly"})["errcode"] == 40035


def test_short_keys_bring_their_data_back_until_they_expire(caller: Caller) -> None:
    made = caller.post("/cgi-bin/shorten/gen", {"long_data": "数据", "expire_seconds": 60})
    assert len(made["short_key"]) == 15
    found = caller.post("/cgi-bin/shorten/fetch", {"short_key": made["short_key"]})
    assert found["long_data"] == "数据"
    caller.world.offset += 61
    gone = caller.post("/cgi-bin/shorten/fetch", {"short_key": made["short_key"]})
    assert gone["errcode"] == 9410012
    for body, code in (
        ({"long_data": ""}, 47003),
        ({"long_data": "x" * 4097}, 9410010),
        ({"long_data": "x", "expire_seconds": 2_592_001}, 9410011),
    ):
        assert caller.post("/cgi-bin/shorten/gen", body)["errcode"] == code


def test_an_answer_can_be_lost_after_the_effect(caller: Caller) -> None:
    fault(caller, CREATE, "lost", nth=1)
    with pytest.raises(requests.ConnectionError):
        caller.tag("上海")
    assert names(caller) == ["上海"]
    assert caller.tag("江苏") == 101


def test_a_connection_can_be_cut_before_any_effect(caller: Caller) -> None:
    fault(caller, CREATE, "cut", nth=1)
    with pytest.raises(requests.ConnectionError):
        caller.tag("上海")
    assert names(caller) == []


def test_a_call_can_hang_and_can_be_late(caller: Caller) -> None:
    fault(caller, CREATE, "hang", seconds=0.3)
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        caller.tag("上海")
    assert time.monotonic() - began >= 0.3
    assert names(caller) == []
    fault(caller, "/cgi-bin/tags/*", "delay", seconds=0.2)
    began = time.monotonic()
    caller.tag("上海")
    assert time.monotonic() - began >= 0.2
    assert names(caller) == ["上海"]


@pytest.mark.parametrize("effect", [False, True])
def test_a_bad_gateway_may_or_may_not_have_had_an_effect(caller: Caller, effect: bool) -> None:
    fault(caller, CREATE, "status", status=502, effect=effect)
    assert caller.raw(CREATE, b'{"tag":{"name":"sh"}}').status_code == 502
    assert names(caller) == (["sh"] if effect else [])


def test_an_answer_can_be_garbage(caller: Caller) -> None:
    fault(caller, CREATE, "garbage", body="<html>", content_type="text/html")
    answer = caller.raw(CREATE, b'{"tag":{"name":"sh"}}')
    assert (answer.status_code, answer.text) == (200, "<html>")
    assert names(caller) == []


def test_any_code_can_be_answered_on_chosen_calls(caller: Caller) -> None:
    fault(caller, "/cgi-bin/menu/get", "errcode", errcode=-1, nth=[1, 3])
    codes = [caller.get("/cgi-bin/menu/get")["errcode"] for _ in range(4)]
    assert codes == [-1, 46003, -1, 46003]
    shown = caller.control("GET", "faults")["rules"][0]
    assert (shown["seen"], shown["fired"]) == (4, 2)


def test_a_script_plays_the_same_way_every_time() -> None:
    def played(seed: int) -> list[bool]:
        script = FaultScript()
        rule = {"path": "/a", "do": "cut", "probability": 0.3}
        script.play({"seed": seed, "rules": [rule]})
        return [script.decide("/a") is not None for _ in range(200)]

    assert played(1) == played(1)
    assert played(1) != played(2)
    assert 30 < sum(played(1)) < 90


def test_the_first_rule_that_fires_decides_and_rules_can_run_out() -> None:
    script = FaultScript()
    script.play(
        {
            "rules": [
                {"path": "/a/*", "do": "cut", "every": 2, "times": 1},
                {"path": "/a/b", "do": "lost"},
            ]
        }
    )
    met = [script.decide("/a/b") for _ in range(4)]
    assert [rule and rule.do for rule in met] == ["lost", "cut", "lost", "lost"]
    assert script.decide("/b") is None
    assert script.decide("webhook") is None


@pytest.mark.parametrize(
    "rule",
    [
        {"do": "cut"},
        {"path": "/a", "do": "explode"},
        {"path": "/a", "do": "cut", "when": 3},
        {"path": "/a", "do": "delay", "seconds": "long"},
        {"path": "/a", "do": "cut", "times": "often"},
        "rule",
    ],
)
def test_a_rule_that_cannot_be_played_is_refused(rule: object) -> None:
    with pytest.raises(FaultRefused):
        FaultScript().play({"rules": [rule]})


def test_the_log_holds_every_call_and_no_secret(caller: Caller) -> None:
    caller.post("/cgi-bin/menu/create", {"button": BUTTONS})
    log = caller.control("GET", "log")
    assert [entry["path"] for entry in log] == ["/cgi-bin/token", "/cgi-bin/menu/create"]
    written = json.dumps(log, ensure_ascii=False)
    assert caller.token not in written
    assert caller.sandbox.settings.wechat_secret not in written
    assert "我的城市" in written
    assert caller.control("GET", f"log?after={log[-1]['id']}") == []
