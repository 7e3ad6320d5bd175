"""Who is visiting: silent sign-in through the sandbox, guests, cities, and what is never kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lightservices import visit
from regions.presence import Presence
from service import clock
from service.sandbox.browsing import FOLLOWER_COOKIE
from tests.lightservices.conftest import PEOPLES_SQUARE, PHONE, WHO, XUANWU, Site


@pytest.fixture(autouse=True)
def wechat_is_trusted_again(site: Site) -> Iterator[None]:
    """What one test taught the process about WeChat does not reach the next."""
    yield
    site.wiring.shelf.pop("visit.weary_until", None)


def follower(site: Site) -> str:
    found = requests.post(
        f"{site.sandbox.base_url}/_control/followers", json={"name": "小王"}, timeout=5
    ).json()
    return str(found["openid"])


def ask_wechat(redirect: TestResponse, openid: str) -> str:
    """WeChat's part: whoever holds the phone is sent back with a code."""
    answer = requests.get(
        redirect.location, cookies={FOLLOWER_COOKIE: openid}, allow_redirects=False, timeout=5
    )
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def cookie_of(client: FlaskClient) -> dict[str, object]:
    with client.session_transaction() as session:
        return dict(session)


def test_a_stranger_in_wechat_is_identified_and_comes_back_to_the_clean_page(site: Site) -> None:
    client, openid = site.visitor(agent=PHONE, city="310000"), follower(site)
    away = client.get("/s/outlets")
    assert away.status_code == 302
    assert away.location.startswith(f"{site.sandbox.base_url}/connect/oauth2/authorize?appid=")
    back = ask_wechat(away, openid)
    home = client.get(back)
    assert (home.status_code, home.location) == (302, "/s/outlets")
    # Nothing from before the sign-in survives it.
    assert cookie_of(client) == {"openid": openid, "_permanent": True}
    assert client.get("/s/outlets").status_code == 200


def test_a_code_used_twice_leads_on_without_harm(site: Site) -> None:
    client, openid = site.visitor(agent=PHONE), follower(site)
    back = ask_wechat(client.get("/p/1"), openid)
    client.get(back)
    again = client.get(back)
    assert (again.status_code, again.location) == (302, "/p/1")
    assert cookie_of(client)["openid"] == openid


def test_an_answer_nobody_asked_for_identifies_nobody(site: Site) -> None:
    mallory, victim = site.visitor(agent=PHONE), site.visitor(agent=PHONE)
    back = ask_wechat(mallory.get("/s/outlets"), follower(site))
    planted = victim.get(back)
    assert planted.location == "/s/outlets?guest=1"
    assert "openid" not in cookie_of(victim)
    # A browser that keeps no cookies is served, not sent round for ever.
    assert victim.get(planted.location).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["https://evil.example", "//evil.example", "/\\evil", "/oauth/start", "/s/../x", "/s/x?y",
     "", "/s/x\n"],
)  # fmt: skip
def test_a_sign_in_leads_to_our_own_pages_only(site: Site, path: str) -> None:
    client = site.visitor(agent=PHONE)
    sent = client.get("/oauth/start", query_string={"next": path})
    back = parse_qs(urlsplit(sent.location).query)["redirect_uri"][0]
    assert back == "http://localhost/oauth/callback?next=/z/local"
    answered = client.get("/oauth/callback", query_string={"next": path})
    assert answered.location == "/z/local?guest=1"


def test_starting_afresh_forgets_who_it_was(site: Site) -> None:
    client = site.visitor(openid=WHO, city="310000")
    client.get("/oauth/start?next=/s/outlets")
    assert set(cookie_of(client)) == {"states"}


def test_a_browser_keeps_only_its_last_few_states(site: Site) -> None:
    client = site.visitor(agent=PHONE)
    for _ in range(9):
        client.get("/s/outlets")
    states = cookie_of(client)["states"]
    assert isinstance(states, list)
    assert len(states) == 4


