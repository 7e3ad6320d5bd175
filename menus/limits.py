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

from config import Settings
from lightservices import links as pages
from menus.buttons import TARGET_FIELD, Button, Menu, leaves

MOST_COLUMNS: Final = 3
MOST_BUTTONS: Final = 5
NAME_BYTES: Final = {"column": 16, "button": 60}
#: How many Chinese characters clients show before they cut a name off; a Latin letter is half one.
SHOWN: Final = {"column": 4, "button": 8}
KEY_BYTES: Final = 128
URL_BYTES: Final = 1024
_LENGTHS: Final = {
    **dict.fromkeys(("key", "media_id", "article_id"), KEY_BYTES),
    **dict.fromkeys(("url", "pagepath"), URL_BYTES),
}
#: How many hosts all conditional menus of an account may link to together (65316).
MOST_DOMAINS: Final = 3

#: What each type of button needs beside its name.
NEEDS: Final[dict[str, tuple[str, ...]]] = {
    kind: (field, "appid", "pagepath") if kind == "miniprogram" else (field,)
    for kind, field in TARGET_FIELD.items()
}
#: What stands in WeChat's console only, and what to put in its place.
_BY_HAND: Final = {
    "text": "改为轻服务（svc:…），由对话回答",
    "img": "把图片存为永久素材，改用 media_id",
    "photo": "把图片存为永久素材，改用 media_id",
    "voice": "把语音存为永久素材，改用 media_id",
    "video": "把视频存为永久素材，改用 media_id",
    "news": "发布这篇图文，改用 article_id",
}


@dataclass(frozen=True, slots=True)
class Links:
    """Where menus may lead: our own pages, these hosts (none: any), these mini programs."""

    base_url: str
    hosts: frozenset[str] = frozenset()
    mini_programs: frozenset[str] = frozenset()

    def owns(self, url: str) -> bool:
        return url == self.base_url or url.startswith((f"{self.base_url}/", f"{self.base_url}?"))


def links(settings: Settings) -> Links:
    """Where the menus of this account may lead."""
    return Links(
        settings.public_base_url,
        frozenset(_listed(settings.link_hosts.lower())),
        frozenset(_listed(settings.linked_mini_programs)),
    )


@dataclass(frozen=True, slots=True)
class Measure:
    """A name against its limit: bytes used and allowed, and what a phone shows of it."""

    size: int
    most: int
    shown: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, in the editor's words."""

    where: str
    rule: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.where}：{self.rule}；{self.way_out}"


def faults(menu: Menu, links: Links | None = None) -> list[Fault]:
    """Everything for which WeChat would refuse this menu; empty when it may be sent.

    With ``links`` also what leads where this account's menus may not.
    """
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
            found += _column_faults(column, where, links)
        else:
            found += _action_faults(column, where, links)
    return found


def button_faults(button: Button, *, level: str, where: str, links: Links) -> list[Fault]:
    """The same for one button that opens no others; ``level`` is ``column`` or ``button``."""
    return [*_name_faults(button, level, where), *_action_faults(button, where, links)]


def title_faults(title: str, *, where: str) -> list[Fault]:
    """The same for the title of a column."""
    return list(_name_faults(Button(title), "column", where))


def warnings(menu: Menu) -> list[Fault]:
    """Names that WeChat takes but followers would not see whole."""
    found: list[Fault] = []
    for place, column in enumerate(menu, 1):
        found += _cut_off(column, "column", _called(f"第 {place} 列", column))
        for row, button in enumerate(column.buttons, 1):
            found += _cut_off(button, "button", _called(f"第 {place} 列第 {row} 项", button))
    return found


def measure(name: str, *, level: str) -> Measure:
    """How long a name is, and what phones show of it; ``level`` is ``column`` or ``button``."""
    shown, room = "", float(SHOWN[level])
    for sign in name:
        room -= _width(sign)
        if room < 0:
            shown += "…"
            break
        shown += sign
    return Measure(len(name.encode()), NAME_BYTES[level], shown)


def domains(menus: Iterable[Menu]) -> frozenset[str]:
    """The hosts these menus link to."""
    links = {button.url for menu in menus for button in leaves(menu) if button.url}
    return frozenset(map(host, links))


def domain_faults(menus: Iterable[Menu]) -> list[Fault]:
    """Whether all conditional menus together link to more hosts than WeChat allows."""
    used = sorted(domains(menus))
    if len(used) <= MOST_DOMAINS:
        return []
    rule = (
        f"全部个性化菜单最多链接 {MOST_DOMAINS} 个域名，现在有 {len(used)} 个（{'、'.join(used)}）"
    )
    return [Fault("全部个性化菜单", rule, "把外部链接改为经本行自己的域名跳转")]


def _column_faults(column: Button, where: str, links: Links | None) -> Iterator[Fault]:
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
            yield from _action_faults(button, inner, links)


def _name_faults(button: Button, level: str, where: str) -> Iterator[Fault]:
    limit, size = NAME_BYTES[level], len(button.name.encode())
    if not button.name.strip():
        yield Fault(where, "名称是空的", "填写名称")
    if size > limit:
        rule = f"名称最多 {limit} 字节（{limit // 3} 个汉字），现在是 {size} 字节"
        yield Fault(where, rule, "缩短名称")


def _action_faults(button: Button, where: str, links: Links | None) -> Iterator[Fault]:
    if button.type not in NEEDS:
        rule = f"不认识的动作 {button.type}" if button.type else "没有动作，也没有子菜单"
        if button.type in _BY_HAND:
            rule = f"{button.type} 动作只能在公众平台里手工设置"
        way_out = _BY_HAND.get(button.type, "选择动作，例如 click（对话里回答）或 view（打开页面）")
        yield Fault(where, rule, way_out)
        return
    for name in NEEDS[button.type]:
        if not getattr(button, name):
            yield Fault(where, f"{button.type} 动作缺少 {name}", f"填写 {name}")
    for name, limit in _LENGTHS.items():
        size = len(getattr(button, name).encode())
        if size > limit:
            yield Fault(where, f"{name} 最多 {limit} 字节，现在是 {size} 字节", f"缩短 {name}")
    if button.url and (fault := _link_fault(button.url, links)):
        yield Fault(where, *fault)
    if links is not None and button.appid and button.appid not in links.mini_programs:
        rule = f"小程序 {button.appid} 没有与本服务号关联（微信会以 45064 拒绝）"
        way_out = "先在公众平台“小程序管理”里关联，再写入设置 LINKED_MINI_PROGRAMS；或改为打开网页"
        yield Fault(where, rule, way_out)


def _link_fault(url: str, links: Links | None) -> tuple[str, str] | None:
    """The rule an address breaks, and the way out."""
    if not _is_link(url):
        return "网址写法有误", "填写以 https:// 开头的完整网址"
    if links is None or links.owns(url):
        return None
    if fault := pages.fault_of(url):
        return fault, "填写以 https:// 开头、使用域名的完整网址"
    if links.hosts and host(url) not in links.hosts:
        allowed = "、".join(sorted(links.hosts))
        rule = f"域名 {host(url)} 不在允许的名单里（{allowed}）"
        return rule, "改用名单里的域名，或请管理员把它写入设置 LINK_HOSTS"
    return None


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


def _is_link(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def host(url: str) -> str:
    """The host an address leads to, in small letters; of what is no address, all of it."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _listed(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]
