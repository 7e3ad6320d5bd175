"""Walks through menus and tags with WeRoBot as it is; prints what came back as JSON."""

from __future__ import annotations

import json
import os
from typing import Any

from werobot.client import (  # type: ignore[import-untyped]  # WeRoBot has no annotations.
    Client,
    ClientException,
)

GIVEN = json.loads(os.environ["SANDBOX"])


class Elsewhere(Client):  # type: ignore[misc]  # WeRoBot has no annotations.
    """The only thing changed: where WeChat's host is."""

    def request(self, method: str, url: str, **options: Any) -> Any:
        moved = url.replace("https://api.weixin.qq.com", GIVEN["host"], 1)
        return super().request(method, moved, **options)


client = Elsewhere({"APP_ID": GIVEN["appid"], "APP_SECRET": GIVEN["secret"]})


def code(act: Any, *given: Any) -> int:
    """The code an action is refused with; 0 when it is not."""
    try:
        act(*given)
    except ClientException as refused:
        return int(str(refused).split(":")[0])
    return 0


def buttons(name: str) -> list[dict[str, str]]:
    return [{"type": "view", "name": name, "url": "https://bank.example/z/local"}]


def sees(openid: str) -> str:
    return str(client.match_custom_menu(openid)["button"][0]["name"])


found: dict[str, Any] = {"token": bool(client.token)}
tags = [client.create_tag(name)["tag"]["id"] for name in GIVEN["tags"]]
for tag, openid in zip(tags, GIVEN["openids"], strict=False):
    client.tag_users(tag, [openid])
found["carried"] = [client.get_tags_by_user(one)["tagid_list"] for one in GIVEN["openids"]]
found["counts"] = [tag["count"] for tag in client.get_tags()["tags"] if tag["id"] in tags]
found["before_default"] = code(client.create_custom_menu, buttons("早"), {"tag_id": tags[0]})
client.create_menu({"button": buttons("总行")})
ids = [
    client.create_custom_menu(buttons(name), {"tag_id": str(tag)})["menuid"]
    for name, tag in zip(GIVEN["tags"], tags, strict=True)
]
found["sees"] = [sees(openid) for openid in GIVEN["openids"]]
menus = client.get_menu()["conditionalmenu"]
found["newest_first"] = [str(menu["menuid"]) for menu in menus] == ids[::-1]
found["groups"] = [menu["matchrule"]["group_id"] for menu in menus] == [str(t) for t in tags][::-1]
rule = {"tag_id": tags[0], "sex": "2"}
found["private"] = code(client.create_custom_menu, buttons("女"), rule)
found["empty"] = code(client.create_custom_menu, buttons("空"), {})
found["duplicate"] = code(client.create_tag, GIVEN["tags"][0])
for number in range(100 - len(tags)):
    client.create_tag(f"标签{number}")
found["too_many_tags"] = code(client.create_tag, "多一个")
found["spoilt_batch"] = code(client.tag_users, tags[0], [GIVEN["openids"][0], "o" + "x" * 27])
client.delete_custom_menu(ids[0])
found["without_first"] = sees(GIVEN["openids"][0])
client.delete_menu()
found["all_gone"] = code(client.get_menu) == 46003
print(json.dumps(found, ensure_ascii=False))
