"""Walks through menus and tags with wechatpy as it is; prints what came back as JSON."""

from __future__ import annotations

import json
import os
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

GIVEN = json.loads(os.environ["SANDBOX"])


class Elsewhere(HTTPAdapter):
    """The only thing changed: where WeChat's host is."""

    def send(
        self, request: requests.PreparedRequest, *given: Any, **options: Any
    ) -> requests.Response:
        asked = request.url or ""
        request.url = asked.replace("https://api.weixin.qq.com", GIVEN["host"], 1)
        return super().send(request, *given, **options)


client = WeChatClient(GIVEN["appid"], GIVEN["secret"])
client._http.mount("https://api.weixin.qq.com", Elsewhere())


def code(act: Any, *given: Any) -> int:
    """The code an action is refused with; 0 when it is not."""
    try:
        act(*given)
    except WeChatClientException as refused:
        return int(refused.errcode)
    return 0


def buttons(name: str) -> list[dict[str, str]]:
    return [{"type": "view", "name": name, "url": "https://bank.example/z/local"}]


def conditional(name: str, **rule: Any) -> dict[str, Any]:
    return {"button": buttons(name), "matchrule": rule}


def sees(openid: str) -> str:
    return str(client.menu.try_match(openid)["button"][0]["name"])


found: dict[str, Any] = {"token": bool(client.access_token)}
tags = [client.tag.create(name)["id"] for name in GIVEN["tags"]]
for tag, openid in zip(tags, GIVEN["openids"], strict=False):
    client.tag.tag_user(tag, [openid])
found["carried"] = [client.tag.get_user_tag(openid) for openid in GIVEN["openids"]]
found["counts"] = [tag["count"] for tag in client.tag.get() if tag["id"] in tags]
found["before_default"] = code(client.menu.add_conditional, conditional("早", tag_id=tags[0]))
client.menu.create({"button": buttons("总行")})
ids = [
    client.menu.add_conditional(conditional(name, tag_id=str(tag)))["menuid"]
    for name, tag in zip(GIVEN["tags"], tags, strict=True)
]
found["sees"] = [sees(openid) for openid in GIVEN["openids"]]
menus = client.menu.get()["conditionalmenu"]
found["newest_first"] = [str(menu["menuid"]) for menu in menus] == ids[::-1]
found["groups"] = [menu["matchrule"]["group_id"] for menu in menus] == [str(t) for t in tags][::-1]
found["private"] = code(client.menu.add_conditional, conditional("女", tag_id=tags[0], sex="2"))
found["empty"] = code(client.menu.add_conditional, conditional("空"))
found["duplicate"] = code(client.tag.create, GIVEN["tags"][0])
for number in range(100 - len(tags)):
    client.tag.create(f"标签{number}")
found["too_many_tags"] = code(client.tag.create, "多一个")
found["spoilt_batch"] = code(client.tag.tag_user, tags[0], [GIVEN["openids"][0], "o" + "x" * 27])
client.menu.del_conditional(ids[0])
found["without_first"] = sees(GIVEN["openids"][0])
client.menu.delete()
found["all_gone"] = client.menu.get() is None
print(json.dumps(found, ensure_ascii=False))
