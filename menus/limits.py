"""WeChat's limits on the shape of menus: what it would refuse, and what followers would not see.

Limits are those of the platform's menu pages, counted in UTF-8 bytes where the platform counts
bytes. Console and publication ask here, so nothing is sent that WeChat is known to refuse.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from menus.buttons import Button, Menu

MOST_COLUMNS: Final = 3
MOST_BUTTONS: Final = 5
NAME_BYTES: Final = {"column": 16, "button": 60}
#: How many Chinese characters clients show before they cut a name off; a Latin letter is half one.
SHOWN: Final = {"column": 4, "button": 8}
KEY_BYTES: Final = 128
URL_BYTES: Final = 1024
#: How many hosts all conditional menus of an account may link to together (65316).
MOST_DOMAINS: Final = 3

_BY_KEY: Final = (
    *("click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album"),
    *("pic_weixin", "location_select"),
)
#: What each type of button needs beside its name.
NEEDS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(_BY_KEY, ("key",)),
    "view": ("url",),
    "miniprogram": ("url", "appid", "pagepath"),
    "media_id": ("media_id",),
    "view_limited": ("media_id",),
    "article_id": ("article_id",),
    "article_view_limited": ("article_id",),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, in the editor's words."""

    where: str
    rule: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.where}：{self.rule}；{self.way_out}"


def faults(menu: Menu) -> list[Fault]:
    """Everything for which WeChat would refuse this menu; empty when it may be sent."""
    found: list[Fault] = []
    if not 1 <= len(menu) <= MOST_COLUMNS:
        found.append(
            Fault(
                "菜单", f"一级菜单须有 1–{MOST_COLUMNS} 个，现在是 {len(menu)} 个", "增减一级菜单"
            )
        )
    for place, column in enumerate(menu, 1):
        where = _called(f"第 {place} 列", column)
        found += _name_faults(column, "column", where)
        if column.buttons:
            found += _column_faults(column, where)
        else:
            found += _action_faults(column, where)
    return found


def warnings(menu: Menu) -> list[Fault]:
    """Names that WeChat takes but followers would not see whole."""
    found: list[Fault] = []
    for place, column in enumerate(menu, 1):
        found += _cut_off(column, "column", _called(f"第 {place} 列", column))
        for row, button in enumerate(column.buttons, 1):
            found += _cut_off(button, "button", _called(f"第 {place} 列第 {row} 项", button))
    return found


def domains(menus: Iterable[Menu]) -> frozenset[str]:
    """The hosts these menus link to."""
    links = (button.url for menu in menus for button in _all(menu) if button.url)
    return frozenset(_host(url) for url in links)


def domain_faults(menus: Iterable[Menu]) -> list[Fault]:
    """Whether all conditional menus together link to more hosts than WeChat allows."""
    used = sorted(domains(menus))
    if len(used) <= MOST_DOMAINS:
        return []
    rule = (
        f"全部个性化菜单最多链接 {MOST_DOMAINS} 个域名，现在有 {len(used)} 个（{'、'.join(used)}）"
    )
    return [Fault("全部个性化菜单", rule, "把外部链接改为经本行自己的域名跳转")]


def _column_faults(column: Button, where: str) -> Iterator[Fault]:
    if column.type:
        yield Fault(where, "有子菜单的一级菜单不能再有动作", "去掉动作，或去掉子菜单")
    if len(column.buttons) > MOST_BUTTONS:
        rule = f"子菜单最多 {MOST_BUTTONS} 个，现在是 {len(column.buttons)} 个"
        yield Fault(where, rule, "删去几个，或移到别的列")
    for row, button in enumerate(column.buttons, 1):
        inner = _called(f"{where}第 {row} 项", button)
        yield from _name_faults(button, "button", inner)
        if button.buttons:
            yield Fault(inner, "菜单只有两级", "把下一级的项目移上来")
        else:
            yield from _action_faults(button, inner)


def _name_faults(button: Button, level: str, where: str) -> Iterator[Fault]:
    limit, size = NAME_BYTES[level], len(button.name.encode())
    if not button.name.strip():
        yield Fault(where, "名称是空的", "填写名称")
    if size > limit:
        rule = f"名称最多 {limit} 字节（{limit // 3} 个汉字），现在是 {size} 字节"
        yield Fault(where, rule, "缩短名称")


def _action_faults(button: Button, where: str) -> Iterator[Fault]:
    if button.type not in NEEDS:
        rule = f"不认识的动作 {button.type}" if button.type else "没有动作，也没有子菜单"
        yield Fault(where, rule, "选择动作，例如 click（对话里回答）或 view（打开页面）")
        return
    for name in NEEDS[button.type]:
        if not getattr(button, name):
            yield Fault(where, f"{button.type} 动作缺少 {name}", f"填写 {name}")
    for name, limit in (("key", KEY_BYTES), ("url", URL_BYTES)):
        size = len(getattr(button, name).encode())
        if size > limit:
            yield Fault(where, f"{name} 最多 {limit} 字节，现在是 {size} 字节", f"缩短 {name}")
    if button.url and not _is_link(button.url):
        yield Fault(where, "网址写法有误", "填写以 https:// 开头的完整网址")


def _cut_off(button: Button, level: str, where: str) -> Iterator[Fault]:
    shown, width = SHOWN[level], _width(button.name)
    if width > shown:
        rule = f"手机上只显示前 {shown} 个汉字，后面的会变成“…”"
        yield Fault(where, rule, f"把名称改到 {shown} 个汉字以内")


def _width(name: str) -> float:
    wide = sum(unicodedata.east_asian_width(sign) in "WFA" for sign in name)
    return wide + (len(name) - wide) / 2


def _called(where: str, button: Button) -> str:
    return f"{where}“{button.name}”" if button.name else where


def _all(menu: Menu) -> Iterator[Button]:
    for button in menu:
        yield button
        yield from _all(button.buttons)


def _is_link(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url
