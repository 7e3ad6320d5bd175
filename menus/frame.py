"""Head office's menu: two columns for everybody, and a third that is the follower's zone's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from menus.buttons import Button, Menu

#: A button with a key is answered in the chat; what it answers is decided when it is tapped.
KEY: Final = "svc:"
#: A button with a path opens a page.
PAGE: Final = "/s/"


@dataclass(frozen=True, slots=True)
class Item:
    """One button: a name, and ``svc:<service>`` for an answer in the chat or a path for a page."""

    name: str
    target: str


#: What every follower sees, wherever they are. Each column answers its most urgent question in the
#: chat, which also opens WeChat's window for a reply by the bank's people.
FIXED: Final[tuple[tuple[str, tuple[Item, ...]], ...]] = (
    (
        "服务",
        (
            Item("银行卡挂失", "svc:lost-card"),
            Item("密码重置", "/s/password-reset"),
            Item("手机银行", "/s/mobile-bank"),
            Item("搬家换城", "/s/moving-house"),
            Item("防骗提醒", "/s/scam-warning"),
        ),
    ),
    (
        "查询",
        (
            Item("网点查询", "svc:outlets"),
            Item("外汇牌价", "/s/exchange-rates"),
            Item("存款利率", "/s/deposit-rates"),
            Item("存款计算", "/s/deposit-calculator"),
            Item("贷款计算", "/s/loan-calculator"),
        ),
    ),
)

#: The third column where no zone has its own; its first page finds the follower's zone by itself.
UNPLACED: Final = "身边优惠"
LOCAL_ZONE: Final = "/z/local"


def zone_items(home: str) -> tuple[Item, ...]:
    """The third column's buttons, for the zone whose first page is at this path."""
    return (
        Item("本地优惠", "svc:promotions"),
        Item("专区首页", home),
        Item("附近网点", "/s/outlets"),
        Item("切换城市", "/s/my-city"),
        Item("全部服务", "/s/directory"),
    )


def menu(base_url: str, *, title: str = UNPLACED, home: str = LOCAL_ZONE) -> Menu:
    """The whole menu with this third column; without one, head office's default menu."""
    columns = (*FIXED, (title, zone_items(home)))
    return tuple(
        Button(name, buttons=tuple(_button(item, base_url) for item in items))
        for name, items in columns
    )


def unknown_services(known: Collection[str]) -> list[str]:
    """The services the frame points at that the catalogue does not have; there should be none."""
    return sorted(set(_services()) - set(known))


def _button(item: Item, base_url: str) -> Button:
    if item.target.startswith(KEY):
        return Button(item.name, type="click", key=item.target)
    return Button(item.name, type="view", url=base_url + item.target)


def _services() -> Iterator[str]:
    for _name, items in (*FIXED, (UNPLACED, zone_items(LOCAL_ZONE))):
        for item in items:
            for start in (KEY, PAGE):
                if item.target.startswith(start):
                    yield item.target.removeprefix(start)
