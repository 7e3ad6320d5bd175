"""An area on the map: divisions, polygons and circles together, minus what is excepted.

All positions are degrees of GCJ-02, latitude first, as followers' places are kept. An area is a
plain value: it is written down with whatever it is for, and asked again at every page and reply.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from regions import divisions
from regions.boundaries import encloses
from regions.coordinates import metres_per_degree

Position = tuple[float, float]

#: The map's frame with some sea around it; a point outside it was typed wrongly.
_LATITUDES: Final = (3.0, 54.0)
_LONGITUDES: Final = (73.0, 136.0)
MOST_CORNERS: Final = 200
MOST_PARTS: Final = 500
RADIUS_M: Final = (100, 500_000)


@dataclass(frozen=True, slots=True)
class Circle:
    """Everything within ``radius_m`` metres of a point."""

    latitude: float
    longitude: float
    radius_m: float

    def contains(self, latitude: float, longitude: float) -> bool:
        north, east = metres_per_degree(self.latitude)
        away = math.hypot((latitude - self.latitude) * north, (longitude - self.longitude) * east)
        return away <= self.radius_m


@dataclass(frozen=True, slots=True)
class Polygon:
    """What a line through these corners goes round; the last corner joins the first."""

    corners: tuple[Position, ...]

    def contains(self, latitude: float, longitude: float) -> bool:
        # The test knows no compass: with both axes exchanged it is the same question.
        return encloses(self.corners, longitude, latitude)


@dataclass(frozen=True, slots=True)
class Shape:
    """Several parts taken together."""

    #: Codes of provinces, prefectures or counties, with everything below them.
    divisions: frozenset[str] = frozenset()
    polygons: tuple[Polygon, ...] = ()
    circles: tuple[Circle, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.divisions or self.polygons or self.circles)

    def holds(self, codes: Collection[str], position: Position | None) -> bool:
        """Whether one of these divisions is listed, or the position lies in a drawn part."""
        if not self.divisions.isdisjoint(codes):
            return True
        if position is None:
            return False
        drawn: tuple[Polygon | Circle, ...] = (*self.polygons, *self.circles)
        return any(part.contains(*position) for part in drawn)


@dataclass(frozen=True, slots=True)
class Area:
    """What lies in ``inside`` and not in ``outside``."""

    inside: Shape
    outside: Shape = field(default_factory=Shape)

    def contains(self, *, division: str | None, position: Position | None) -> bool:
        """Whether somebody in this division, around this position, is in the area.

        Args:
            division: a division code, or None where only the position is known.
            position: the middle of the coarse cell; None where only the division is known. Then
                drawn parts cannot be told: an inclusion does not count, and neither does an
                exception, because those who may be in danger are better told too often.
        """
        codes = [step.code for step in divisions.table().path(division)] if division else []
        return self.inside.holds(codes, position) and not self.outside.holds(codes, position)


class CircleInput(Schema):
    """``{"latitude", "longitude", "radius_m"}``."""

    latitude = fields.Float(required=True, validate=validate.Range(*_LATITUDES))
    longitude = fields.Float(required=True, validate=validate.Range(*_LONGITUDES))
    radius_m = fields.Float(required=True, validate=validate.Range(*RADIUS_M))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Circle:
        return Circle(**data)


class ShapeInput(Schema):
    """``{"divisions": [code], "polygons": [[[lat, lng], …]], "circles": […]}``."""

    divisions = fields.List(fields.String(), load_default=list)
    polygons = fields.List(
        fields.List(
            fields.Tuple(
                (
                    fields.Float(validate=validate.Range(*_LATITUDES)),
                    fields.Float(validate=validate.Range(*_LONGITUDES)),
                )
            ),
            validate=validate.Length(3, MOST_CORNERS),
        ),
        load_default=list,
    )
    circles = fields.List(fields.Nested(CircleInput), load_default=list)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Shape:
        return Shape(
            frozenset(_known(data["divisions"])),
            tuple(Polygon(tuple(corners)) for corners in data["polygons"]),
            tuple(data["circles"]),
        )


class AreaInput(Schema):
    """``{"inside": shape, "outside": shape}``."""

    inside = fields.Nested(ShapeInput, required=True)
    outside = fields.Nested(ShapeInput, load_default=Shape)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Area:
        return Area(**data)


class AreaRefused(ValueError):
    """What is wrong with an area, in people's words, each with the way out."""


