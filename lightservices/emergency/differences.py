"""What another version changes, in the words of whoever decides on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from lightservices import catalogue
from lightservices.emergency.content import SEVERITIES, Content, Order
from regions import divisions
from regions.areas import Area, Shape
from service.approvals.kinds import Difference

#: What is one text, in the order in which people read it.
_TEXTS: Final[Sequence[tuple[str, Callable[[Content], str]]]] = (
    ("名称", lambda one: one.title),
    ("级别", lambda one: SEVERITIES[one.severity]),
    ("大标题", lambda one: one.headline),
    ("正文", lambda one: one.body),
    ("菜单名", lambda one: one.entry),
    ("开启消息", lambda one: one.opened),
    ("结束消息", lambda one: one.ended),
)


def between(before: Content, after: Content) -> tuple[Difference, ...]:
    """Everything that differs but the length, which is of the version and not of the content."""
    return tuple(_between(before, after))


def places(area: Area | None) -> tuple[str, ...]:
    """An area part by part, as people read it."""
    if area is None:
        return ()
    parts = [*_parts(area.inside), *(f"除外：{one}" for one in _parts(area.outside))]
    return tuple(parts)


def titled(key: str) -> str:
    """A service as people know it."""
    service = catalogue.service(key)
    return f"{service.title}（{key}）" if service is not None else key


def ordered(order: Order) -> str:
    """Which outlets do what, and why."""
    whom = [divisions.table().label(code) or code for code in order.divisions]
    whom += [f"网点 {number}" for number in order.outlets]
    told = "区域内全部网点" if order.all else "、".join(whom)
    return f"{told}：{f'营业时间改为 {order.hours}' if order.hours else '停业'}（{order.why}）"


def _between(before: Content, after: Content) -> Iterator[Difference]:
    for where, of in _TEXTS:
        if of(before) != of(after):
            yield Difference(where, of(before), of(after))
    for where, lines in _LISTS:
        yield from _listed(where, lines(before), lines(after))


def _listed(
    where: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[Difference]:
    """What went, what came, what is said otherwise; then whether they come in another order."""
    for key in dict.fromkeys((*before, *after)):
        was, will = before.get(key, ""), after.get(key, "")
        if was != will:
            yield Difference(where, was, will)
    first, then = [one for one in before if one in after], [one for one in after if one in before]
    if first != then:
        yield Difference(f"{where}的先后", _in_order(first, after), _in_order(then, after))


def _in_order(keys: Iterable[str], told: Mapping[str, str]) -> str:
    return "\n".join(told[key] for key in keys)


def _areas(content: Content) -> dict[str, str]:
    return {one: one for one in places(content.area)}


def _functions(content: Content) -> dict[str, str]:
    return {one.key: f"{titled(one.key)}：{one.why}" for one in content.functions}


def _hotlines(content: Content) -> dict[str, str]:
    return {
        one.name: f"{one.name} {one.number or '（本行热线）'}：{one.why}"
        for one in content.hotlines
    }


def _hidden(content: Content) -> dict[str, str]:
    return {key: titled(key) for key in sorted(content.hide)}


def _orders(content: Content) -> dict[str, str]:
    return {told: told for told in map(ordered, content.orders)}


#: What is a list: each thing in words, under what makes it the same thing in another version.
_LISTS: Final[Sequence[tuple[str, Callable[[Content], dict[str, str]]]]] = (
    ("区域", _areas),
    ("可用的功能", _functions),
    ("电话", _hotlines),
    ("暂停的服务", _hidden),
    ("网点安排", _orders),
)


def _parts(shape: Shape) -> Iterator[str]:
    table = divisions.table()
    for code in sorted(shape.divisions):
        yield f"{table.label(code) or '未知的行政区划'}（{code}）"
    for polygon in shape.polygons:
        corners = "；".join(f"{lat:.4f},{lng:.4f}" for lat, lng in polygon.corners)
        yield f"多边形，{len(polygon.corners)} 个顶点（纬度,经度）：{corners}"
    for circle in shape.circles:
        where = f"{circle.latitude:.4f},{circle.longitude:.4f}"
        yield f"以 {where}（纬度,经度）为圆心、半径 {circle.radius_m / 1000:g} 公里的圆"
