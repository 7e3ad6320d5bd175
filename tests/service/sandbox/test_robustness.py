"""Whatever is sent to the platform, it answers with an answer of WeChat's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from config import Settings
from service.sandbox.platform import ENDPOINTS
from service.sandbox.server import application
from service.sandbox.world import World

TOKEN = {"grant_type": "client_credential", "appid": "wx1", "secret": "s", "force_refresh": False}
BUTTONS = [
    {"type": "view", "name": "a", "url": "https://a.example/"},
    {"name": "b", "sub_button": [{"type": "click", "name": "c", "key": "k"}]},
]
OPENID = "o" + "a" * 27

#: A good body for every path that takes one; each test spoils one place in it.
GOOD: dict[str, Any] = {
    "stable_token": TOKEN,
    "menu/create": {"button": BUTTONS},
    "menu/addconditional": {"button": BUTTONS, "matchrule": {"tag_id": "2"}},
    "menu/delconditional": {"menuid": "1"},
    "menu/trymatch": {"user_id": OPENID},
    "tags/create": {"tag": {"name": "a"}},
    "tags/update": {"tag": {"id": 100, "name": "b"}},
    "tags/delete": {"tag": {"id": 100}},
    "tags/getidlist": {"openid": OPENID},
    "tags/members/batchtagging": {"openid_list": [OPENID], "tagid": 2},
    "tags/members/batchuntagging": {"openid_list": [OPENID], "tagid": 2},
    "tags/members/batchblacklist": {"openid_list": [OPENID]},
    "tags/members/getblacklist": {"begin_openid": ""},
    "user/tag/get": {"tagid": 2, "next_openid": ""},
    "user/info/batchget": {"user_list": [{"openid": OPENID}]},
    "user/info/updateremark": {"openid": OPENID, "remark": "a"},
    "message/custom/send": {"touser": OPENID, "msgtype": "text", "text": {"content": "a"}},
    "message/custom/send?": {
        "touser": OPENID,
        "msgtype": "news",
        "news": {"articles": [{"title": "a"}]},
        "msgmenu": {"list": [{"id": "1", "content": "a"}]},
    },
    "message/custom/typing": {"touser": OPENID, "command": "Typing"},
    "message/template/send": {
        "touser": OPENID,
        "template_id": "t",
        "client_msg_id": "a",
        "data": {"thing1": {"value": "a"}},
    },
    "qrcode/create": {
        "action_name": "QR_STR_SCENE",
        "expire_seconds": 60,
        "action_info": {"scene": {"scene_str": "a"}},
    },
    "openapi/quota/get": {"cgi_path": "/cgi-bin/menu/get"},
    "openapi/rid/get": {"rid": "00000000-00000000-00000000"},
    "clear_quota": {"appid": "wx1"},
    "clear_quota/v2": {"appid": "wx1", "appsecret": "s"},
    "callback/check": {"action": "all", "check_operator": "DEFAULT"},
    "shorten/gen": {"long_data": "a", "expire_seconds": 60},
    "shorten/fetch": {"short_key": "a"},
}

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(body: Any) -> list[tuple[Any, ...]]:
    """The way to every value inside, the whole first."""
    if not isinstance(body, dict | list):
        return [()]
    inner = body.items() if isinstance(body, dict) else enumerate(body)
    return [(), *((key, *rest) for key, value in inner for rest in places(value))]


def spoilt(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy with one value replaced."""
    if not place:
        return value
    copy = body.copy()
    copy[place[0]] = spoilt(body[place[0]], place[1:], value)
    return copy


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """A client in the same process, where an uncaught exception reaches the test."""
    world = World(Settings(), paths=ENDPOINTS)
    world.add_follower(OPENID, subscribed=True)
    world.menus.default = world.menus.publish([], {})
    app = application(world)
    app.testing = True
    return app.test_client()


def fresh(client: FlaskClient) -> str:
    world: World = client.application.extensions["world"]
    grant = world.tokens.stable(world.now(), seconds=7200)
    return grant.token


@pytest.mark.parametrize("path", GOOD)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_one_bad_value_never_breaks_an_answer(
    client: FlaskClient, path: str, data: st.DataObject
) -> None:
    place = data.draw(st.sampled_from(places(GOOD[path])))
    body = spoilt(GOOD[path], place, data.draw(junk))
    sent = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    answer = client.post(f"/cgi-bin/{path.rstrip('?')}?access_token={fresh(client)}", data=sent)
    assert answer.status_code == 200
    assert isinstance(json.loads(answer.data), dict)


@settings(max_examples=100, deadline=None)
@given(path=st.sampled_from(sorted(ENDPOINTS)), name=st.text(max_size=10), value=st.text())
def test_any_query_is_answered_in_good_form(
    client: FlaskClient, path: str, name: str, value: str
) -> None:
    args = {"access_token": fresh(client), "openid": value, "next_openid": value, name: value}
    assert isinstance(json.loads(client.get(path, query_string=args).data), dict)


@settings(max_examples=200, deadline=None)
@given(sent=st.binary(max_size=200))
def test_any_bytes_are_refused_in_good_form(client: FlaskClient, sent: bytes) -> None:
    url = f"/cgi-bin/menu/create?access_token={fresh(client)}"
    answer = json.loads(client.post(url, data=sent).data)
    assert answer["errcode"] != 0
    assert " rid: " in answer["errmsg"]