def test_when_wechat_refuses_the_code_the_page_is_served_to_a_guest(site: Site) -> None:
    client = site.visitor(agent=PHONE)
    state = parse_qs(urlsplit(client.get("/s/outlets").location).query)["state"][0]
    assert client.get(f"/oauth/callback?next=/s/outlets&state={state}&code=bad").status_code == 302
    assert client.get("/s/outlets").status_code == 200
    with time_machine.travel(clock.now() + visit.GUEST_FOR, tick=False):
        assert client.get("/s/outlets").status_code == 302


@pytest.mark.parametrize("code", ["x" * 513, "%00", "%E4%BD%A0", "a%0D%0Ab"])
def test_no_code_can_make_wechat_look_broken_to_everybody(site: Site, code: str) -> None:
    client = site.visitor(agent=PHONE, states=["mine"])
    client.get(f"/oauth/callback?state=mine&code={code}&next=/s/outlets")
    assert "guest_until" in cookie_of(client)
    assert site.wiring.shelf.get("visit.weary_until") is None


def test_ordinary_browsers_forms_and_wecom_are_not_sent_to_wechat(site: Site) -> None:
    assert site.visitor().get("/s/outlets").status_code == 200
    assert site.visitor(agent=PHONE).get("/s/directory?q=卡").status_code == 200
    assert site.visitor(agent=PHONE + " wxwork/4.1").get("/s/outlets").status_code == 200


def play(site: Site, *rules: dict[str, object]) -> None:
    """Make WeChat misbehave by these rules; by none it works again."""
    url = f"{site.sandbox.base_url}/_control/faults"
    assert requests.put(url, json={"rules": list(rules)}, timeout=5).ok


@pytest.mark.parametrize(
    "fault",
    [{"do": "status", "status": 503}, {"do": "hang", "seconds": 8}, {"do": "garbage"}],
    ids=["refusing", "hanging", "raving"],
)
def test_when_wechat_fails_the_page_is_served_and_nobody_is_sent_there_for_a_while(
    site: Site, fault: dict[str, object]
) -> None:
    client = site.visitor(agent=PHONE)
    back = ask_wechat(client.get("/s/lost-card"), follower(site))
    play(site, {"path": "/sns/oauth2/access_token", **fault})
    began = time.monotonic()
    try:
        home = client.get(back)
    finally:
        play(site)
    assert time.monotonic() - began < 5
    assert home.location == "/s/lost-card"
    assert "openid" not in cookie_of(client)
    assert client.get("/s/lost-card").status_code == 200
    stranger = site.visitor(agent=PHONE)
    assert stranger.get("/s/lost-card").status_code == 200
    with time_machine.travel(clock.now() + visit.WEARY_FOR, tick=False):
        assert stranger.get("/s/lost-card").status_code == 302


def test_a_snapshot_is_nobody(site: Site) -> None:
    client, openid = site.visitor(agent=PHONE), follower(site)
    away = client.get("/s/outlets")
    query = parse_qs(urlsplit(away.location).query)
    with site.sandbox.world.lock:
        world = site.sandbox.world
        code = world.authorisations.code(openid, "snsapi_base", world.now(), snapshot=True)
    back = f"/oauth/callback?next=/s/outlets&state={query['state'][0]}&code={code}"
    assert client.get(back).location == "/s/outlets"
    assert "openid" not in cookie_of(client)
    assert client.get("/s/outlets").status_code == 200


def test_somebody_who_does_not_follow_is_a_guest(site: Site) -> None:
    client = site.visitor(openid="oNEVERfollowed00000000000001")
    assert "总行" in client.get("/z/local").text
    client.post("/visit/city", data={"division": "310000", "next": "/z/local"})
    assert "约惠魔都" in client.get("/z/local").text
    with site.wiring.reading() as unit:
        kept = unit.db.execute(select(func.count()).select_from(Presence)).scalar_one()
        assert (
            kept
            == unit.db.execute(
                select(func.count()).select_from(Presence).where(Presence.openid == WHO)
            ).scalar_one()
        )


