"""The account's menus: the default, the conditional ones, and which of them a follower sees.

Newest conditional menu first, first match wins, nothing matches means the default. A follower's
tag is the one applied last. Replacing the default keeps the conditional menus; deleting it deletes
them all.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from service.sandbox import buttons
from service.sandbox.calls import OK, Call, Json, Refused, whole

if TYPE_CHECKING:
    from service.sandbox.world import World

#: Fields that stopped being accepted when WeChat withdrew personal data.
_RETIRED: Final = ("sex", "country", "province", "city", "language")
_PLATFORMS: Final = ("1", "2", "3")


@dataclass(frozen=True, slots=True)
class Menu:
    """One published menu; ``rule`` is empty for the default."""

    menu_id: int
    buttons: list[Json]
    rule: Mapping[str, str]

    def suits(self, *, tag: int | None, platform: str) -> bool:
        """Whether a follower with this latest tag, on this kind of phone, gets this menu."""
        if "tag_id" in self.rule and self.rule["tag_id"] != str(tag):
            return False
        return self.rule.get("client_platform_type", platform) == platform


class Menus:
    """What is published now, newest conditional menu first."""

    def __init__(self) -> None:
        self.default: Menu | None = None
        self.conditional: list[Menu] = []
        #: A menu made by hand in the console, which only one call can see.
        self.by_hand: list[Json] | None = None
        self._last_id = 400_000_000 + secrets.randbelow(90_000_000)

    def publish(self, shown: list[Json], rule: Mapping[str, str]) -> Menu:
        """A new menu with the next number."""
        self._last_id += 1 + secrets.randbelow(3)
        return Menu(self._last_id, shown, rule)

    def of(self, *, tag: int | None, platform: str) -> Menu | None:
        """The menu such a follower sees."""
        for menu in self.conditional:
            if menu.suits(tag=tag, platform=platform):
                return menu
        return self.default

    def hosts(self) -> set[str]:
        """Every host that conditional menus lead to."""
        return set().union(*(buttons.hosts(menu.buttons) for menu in self.conditional))


def create(world: World, call: Call) -> Json:
    """``POST /cgi-bin/menu/create``; a ``matchrule`` sent along is ignored, as WeChat does."""
    shown = buttons.checked(call.body.get("button"), linked=world.limits.mini_programs)
    world.menus.default = world.menus.publish(shown, {})
    world.menus.by_hand = None
    return OK


def get(world: World, call: Call) -> Json:
    """``GET /cgi-bin/menu/get``; numbers appear once there are conditional menus."""
    default, conditional = world.menus.default, world.menus.conditional
    if default is None:
        raise Refused(46003)
    answer: Json = {"menu": {"button": default.buttons}}
    if conditional:
        answer["menu"]["menuid"] = default.menu_id
        answer["conditionalmenu"] = [
            {"button": menu.buttons, "matchrule": _rule_shown(menu.rule), "menuid": menu.menu_id}
            for menu in conditional
        ]
    return answer


def delete(world: World, call: Call) -> Json:
    """``GET /cgi-bin/menu/delete``, which takes the conditional menus with it."""
    world.menus.default = None
    world.menus.conditional.clear()
    world.menus.by_hand = None
    return OK


def current(world: World, call: Call) -> Json:
    """``GET /cgi-bin/get_current_selfmenu_info``."""
    if world.menus.by_hand is not None:
        return {"is_menu_open": 1, "selfmenu_info": {"button": world.menus.by_hand}}
    default = world.menus.default
    if default is None:
        return {"is_menu_open": 0, "selfmenu_info": {"button": []}}
    return {"is_menu_open": 1, "selfmenu_info": {"button": buttons.bare(default.buttons)}}


def add_conditional(world: World, call: Call) -> Json:
    """``POST /cgi-bin/menu/addconditional``; the number comes back as text."""
    if world.menus.default is None:
        raise Refused(65303)
    rule = _rule(world, call.body.get("matchrule"))
    if not call.body.get("button"):
        raise Refused(65307)
    shown = buttons.checked(call.body.get("button"), linked=world.limits.mini_programs)
    if len(world.menus.hosts() | buttons.hosts(shown)) > world.limits.conditional_domains:
        raise Refused(65316)
    if len(world.menus.conditional) >= world.limits.conditional_menus:
        raise Refused(65305)
    menu = world.menus.publish(shown, rule)
    world.menus.conditional.insert(0, menu)
    return {"menuid": str(menu.menu_id)}


def delete_conditional(world: World, call: Call) -> Json:
    """``POST /cgi-bin/menu/delconditional``."""
    wanted = whole(call.body.get("menuid"))
    for place, menu in enumerate(world.menus.conditional):
        if menu.menu_id == wanted:
            del world.menus.conditional[place]
            return OK
    raise Refused(65301)


def try_match(world: World, call: Call) -> Json:
    """``POST /cgi-bin/menu/trymatch``, by openid or by the follower's WeChat name."""
    wanted = call.word("user_id")
    follower = world.followers.get(wanted) or world.follower_called(wanted)
    if follower is None:
        raise Refused(65302)
    if not follower.subscribed:
        raise Refused(65315)
    menu = world.menu_of(follower)
    if menu is None:
        raise Refused(46003)
    return {"button": menu.buttons}


def _rule(world: World, sent: Any) -> dict[str, str]:
    """The rule as WeChat keeps it; ``group_id`` is the older name of ``tag_id``."""
    fields = sent if isinstance(sent, dict) else {}
    if any(fields.get(name) for name in _RETIRED):
        raise Refused(65320)
    rule: dict[str, str] = {}
    tag = fields.get("tag_id") or fields.get("group_id")
    if tag:
        number = whole(tag)
        # Whether WeChat checks this is not documented; a menu nobody can ever see helps nobody.
        if number is None or number not in world.tags.all:
            raise Refused(45159)
        rule["tag_id"] = str(number)
    platform = str(fields.get("client_platform_type") or "")
    if platform:
        if platform not in _PLATFORMS:
            raise Refused(40035)
        rule["client_platform_type"] = platform
    if not rule:
        raise Refused(65304)
    return rule


def _rule_shown(rule: Mapping[str, str]) -> dict[str, str]:
    """WeChat takes ``tag_id`` and gives it back as ``group_id``."""
    return {"group_id" if name == "tag_id" else name: value for name, value in rule.items()}
