"""Our verbs, against the platform's rules."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from service.happenings import OpenId
from service.replies import Article
from service.wechat.errors import (
    CodeRefused,
    MenuCeilingReached,
    NameTaken,
    NoDefaultMenu,
    NotAFollower,
    PartlyDone,
    WillNever,
)
from service.wechat.visitor import authorize_url
from tests.service.wechat.conftest import Account

HEAD = [{"type": "click", "name": "总行", "key": "svc:promotions"}]
LOCAL = [{"type": "click", "name": "苏州", "key": "svc:my-city"}]
TAGGING = "/cgi-bin/tags/members/batchtagging"


def test_menus_are_made_matched_and_taken_away_again(account: Account) -> None:
    gateway, one = account.gateway, account.follower()
    assert gateway.menus() == {}
    with pytest.raises(NoDefaultMenu):
        gateway.add_conditional(LOCAL, tag_id=gateway.create_tag("先"))
    gateway.create_menu(HEAD)
    tag_id = gateway.create_tag("苏州")
    menu_id = gateway.add_conditional(LOCAL, tag_id=tag_id)
    assert isinstance(menu_id, str)
    gateway.tag([one], tag_id)
    assert [button["name"] for button in gateway.try_match(one)] == ["苏州"]
    assert len(gateway.menus()["conditionalmenu"]) == 1
    assert gateway.current_menu()["is_menu_open"] == 1
    gateway.delete_conditional(menu_id)
    gateway.delete_conditional(menu_id)
    assert [button["name"] for button in gateway.try_match(one)] == ["总行"]


def test_the_ceiling_of_conditional_menus_has_a_name(account: Account) -> None:
    account.sandbox.world.limits.conditional_menus = 1
    account.gateway.create_menu(HEAD)
    tag_id = account.gateway.create_tag("苏州")
    account.gateway.add_conditional(LOCAL, tag_id=tag_id)
    with pytest.raises(MenuCeilingReached):
        account.gateway.add_conditional(LOCAL, tag_id=tag_id)


def test_tags_are_made_renamed_listed_and_deleted(account: Account) -> None:
    gateway = account.gateway
    tag_id = gateway.create_tag("苏州")
    with pytest.raises(NameTaken):
        gateway.create_tag("苏州")
    gateway.rename_tag(tag_id, "苏州分行")
    assert [tag.name for tag in gateway.tags() if tag.id == tag_id] == ["苏州分行"]
    gateway.delete_tag(tag_id)
    gateway.delete_tag(tag_id)
    with pytest.raises(WillNever):
        gateway.delete_tag(2)


def test_one_who_does_not_follow_spoils_a_batch_and_is_found(account: Account) -> None:
    gateway, tag_id = account.gateway, account.gateway.create_tag("苏州")
    fans = [account.follower() for _ in range(49)]
    batch = [*fans[:31], account.stranger(), *fans[31:]]
    with pytest.raises(NotAFollower):
        gateway.tag(batch, tag_id)
    assert gateway.tag_followers(tag_id)[0] == []
    undone = gateway.tag_each(batch, tag_id)
    assert list(undone) == [batch[31]]
    assert isinstance(undone[batch[31]], NotAFollower)
    assert set(gateway.tag_followers(tag_id)[0]) == set(fans)
    assert len(account.calls(TAGGING)) <= 2 + 2 * 6, "found by halving, not one by one"


def test_a_partly_failed_batch_says_for_whom_to_repeat_it(account: Account) -> None:
    gateway, tag_id = account.gateway, account.gateway.create_tag("苏州")
    fans = [account.follower() for _ in range(3)]
    account.play(TAGGING, "partial", openids=[fans[1]])
    with pytest.raises(PartlyDone) as partly:
        gateway.tag(fans, tag_id)
    assert partly.value.failed == (fans[1],)
    assert list(gateway.tag_each(fans, tag_id)) == [fans[1]]


def test_many_followers_are_tagged_fifty_at_a_time(account: Account) -> None:
    gateway, tag_id = account.gateway, account.gateway.create_tag("苏州")
    fans = [account.follower() for _ in range(101)]
    with pytest.raises(ValueError, match="50"):
        gateway.tag(fans, tag_id)
    assert gateway.tag_each(fans, tag_id) == {}
    assert len(account.calls(TAGGING)) == 3
    assert gateway.tags_of(fans[100]) == [tag_id]
    assert gateway.untag_each(fans, tag_id) == {}
    assert gateway.tags_of(fans[0]) == []


def test_followers_are_listed_page_by_page(account: Account) -> None:
    account.sandbox.world.limits.page_size = 2
    fans, tag_id = [account.follower() for _ in range(5)], account.gateway.create_tag("苏州")
    account.gateway.tag(fans, tag_id)
    for list_page in (
        account.gateway.followers,
        lambda after: account.gateway.tag_followers(tag_id, after),
    ):
        found: list[OpenId] = []
        after = "first"
        while after:
            page, after = list_page("" if after == "first" else after)
            found += page
        assert sorted(found) == sorted(fans)


def test_a_follower_is_known_and_a_stranger_is_not(account: Account) -> None:
    assert account.gateway.user_info(account.follower())["subscribe"] == 1
    assert account.gateway.user_info(account.stranger())["subscribe"] == 0


def test_messages_reach_a_follower_within_the_window_only(account: Account) -> None:
    one = account.follower()
    account.gateway.send_text(one, "您好")
    account.gateway.send_news(one, Article("约惠魔都", "本周优惠", "https://bank.example/z/local"))
    account.sandbox.world.followers[one].windows.close()
    with pytest.raises(WillNever):
        account.gateway.send_text(one, "您好")


@pytest.mark.parametrize("seconds", [None, 600])
def test_a_code_for_an_outlet_has_a_picture(account: Account, seconds: int | None) -> None:
    picture = account.gateway.create_qr("o:jinshan", seconds=seconds)
    assert picture.startswith(account.sandbox.base_url)
    assert parse_qs(urlsplit(picture).query)["ticket"][0] in account.sandbox.world.qr_codes.all


def test_a_visitor_is_identified_once_by_a_code(account: Account) -> None:
    one = account.follower()
    authorisations = account.sandbox.world.authorisations
    code = authorisations.code(one, "snsapi_base", account.sandbox.world.now(), snapshot=False)
    assert account.gateway.identify(code).openid == one
    with pytest.raises(CodeRefused):
        account.gateway.identify(code)
    with pytest.raises(CodeRefused):
        account.gateway.identify("no such code")


def test_a_snapshot_is_told_from_a_person(account: Account) -> None:
    one = account.follower()
    code = account.sandbox.world.authorisations.code(
        one, "snsapi_userinfo", account.sandbox.world.now(), snapshot=True
    )
    assert account.gateway.identify(code).is_snapshot


def test_what_wechat_says_of_a_quota_is_kept(account: Account) -> None:
    quota = account.gateway.quota("/cgi-bin/menu/create")
    assert quota.daily_limit == quota.used + quota.remain
    with pytest.raises(WillNever):
        account.gateway.quota("/cgi-bin/no/such/path")


def test_the_sandbox_sends_a_visitor_back_with_a_code(account: Account) -> None:
    settings = account.wiring.settings
    url = authorize_url(settings, redirect_uri=settings.public_base_url + "/s/x", state="a1")
    assert url.startswith(account.sandbox.base_url)