def read(raw: Mapping[str, Any]) -> Area:
    """An area as it is written down.

    Raises:
        AreaRefused: naming every fault.
    """
    try:
        area: Area = AreaInput().load(dict(raw))
    except ValidationError as refused:
        raise AreaRefused("；".join(_said(refused.messages))) from None
    found = list(_faults(area))
    if found:
        raise AreaRefused("；".join(found))
    return area


def write(area: Area) -> dict[str, Any]:
    """The area as JSON, the same for equal areas."""
    return {"inside": _written(area.inside), "outside": _written(area.outside)}


def codes_in(text: str) -> tuple[list[str], list[str]]:
    """The division codes in a pasted list, and what in it is none."""
    table = divisions.table()
    words = text.replace(",", " ").replace("，", " ").replace("、", " ").replace(";", " ").split()
    known = [word for word in words if table.get(word) is not None]
    return list(dict.fromkeys(known)), [word for word in words if table.get(word) is None]


def _written(shape: Shape) -> dict[str, Any]:
    return {
        "divisions": sorted(shape.divisions),
        "polygons": [[list(corner) for corner in polygon.corners] for polygon in shape.polygons],
        "circles": [
            {"latitude": one.latitude, "longitude": one.longitude, "radius_m": one.radius_m}
            for one in shape.circles
        ],
    }


def _known(codes: Iterable[str]) -> list[str]:
    table = divisions.table()
    unknown = [code for code in codes if table.get(code) is None]
    if unknown:
        raise ValidationError(
            f"没有代码为 {'、'.join(unknown[:5])} 的行政区划，请核对六位代码", "divisions"
        )
    return list(codes)


def _faults(area: Area) -> Iterable[str]:
    if not area.inside:
        yield "区域是空的：请至少选一个行政区划，或画一个多边形或圆"
    for shape in (area.inside, area.outside):
        if len(shape.divisions) + len(shape.polygons) + len(shape.circles) > MOST_PARTS:
            yield f"一个区域最多由 {MOST_PARTS} 个部分组成：请改选上一级行政区划"
        for number, polygon in enumerate(shape.polygons, 1):
            if _crosses_itself(polygon.corners):
                yield f"第 {number} 个多边形的边互相交叉：请按顺序一圈画下来"


def _crosses_itself(corners: Sequence[Position]) -> bool:
    edges = list(zip(corners, (*corners[1:], corners[0]), strict=True))
    last = len(edges) - 1
    return any(
        _folds_back(*one, other)
        for one, (_, other) in zip(edges, edges[1:] + edges[:1], strict=True)
    ) or any(
        _cross(*edges[one], *edges[other])
        for one in range(len(edges))
        for other in range(one + 2, len(edges))
        # The first and the last edge meet in a corner, as they should.
        if (one, other) != (0, last)
    )


def _folds_back(start: Position, corner: Position, end: Position) -> bool:
    """Whether the line goes back over itself at this corner."""
    if _turn(start, corner, end) != 0:
        return False
    return _between(start, end, corner) or _between(corner, start, end)


def _cross(a: Position, b: Position, c: Position, d: Position) -> bool:
    """Whether the lines a–b and c–d have a point in common."""
    one, two, three, four = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if one != two and three != four:
        return True
    return any(
        turn == 0 and _between(start, corner, end)
        for turn, start, end, corner in (
            (one, a, b, c),
            (two, a, b, d),
            (three, c, d, a),
            (four, c, d, b),
        )
    )


def _turn(a: Position, b: Position, c: Position) -> int:
    """1 for a turn to one side, −1 to the other, 0 for straight on."""
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (area > 0) - (area < 0)


def _between(start: Position, corner: Position, end: Position) -> bool:
    return all(
        min(one, other) <= value <= max(one, other)
        for one, value, other in zip(start, corner, end, strict=True)
    )


def _said(messages: Any, where: str = "") -> Iterable[str]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from _said(inner, _NAMES.get(name, where) if isinstance(name, str) else where)
        return
    for message in messages if isinstance(messages, list) else [messages]:
        own = any("\u4e00" <= sign <= "\u9fff" for sign in str(message))
        yield str(message) if own else f"{where or '区域'}的写法有误：请重新画或重新填写"


_NAMES: Final = {
    "inside": "区域",
    "outside": "除外的部分",
    "divisions": "行政区划",
    "polygons": "多边形",
    "circles": "圆",
    "latitude": "圆心纬度",
    "longitude": "圆心经度",
    "radius_m": f"半径（{RADIUS_M[0]} 米至 {RADIUS_M[1] // 1000} 公里）",
}
