"""Daily and minute ceilings, and their clearing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.clock import SHANGHAI
from service.sandbox.quotas import DAILY
from tests.service.sandbox.conftest import Caller

GET = "/cgi-bin/tags/get"


def code(caller: Caller, path: str = GET) -> int:
    found: int = caller.get(path).get("errcode", 0)
    return found


def quota(caller: Caller, path: str) -> dict[str, int]:
    found: dict[str, int] = caller.post("/cgi-bin/openapi/quota/get", {"cgi_path": path})["quota"]
    return found


def test_the_published_ceilings_are_the_defaults(caller: Caller) -> None:
    for path, limit in DAILY.items():
        assert quota(caller, path)["daily_limit"] == limit
    assert quota(caller, "/cgi-bin/menu/create")["daily_limit"] == 1000


def test_calls_are_counted_and_refused_until_midnight_in_shanghai(caller: Caller) -> None:
    caller.control("PUT", "quotas", {"daily": {GET: 2}})
    assert [code(caller) for _ in range(3)] == [0, 0, 45009]
    assert quota(caller, GET) == {"daily_limit": 2, "used": 2, "remain": 0}
    now = datetime.fromtimestamp(caller.world.now(), UTC).astimezone(SHANGHAI)
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), SHANGHAI)
    caller.world.offset += (midnight - now).total_seconds() - 5
    caller.sign_in()
    assert code(caller) == 45009
    caller.world.offset += 6
    assert code(caller) == 0


def test_a_refused_call_has_no_effect(caller: Caller) -> None:
    caller.control("PUT", "quotas", {"used": {"/cgi-bin/menu/create": 1000}})
    assert caller.menu("总行")["errcode"] == 45009
    assert code(caller, "/cgi-bin/menu/get") == 46003


def test_ceilings_by_the_minute_open_again_the_next_minute(caller: Caller) -> None:
    caller.control("PUT", "quotas", {"minute": {GET: 1}})
    caller.world.offset += 60 - caller.world.now() % 60
    assert [code(caller), code(caller)] == [0, 45011]
    caller.world.offset += 60
    assert code(caller) == 0
    asked = caller.post("/cgi-bin/openapi/quota/get", {"cgi_path": GET})
    assert asked["rate_limit"] == {"call_count": 1, "refresh_second": 60}


def test_counters_can_be_cleared_ten_times_a_month(caller: Caller) -> None:
    appid = caller.sandbox.settings.wechat_appid
    secret = caller.sandbox.settings.wechat_secret
    caller.control("PUT", "quotas", {"daily": {GET: 1}})
    for _ in range(9):
        assert [code(caller), code(caller)] == [0, 45009]
        assert caller.post("/cgi-bin/clear_quota", {"appid": appid})["errcode"] == 0
    # The second way shares the count, and needs no token.
    caller.token = ""
    body = {"appid": appid, "appsecret": secret}
    assert caller.post("/cgi-bin/clear_quota/v2", body)["errcode"] == 0
    assert caller.post("/cgi-bin/clear_quota/v2", body)["errcode"] == 48006
    body["appsecret"] = "wrong"
    assert caller.post("/cgi-bin/clear_quota/v2", body)["errcode"] == 40125


def test_clearing_takes_what_it_needs_from_the_query_too(caller: Caller) -> None:
    settings = caller.sandbox.settings
    args = {"appid": settings.wechat_appid, "appsecret": settings.wechat_secret}
    assert caller.raw("/cgi-bin/clear_quota/v2", b"", **args).json()["errcode"] == 0
    assert caller.post("/cgi-bin/clear_quota", {"appid": "wx1"})["errcode"] == 40013


def test_one_path_can_be_cleared_by_itself(caller: Caller) -> None:
    caller.control("PUT", "quotas", {"daily": {GET: 1, "/cgi-bin/menu/get": 1}})
    assert [code(caller), code(caller), code(caller, "/cgi-bin/menu/get")] == [0, 45009, 46003]
    assert caller.post("/cgi-bin/openapi/quota/clear", {"cgi_path": GET})["errcode"] == 0
    assert [code(caller), code(caller, "/cgi-bin/menu/get")] == [0, 45009]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("cgi-bin/menu/get", 76003),
        ("/cgi-bin/menu/get?a=1", 76003),
        ("", 76003),
        ("/cgi-bin/nowhere", 76021),
        ("/sns/userinfo", 76022),
    ],
)
def test_only_known_paths_have_a_quota(caller: Caller, path: str, expected: int) -> None:
    answer = caller.post("/cgi-bin/openapi/quota/get", {"cgi_path": path})
    assert answer["errcode"] == expected


def test_nonsense_is_no_quota(caller: Caller) -> None:
    nonsenses: list[dict[str, Any]] = [{"weekly": {}}, {"daily": {GET: -1}}, {"daily": 5}]
    for nonsense in nonsenses:
        assert "error" in caller.control("PUT", "quotas", nonsense)
    assert caller.control("GET", "quotas")["daily"][GET]["limit"] == 1000
