"""What every branch's menu should be now, and the zones whose menus WeChat would not take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lightservices import catalogue, zones
from menus import frame, limits
from menus.limits import Fault
from menus.resolve import Resolved, resolve
from regions import branches
from service.wechat.errors import WillNever
from service.wiring import Unit


@dataclass(frozen=True, slots=True)
class Wish:
    """Every branch's menu as it should be, and the zones whose menus WeChat would not take."""

    resolved: Resolved
    refused: Mapping[str, tuple[Fault, ...]]


def wish(unit: Unit) -> Wish:
    """Every branch's menu as it should be now.

    A zone whose menu breaks a limit of WeChat's does not hold up all others: its branch shows the
    menu of the branch above, and the faults say what to change.

    Raises:
        WillNever: when head office's own menu cannot be published.
    """
    base_url = unit.settings.public_base_url
    if unknown := frame.unknown_services(catalogue.services()):
        raise WillNever(f"总行菜单指向不存在的服务：{'、'.join(unknown)}")
    if found := limits.faults(frame.menu(base_url)):
        raise WillNever(f"总行菜单不能发布。{'；'.join(map(str, found))}")
    fit, refused = {}, {}
    for code, zone in zones.zones_by_branch(unit).items():
        found = limits.faults(frame.menu(base_url, title=zone.title, home=f"/z/{zone.key}"))
        if found:
            refused[str(code)] = tuple(found)
        else:
            fit[str(code)] = zone
    return Wish(resolve(branches.directory(unit).all, fit, base_url=base_url), refused)