def test_a_guest_picks_a_city_and_lets_go_of_it(site: Site) -> None:
    client = site.visitor()
    client.post("/visit/city", data={"division": "320500", "next": "/z/local"})
    page = client.get("/z/local").text
    assert "苏州" in page
    assert "您选择了江苏省苏州市" in page
    client.post("/visit/follow", data={"next": "/z/local"})
    assert "还不知道您在哪里" in client.get("/z/local").text


@pytest.mark.parametrize("code", ["", "310101", "000000", "320000", "x"])
def test_what_is_no_city_is_refused(site: Site, code: str) -> None:
    assert site.visitor().post("/visit/city", data={"division": code}).status_code == 400


def test_a_follower_pins_a_city_and_follows_again(site: Site) -> None:
    client = site.visitor(openid=WHO)
    assert "上海市分行" in client.get("/z/local").text
    client.post("/visit/city", data={"division": "320500"})
    assert "姑苏有礼" in client.get("/z/local").text
    assert "不固定城市" in client.get("/s/my-city").text
    client.post("/visit/follow")
    assert "不固定城市" not in client.get("/s/my-city").text
    tell(client, PEOPLES_SQUARE)
    assert "约惠魔都" in client.get("/z/local").text
    assert "city" not in cookie_of(client)


def tell(client: FlaskClient, place: tuple[float, float], **headers: str) -> TestResponse:
    fix = {"latitude": place[0], "longitude": place[1], "accuracy": 20}
    return client.post("/visit/place", json=fix, headers=headers)


def test_a_position_brings_the_nearest_outlets_and_leaves_only_the_county(site: Site) -> None:
    client = site.visitor()
    answer = tell(client, XUANWU).get_json()
    assert "SYN-320102-01" in answer["outlets"]
    assert "江苏省分行" in answer["line"]
    assert cookie_of(client) == {"city": "320102", "located": True, "_permanent": True}
    assert "您的位置在江苏省南京市玄武区" in client.get("/z/local").text


def test_a_foreign_page_can_change_nothing(site: Site) -> None:
    client = site.visitor()
    for origin in ("https://evil.example", "null", "http://localhost:81"):
        assert tell(client, XUANWU, Origin=origin).status_code == 403
    assert tell(client, XUANWU, Origin="http://localhost").status_code == 200
    assert client.post("/visit/place", data={"latitude": "31"}).status_code == 415


@pytest.mark.parametrize(
    "told", [{}, [], {"latitude": 91, "longitude": 0}, {"latitude": "NaN", "longitude": 0},
             {"latitude": 31, "longitude": 121, "accuracy": -1}],
)  # fmt: skip
def test_a_position_that_is_none_is_refused(site: Site, told: object) -> None:
    assert site.visitor().post("/visit/place", json=told).status_code == 400


@pytest.mark.parametrize("opens", ["[", '{"latitude":'])
def test_a_position_nested_without_end_is_refused(site: Site, opens: str) -> None:
    sent = site.visitor().post("/visit/place", data=opens * 5000, content_type="application/json")
    assert sent.status_code == 400


def test_a_position_never_reaches_the_log(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    tell(site.visitor(openid=WHO), (31.234567, 121.476543))
    said = capsys.readouterr()
    assert "31.234567" not in said.out + said.err
    assert "121.476543" not in said.out + said.err


def test_our_pages_are_signed_and_others_are_not(site: Site) -> None:
    client = site.visitor()
    signed = client.get("/visit/jssdk", query_string={"url": "http://localhost/s/outlets"})
    assert set(signed.get_json()) >= {"appId", "timestamp", "nonceStr", "signature"}
    assert signed.headers["Cache-Control"] == "no-store"
    foreign = client.get("/visit/jssdk", query_string={"url": "https://evil.example/s/outlets"})
    assert foreign.status_code == 400


def test_large_print_is_remembered_and_taken_back(site: Site) -> None:
    client = site.visitor()
    kept = client.post("/visit/care", data={"on": "1", "next": "/s/lost-card"})
    assert kept.location == "/s/lost-card"
    assert 'data-weui-mode="care"' in client.get("/s/lost-card").text
    client.post("/visit/care", data={"on": "0"})
    assert 'data-weui-mode="care"' not in client.get("/s/lost-card").text
