"""OAuth, parametric codes, and the stand-in for the JS-SDK."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
import requests

from service.sandbox.tokens import page_signature
from tests.service.sandbox.conftest import Caller


def asked(caller: Caller, **changed: str) -> dict[str, str]:
    return {
        "appid": caller.sandbox.settings.wechat_appid,
        "redirect_uri": "http://127.0.0.1:8000/oauth/back?a=1",
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "abc123",
        **changed,
    }


def authorise(caller: Caller, openid: str = "", **changed: str) -> requests.Response:
    return requests.get(
        f"{caller.sandbox.base_url}/connect/oauth2/authorize",
        params=asked(caller, **changed),
        cookies={"sandbox_follower": openid} if openid else {},
        allow_redirects=False,
        timeout=10,
    )


def code_for(caller: Caller, openid: str, **changed: str) -> str:
    location = authorise(caller, openid, **changed).headers["Location"]
    return parse_qs(urlsplit(location).query)["code"][0]


def exchange(caller: Caller, code: str, **changed: str) -> dict[str, Any]:
    settings = caller.sandbox.settings
    return caller.get(
        "/sns/oauth2/access_token",
        appid=settings.wechat_appid,
        **{
            "secret": settings.wechat_secret,
            "code": code,
            "grant_type": "authorization_code",
            **changed,
        },
    )


def test_the_phone_s_holder_is_sent_back_with_a_code_that_works_once(caller: Caller) -> None:
    one = caller.fan()
    location = authorise(caller, one).headers["Location"]
    query = parse_qs(urlsplit(location).query)
    assert (query["a"], query["state"]) == (["1"], ["abc123"])
    answer = exchange(caller, query["code"][0])
    assert answer["openid"] == one
    assert answer["scope"] == "snsapi_base"
    assert answer["access_token"] != caller.token
    assert exchange(caller, query["code"][0])["errcode"] == 40163


def test_every_bad_code_is_refused_for_its_own_reason(caller: Caller) -> None:
    code = code_for(caller, caller.fan())
    assert exchange(caller, "unknown")["errcode"] == 40029
    assert exchange(caller, "")["errcode"] == 41008
    assert exchange(caller, code, secret="wrong")["errcode"] == 40125
    assert exchange(caller, code, grant_type="password")["errcode"] == 40002
    caller.world.offset += 301
    assert exchange(caller, code)["errcode"] == 42003


def test_without_a_phone_the_page_asks_who_one_is(caller: Caller) -> None:
    one = caller.world.add_follower(name="小<王>")
    page = authorise(caller)
    assert page.status_code == 200
    assert "小&lt;王&gt;" in page.text
    picked = authorise(caller, sandbox_pick=one.openid)
    assert picked.status_code == 302
    assert picked.cookies["sandbox_follower"] == one.openid


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"appid": "wx1"}, "appid"),
        ({"redirect_uri": "https://evil.example/"}, "10003"),
        ({"redirect_uri": "javascript:alert(1)"}, "10003"),
        ({"redirect_uri": "http://127.0.0.1:80.evil/"}, "10003"),
        ({"response_type": "token"}, "response_type"),
        ({"scope": "everything"}, "10005"),
        ({"state": "a-b"}, "state"),
        ({"state": "a" * 129}, "state"),
    ],
)
def test_a_wrong_link_leads_nowhere(caller: Caller, changed: dict[str, str], says: str) -> None:
    answer = authorise(caller, caller.fan(), **changed)
    assert answer.status_code == 400
    assert says in answer.text


def test_the_order_of_the_parameters_matters(caller: Caller) -> None:
    turned = urlencode(dict(reversed(asked(caller).items())))
    url = f"{caller.sandbox.base_url}/connect/oauth2/authorize?{turned}"
    answer = requests.get(url, cookies={"sandbox_follower": caller.fan()}, timeout=10)
    assert "顺序" in answer.text


def test_particulars_need_the_wider_scope(caller: Caller) -> None:
    one = caller.fan()
    narrow = exchange(caller, code_for(caller, one))
    wide = exchange(caller, code_for(caller, one, scope="snsapi_userinfo"))
    path = "/sns/userinfo"
    refused = caller.get(path, access_token=narrow["access_token"], openid=one)
    assert refused["errcode"] == 48001
    shown = caller.get(path, access_token=wide["access_token"], openid=one)
    assert shown["nickname"] == caller.world.followers[one].name
    assert "sex" not in shown
    fresh = caller.get(
        "/sns/oauth2/refresh_token",
        appid=caller.sandbox.settings.wechat_appid,
        grant_type="refresh_token",
        refresh_token=wide["refresh_token"],
    )
    auth = caller.get("/sns/auth", access_token=fresh["access_token"], openid=one)
    assert auth["errcode"] == 0
    other = caller.get("/sns/auth", access_token=fresh["access_token"], openid=caller.fan())
    assert other["errcode"] == 40003


def test_a_snapshot_page_knows_nobody(caller: Caller) -> None:
    one = caller.fan()
    caller.control("PUT", "limits", {"snapshot_pages": True})
    answer = exchange(caller, code_for(caller, one, scope="snsapi_userinfo"))
    assert (answer["is_snapshotuser"], answer["openid"] == one) == (1, False)
    base = exchange(caller, code_for(caller, one))
    assert "is_snapshotuser" not in base


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 0}}}, 40053),
        ({"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 2**32}}}, 40053),
        ({"action_name": "QR_LIMIT_SCENE", "action_info": {"scene": {"scene_id": 100_001}}}, 40053),
        ({"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": ""}}}, 40053),
        ({"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": "a" * 65}}}, 40053),
        ({"action_name": "QR_MAGIC", "action_info": {"scene": {"scene_id": 1}}}, 40053),
        ({"action_name": "QR_SCENE"}, 40053),
    ],
)
def test_a_scene_has_its_bounds(caller: Caller, body: dict[str, Any], code: int) -> None:
    assert caller.post("/cgi-bin/qrcode/create", body)["errcode"] == code


def test_a_code_lasts_a_minute_or_as_asked_or_for_ever(caller: Caller) -> None:
    info = {"action_info": {"scene": {"scene_str": "B310000"}}}
    path = "/cgi-bin/qrcode/create"
    short = caller.post(path, {"action_name": "QR_STR_SCENE", **info})
    assert short["expire_seconds"] == 60
    tooth = {"action_name": "QR_STR_SCENE", "expire_seconds": 2_592_001, **info}
    assert caller.post(path, tooth)["errcode"] == 40053
    kept = caller.post(path, {"action_name": "QR_LIMIT_STR_SCENE", **info})
    assert "expire_seconds" not in kept
    caller.control("PUT", "limits", {"permanent_qr_codes": 1})
    assert caller.post(path, {"action_name": "QR_LIMIT_STR_SCENE", **info})["errcode"] == 45029
    caller.world.offset += 61
    url = f"{caller.sandbox.base_url}/cgi-bin/showqrcode?ticket="
    assert requests.get(url + quote(kept["ticket"]), timeout=10).text.startswith("<svg")
    gone = requests.get(url + quote(short["ticket"]), timeout=10)
    assert not gone.text.startswith("<svg")


def test_a_page_is_believed_only_with_the_signature_over_its_own_address(caller: Caller) -> None:
    url = "http://127.0.0.1:8000/s/outlets?a=1"
    ticket = caller.get("/cgi-bin/ticket/getticket", type="jsapi")["ticket"]
    config = {
        "appId": caller.sandbox.settings.wechat_appid,
        "timestamp": 1_700_000_000,
        "nonceStr": "n",
        "signature": page_signature(ticket, nonce="n", timestamp="1700000000", url=url),
    }

    def verdict(**changed: object) -> str:
        answer = requests.post(
            f"{caller.sandbox.base_url}/_jssdk/verify",
            json={**config, "url": url + "#top", **changed},
            timeout=10,
        )
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        said: str = answer.json()["errMsg"]
        return said

    assert verdict() == "config:ok"
    assert verdict(url="http://127.0.0.1:8000/s/outlets") == "config:fail, invalid signature"
    assert verdict(nonceStr="m") == "config:fail, invalid signature"
    assert verdict(appId="wx1") == "config:fail, invalid appid"
