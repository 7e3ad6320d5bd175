"""Taking over a menu somebody made by hand in WeChat's console, so that nothing of it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from menus import book, frame, snapshots, variants
from menus.buttons import Button, Menu
from menus.frame import FrameRefused
from menus.looking import Look, look_at
from menus.slots import Frame
from service.delivery.ledger import Desk
from service.wechat.errors import WillNever
from service.wiring import Unit


@dataclass(frozen=True, slots=True)
class Handmade:
    """The menu followers see now, as it was found and as head office's frame."""

    look: Look
    menu: Menu
    frame: Frame


def found(desk: Desk) -> Handmade:
    """The menu that followers see now.

    Raises:
        WillNever: when there is none.
    """
    look = look_at(desk.gateway)
    menu = look.live.by_hand or look.live.default
    if menu is None:
        raise WillNever("账号上没有菜单可以导入")
    return Handmade(look, menu, frame.from_menu(menu))


def described(one: Handmade) -> Iterator[str]:
    """What would be taken over, column by column."""
    for number, column in enumerate(one.menu, 1):
        inner = "、".join(map(_said, column.buttons)) or _said(column)
        yield f"第 {number} 列“{column.name}”：{inner}"


def consequences(unit: Unit) -> Iterator[str]:
    """What branches lose by it: a menu made by hand leaves no position to them."""
    if shown := len(set(variants.in_reach(unit).values())):
        yield (
            f"请留意：收进后全部位置由总行固定，现在的 {shown} 种分行菜单都会撤下，"
            "专区名称和各分行填写的项目不再显示"
        )


def take_over(unit: Unit, one: Handmade) -> None:
    """Make it head office's frame; what was there is kept in a snapshot first.

    Raises:
        WillNever: when the menu breaks a rule; each fault is named and nothing is changed.
    """
    snapshots.keep(unit, one.look, reach=variants.in_reach(unit))
    try:
        frame.publish(unit, one.frame)
    except FrameRefused as refused:
        raise WillNever(f"这份菜单不能原样导入：{refused}") from None
    book.take_over(unit, one.look.live)


def _said(button: Button) -> str:
    target = button.key or button.pagepath or button.url or button.article_id or button.media_id
    return f"{button.name}（{button.type} {target}）" if button.type else button.name
