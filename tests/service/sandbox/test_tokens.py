"""Tokens: who gets one, how old and new overlap, and why one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from service.sandbox.tokens import page_signature
from tests.service.sandbox.conftest import Caller


def classic(caller: Caller) -> str:
    settings = caller.sandbox.settings
    answer = caller.get(
        "/cgi-bin/token",
        grant_type="client_credential",
        appid=settings.wechat_appid,
        secret=settings.wechat_secret,
    )
    token: str = answer["access_token"]
    return token


def stable(caller: Caller, *, force: bool = False) -> dict[str, Any]:
    settings = caller.sandbox.settings
    return caller.post(
        "/cgi-bin/stable_token",
        {
            "grant_type": "client_credential",
            "appid": settings.wechat_appid,
            "secret": settings.wechat_secret,
            "force_refresh": force,
        },
    )


def verdict(caller: Caller, token: str) -> int:
    """0 where the token is good, else the code."""
    code: int = caller.get("/cgi-bin/tags/get", access_token=token).get("errcode", 0)
    return code


def test_an_old_classic_token_works_for_five_more_minutes(caller: Caller) -> None:
    old, new = classic(caller), classic(caller)
    assert old != new
    assert (verdict(caller, old), verdict(caller, new)) == (0, 0)
    caller.world.offset += 301
    assert (verdict(caller, old), verdict(caller, new)) == (40001, 0)


def test_a_stable_token_stays_the_same_until_its_last_five_minutes(caller: Caller) -> None:
    first = stable(caller)
    assert first["expires_in"] == 7200
    caller.world.offset += 6800
    assert stable(caller)["access_token"] == first["access_token"]
    caller.world.offset += 150
    second = stable(caller)
    assert second["access_token"] != first["access_token"]
    # In the last five minutes both are good.
    assert verdict(caller, first["access_token"]) == verdict(caller, second["access_token"]) == 0
    caller.world.offset += 260
    assert verdict(caller, first["access_token"]) == 42001
    assert verdict(caller, second["access_token"]) == 0


def test_a_forced_refresh_ends_the_old_token_at_once_and_is_rationed(caller: Caller) -> None:
    old = stable(caller)["access_token"]
    new = stable(caller, force=True)["access_token"]
    assert (verdict(caller, old), verdict(caller, new)) == (40001, 0)
    assert stable(caller, force=True)["errcode"] == 45011
    for _ in range(19):
        caller.world.offset += 31
        assert "access_token" in stable(caller, force=True)
    caller.world.offset += 31
    assert stable(caller, force=True)["errcode"] == 45009


def test_stable_and_classic_tokens_do_not_touch_each_other(caller: Caller) -> None:
    kept = stable(caller)["access_token"]
    classic(caller)
    classic(caller)
    caller.world.offset += 301
    assert verdict(caller, kept) == 0


@pytest.mark.parametrize(("token", "code"), [("", 41001), ("no token!", 40014), ("x" * 100, 40001)])
def test_every_bad_token_is_refused_for_its_own_reason(
    caller: Caller, token: str, code: int
) -> None:
    assert verdict(caller, token) == code


def test_a_token_expires_after_two_hours(caller: Caller) -> None:
    token = classic(caller)
    caller.world.offset += 7201
    assert verdict(caller, token) == 42001


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"appid": ""}, 41002),
        ({"appid": "wx1"}, 40013),
        ({"secret": ""}, 41004),
        ({"secret": "wrong"}, 40125),
        ({"grant_type": "password"}, 40002),
    ],
)
def test_only_the_account_itself_gets_a_token(
    caller: Caller, changed: dict[str, str], code: int
) -> None:
    settings = caller.sandbox.settings
    asked = {
        "grant_type": "client_credential",
        "appid": settings.wechat_appid,
        "secret": settings.wechat_secret,
        **changed,
    }
    assert caller.get("/cgi-bin/token", **asked)["errcode"] == code
    assert caller.post("/cgi-bin/stable_token", asked)["errcode"] == code


def test_a_refusal_names_its_request_which_can_be_looked_up_for_a_week(caller: Caller) -> None:
    said = caller.get("/cgi-bin/menu/get")["errmsg"]
    rid = said.split(" rid: ")[1]
    about = caller.post("/cgi-bin/openapi/rid/get", {"rid": rid})["request"]
    assert about["request_url"].startswith("/cgi-bin/menu/get")
    assert caller.token not in str(about)
    assert caller.post("/cgi-bin/openapi/rid/get", {"rid": "x"})["errcode"] == 76002
    unknown = "00000000-00000000-00000000"
    assert caller.post("/cgi-bin/openapi/rid/get", {"rid": unknown})["errcode"] == 76001


def test_the_ticket_is_the_same_until_its_last_minutes(caller: Caller) -> None:
    first = caller.get("/cgi-bin/ticket/getticket", type="jsapi")
    assert first["errcode"] == 0
    assert caller.get("/cgi-bin/ticket/getticket", type="jsapi")["ticket"] == first["ticket"]
    assert caller.get("/cgi-bin/ticket/getticket", type="other")["errcode"] == 40035


def test_page_signatures_agree_with_the_published_examples() -> None:
    ticket = (
        "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    )
    for url, expected in (
        ("http://mp.weixin.qq.com?params=value", "0f9de62fce790f9a083d5c99e95740ceb90c27ed"),
        ("http://mp.weixin.qq.com", "f4d90daf4b3bca3078ab155816175ba34c443a7b"),
    ):
        signed = page_signature(ticket, nonce="Wm3WZYTPz0wzccnW", timestamp="1414587457", url=url)
        assert signed == expected
