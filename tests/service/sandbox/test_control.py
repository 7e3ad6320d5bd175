"""The control API: followers, clock, limits, pages opened as a follower, and who may not use it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
import requests
from werkzeug.wrappers import Request, Response

from config import Settings
from service.sandbox import running
from tests.service.sandbox.conftest import Caller, listening


def test_followers_can_be_made_listed_and_changed(caller: Caller) -> None:
    one = caller.control("POST", "followers", {"name": "小王", "openid": "o" + "a" * 27})
    assert one["openid"] == "o" + "a" * 27
    assert one["subscribed"] is False
    assert one["menu"] == []
    assert "error" in caller.control("POST", "followers", {"openid": one["openid"]})
    assert "error" in caller.control("POST", "followers", {"openid": "short"})
    assert "error" in caller.control("POST", "followers", {"platform": "9"})
    changed = caller.control("PATCH", f"followers/{one['openid']}", {"platform": "1"})
    assert changed["platform"] == "1"
    assert "error" in caller.control("PATCH", f"followers/{one['openid']}", {"tags": [1]})
    assert [each["name"] for each in caller.control("GET", "followers")] == ["小王"]
    assert "error" in caller.control("GET", "followers/nobody")


def test_the_clock_can_be_set_moved_and_let_go(caller: Caller) -> None:
    caller.control("PUT", "clock", {"at": 1_767_196_800})
    shown = caller.control("PUT", "clock", {"advance": 60})
    assert shown["shanghai"] == "2026-01-01T00:01:00+08:00"
    assert abs(caller.control("PUT", "clock", {"offset": 0})["offset"]) == 0
    assert "error" in caller.control("PUT", "clock", {"soon": 1})


@pytest.mark.parametrize(
    "wanted",
    [{"menus": 1}, {"tags": "many"}, {"tags": True}, {"templates": [1]}, {"tags": -1}],
)
def test_only_known_limits_take_fitting_values(caller: Caller, wanted: dict[str, Any]) -> None:
    assert "error" in caller.control("PUT", "limits", {"page_size": 7, **wanted})
    assert caller.control("GET", "limits")["page_size"] == 10_000


@pytest.mark.parametrize("wanted", [{"mode": "loose"}, {"resends": "3"}, {"speed": 1}])
def test_only_known_webhook_settings_take_fitting_values(
    caller: Caller, wanted: dict[str, Any]
) -> None:
    assert "error" in caller.control("PUT", "webhook", wanted)


def test_a_reset_leaves_an_empty_account_and_the_address(caller: Caller) -> None:
    caller.fan()
    caller.menu("总行")
    caller.control("PUT", "webhook", {"url": "http://127.0.0.1:9/elsewhere"})
    caller.control("POST", "reset")
    state = caller.control("GET", "state")
    assert (state["followers"], state["menu"]) == (0, None)
    assert state["webhook"]["url"].endswith("/elsewhere")
    assert caller.get("/cgi-bin/tags/get")["errcode"] == 40001


def test_all_tokens_can_be_revoked(caller: Caller) -> None:
    caller.control("POST", "tokens/revoke")
    assert caller.get("/cgi-bin/tags/get")["errcode"] == 40001


def test_pages_of_other_sites_and_other_names_cannot_drive_it(caller: Caller) -> None:
    url = f"{caller.sandbox.base_url}/_control/reset"
    one = caller.fan()
    for headers in (
        {"Origin": "https://evil.example"},
        {"Host": "evil.example"},
        {"Origin": "http://evil.example", "Host": "evil.example"},
    ):
        assert requests.post(url, headers=headers, timeout=10).status_code == 403
    assert one in caller.world.followers
    own = {"Origin": caller.sandbox.base_url}
    assert requests.post(url, headers=own, timeout=10).ok


def test_a_body_must_be_labelled_json(caller: Caller) -> None:
    url = f"{caller.sandbox.base_url}/_control/limits"
    answer = requests.put(url, data='{"tags": 1}', timeout=10)
    assert answer.status_code == 400


class Bank:
    """Pages that ask WeChat who is there, as the real ones do."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.agents: list[str] = []
        self.cookies: list[dict[str, str]] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.agents.append(request.user_agent.string)
        self.cookies.append(request.cookies.to_dict())
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path == "/back":
            response = Response(status=302, headers={"Location": "/page"})
            response.set_cookie("visit", request.args["code"])
            return response
        if "visit" in request.cookies:
            return Response("您好")
        back = quote(f"{request.host_url}back", safe="")
        settings = self.settings
        url = (
            f"{settings.wechat_oauth_base}/connect/oauth2/authorize?appid={settings.wechat_appid}"
            f"&redirect_uri={back}&response_type=code&scope=snsapi_base&state=a1#wechat_redirect"
        )
        return Response(status=302, headers={"Location": url})


def test_a_page_opens_as_the_follower_would_see_it(caller: Caller) -> None:
    bank = Bank(caller.sandbox.settings)
    one, other = caller.fan(), caller.fan()
    with listening(bank) as address:
        opened = caller.do(one, "open", url=f"{address}/page")
        assert (opened["status"], opened["html"]) == (200, "您好")
        assert opened["url"] == f"{address}/page"
        assert (opened["bytes"], len(opened["redirects"])) == (6, 3)
        assert opened["ms"] > 0
        assert caller.do(one, "open", url=f"{address}/page")["redirects"] == []
        assert len(caller.do(other, "open", url=f"{address}/page")["redirects"]) == 3
        assert len(caller.do(one, "open", url=f"{address}/page", fresh=True)["redirects"]) == 3
    assert all("MicroMessenger" in agent for agent in bank.agents)
    assert not any("sandbox_follower" in cookies for cookies in bank.cookies)
    owners = [found.openid for found in caller.world.authorisations.codes.values()]
    assert owners == [one, other, one]


def test_a_page_that_is_not_there_says_so(caller: Caller) -> None:
    opened = caller.do(caller.fan(), "open", url="http://127.0.0.1:9/")
    assert (opened["status"], opened["why"]) == (None, "ConnectionError")


def test_a_follower_leaves_traces_of_everything_in_one_view(caller: Caller) -> None:
    caller.menu("总行")
    one, tag = caller.fan(), caller.tag("上海")
    caller.put_on(tag, one)
    caller.do(one, "message", content="你好", quiet=True)
    shown = caller.control("GET", f"followers/{one}")
    assert shown["tags"] == [{"id": tag, "name": "上海"}]
    assert shown["menu"][0]["name"] == "总行"
    assert shown["windows"]["message"]["left"] == 5
    assert shown["chat"][0]["by"] == "follower"


def test_two_sandboxes_are_two_accounts() -> None:
    with running(Settings()) as first, running(replace(Settings(), wechat_appid="wx2")) as second:
        first.world.add_follower()
        assert second.world.followers == {}
        assert first.world.gh_id != second.world.gh_id
        assert first.settings.wechat_api_base == first.base_url != second.base_url
