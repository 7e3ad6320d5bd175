"""Asking WeChat what the account has at this moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from menus.live import Live, LiveTag, read_live
from service.wechat.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the account: WeChat's answers as they came, and what they say."""

    #: What ``menu/get`` and ``get_current_selfmenu_info`` answered.
    menus: Mapping[str, Any]
    current: Mapping[str, Any]
    live: Live


def look_at(gateway: Gateway) -> Look:
    """What the account has at this moment."""
    menus, current = gateway.menus(), gateway.current_menu()
    tags = [LiveTag(tag.id, tag.name, tag.count) for tag in gateway.tags()]
    return Look(menus, current, read_live(menus, tags, current))
