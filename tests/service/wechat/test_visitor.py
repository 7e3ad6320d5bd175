"""Pages are signed for our own host only, and visitors are sent the way WeChat expects."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest

from config import Settings
from service.sandbox.tokens import page_signature
from service.wechat.visitor import ForeignAddress, authorize_url, jssdk_config, jssdk_signature
from tests.service.wechat.conftest import Account

BANK = replace(
    Settings(),
    public_base_url="https://bank.example",
    wechat_oauth_base="https://open.weixin.qq.com",
    wechat_appid="wx1",
)
TICKET = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        ("http://mp.weixin.qq.com?params=value", "0f9de62fce790f9a083d5c99e95740ceb90c27ed"),
        ("http://mp.weixin.qq.com?params=value#top", "0f9de62fce790f9a083d5c99e95740ceb90c27ed"),
        ("http://mp.weixin.qq.com", "f4d90daf4b3bca3078ab155816175ba34c443a7b"),
    ],
)
def test_pages_are_signed_as_wechats_own_examples(url: str, signature: str) -> None:
    found = jssdk_signature(TICKET, noncestr="Wm3WZYTPz0wzccnW", timestamp=1414587457, url=url)
    assert found == signature


def test_a_visitor_is_sent_with_the_parameters_in_wechats_order() -> None:
    page = "https://bank.example/s/outlets?from=menu&x=1"
    assert authorize_url(BANK, redirect_uri=page, state="abc123") == (
        "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx1"
        f"&redirect_uri={quote(page, safe='')}"
        "&response_type=code&scope=snsapi_base&state=abc123#wechat_redirect"
    )


@pytest.mark.parametrize("state", ["", "a b", "a&b=c", "状态", "a" * 129])
def test_a_state_that_wechat_would_not_carry_is_refused(state: str) -> None:
    with pytest.raises(ValueError, match="state"):
        authorize_url(BANK, redirect_uri="https://bank.example/s/x", state=state)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/s/x",
        "https://bank.example.evil.example/",
        "https://bank.example@evil.example/",
        "https://someone@bank.example/",
        "https://bank.example:8443/",
        "http://bank.example/",
        "//bank.example/",
        "https://bank.example\\@evil.example/",
        "javascript:alert(1)",
        "https://bank.example:port/",
        "",
    ],
)
def test_nothing_is_signed_for_a_foreign_address(account: Account, url: str) -> None:
    wiring = replace(
        account.wiring, settings=replace(BANK, data_dir=account.wiring.settings.data_dir)
    )
    with pytest.raises(ForeignAddress):
        jssdk_config(wiring, url)
    with pytest.raises(ForeignAddress):
        authorize_url(BANK, redirect_uri=url, state="abc")


def test_a_page_of_ours_gets_what_the_sdk_needs(account: Account) -> None:
    url = account.wiring.settings.public_base_url + "/s/outlets?code=1&state=2"
    with account.wiring.reading() as unit:
        config = jssdk_config(unit, url + "#map")
    assert set(config) == {"appId", "timestamp", "nonceStr", "signature"}
    ticket = account.sandbox.world.tokens.current_ticket
    assert ticket is not None
    assert config["signature"] == page_signature(
        ticket, nonce=config["nonceStr"], timestamp=str(config["timestamp"]), url=url
    )
