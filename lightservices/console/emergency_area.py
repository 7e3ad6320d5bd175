"""What an area concerns, for whoever draws it: counties, branches, followers, what is open there.

Numbers are only told to people who may act everywhere in the area, and always rounded.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, render_template, request

from lightservices.console import area_fields, ground
from lightservices.console.area_fields import AreaFields
from lightservices.console.ground import Ground
from lightservices.emergency import holding, queries, reach, titles
from lightservices.emergency.models import Record
from lightservices.emergency.reach import Assessment
from lightservices.emergency.refusals import STATES, Refused
from lightservices.outlets import nearest
from regions import branches, coverage, divisions
from regions.areas import Area, AreaRefused, Circle, Shape
from regions.coordinates import metres_per_degree
from regions.coverage import Coverage
from regions.divisions import Division
from service.access import access
from service.console import guard
from service.staff import Me
from service.wiring import Unit, wiring

begins: Final = Blueprint(
    "console_emergency_begin", __name__, url_prefix=queries.ROOT, template_folder="../templates"
)

#: Pasted lists of all counties and hundreds of corners are long; no picture comes with them.
MOST_FORM_BYTES: Final = 512 * 1024
#: More counties than this are told city by city, or province by province.
_MOST_COUNTIES: Final = 60
_MOST_ROWS: Final = 200
_CORNERS_OF_A_CIRCLE: Final = 48


@begins.url_value_preprocessor
def make_room(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Before the guard reads the form, which it does before any view."""
    request.max_content_length = MOST_FORM_BYTES


@dataclass(frozen=True, slots=True)
class Picture:
    """An area for the map: divisions that are inside as a whole, and what is drawn."""

    codes: frozenset[str]
    #: Rings of corners, latitude first; circles are rings of many corners.
    polygons: Sequence[Sequence[tuple[float, float]]]
    outside_polygons: Sequence[Sequence[tuple[float, float]]]

    def told(self) -> dict[str, Any]:
        return {
            "codes": sorted(self.codes),
            "polygons": self.polygons,
            "outside_polygons": self.outside_polygons,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a county, or a whole city or province."""

    name: str
    code: str
    #: 整个, or about how much of it.
    share: str
    branches: str
    outlets: int


@dataclass(frozen=True, slots=True)
class Other:
    """Something that is open or proposed and lies in the area too."""

    key: str
    title: str
    state: str
    picture: Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything there is to say of an area; without an assessment, why there is none."""

    area: Area | None = None
    problem: str = ""
    picture: Picture | None = None
    rows: Sequence[Row] = ()
    #: How many more lines the table would have.
    more: int = 0
    others: Sequence[Other] = ()
    assessment: Assessment | None = None

    @property
    def reach(self) -> Mapping[str, str]:
        """The rounded numbers of followers, by how sure they are."""
        if self.assessment is None:
            return {}
        found = self.assessment.reach
        return {
            name: coverage.rounded(count)
            for name, count in (
                ("total", found.total), ("certain", found.certain),
                ("likely", found.likely), ("unknown", found.unknown),
            )
        }  # fmt: skip


def found(
    unit: Unit, fields: AreaFields, me: Me, *, finished: bool = True, besides: str = ""
) -> Found:
    """What the area in the fields concerns.

    Args:
        finished: False while somebody still draws: a ring that is only begun is no fault then.
        besides: the key of an emergency that is no other: its own area is being changed.
    """
    try:
        area = area_fields.read(fields, finished=finished)
    except AreaRefused as refused:
        return Found(problem=str(refused))
    return look(unit, area, me, besides=besides) if area is not None else Found()


def look(unit: Unit, area: Area, me: Me, *, besides: str = "") -> Found:
    """What this area concerns, for somebody who would propose something there."""
    covered = coverage.cover(area)
    drawn = picture(area, covered)
    if not covered.counties:
        return Found(area=area, picture=drawn, problem="区域里没有一个区县：请画在陆地上，或改选")
    try:
        touched = reach.touched(unit, area, covered)
        holding.require_area(unit, me, "propose", tuple(one.code for one in touched))
        assessment = _assessed(area)
    except Refused as refused:
        return Found(area=area, picture=drawn, problem=f"{refused.says}。{refused.way_out}")
    rows = list(_rows(unit, area, covered))
    return Found(
        area=area,
        picture=drawn,
        rows=rows[:_MOST_ROWS],
        more=max(0, len(rows) - _MOST_ROWS),
        others=list(_others(unit, area, me, besides)),
        assessment=assessment,
    )


def _assessed(area: Area) -> Assessment:
    """The counts, in a look of its own: after a statement that was given up the connection may be
    gone, and whatever somebody typed is still to be shown to them.

    Raises:
        NoArea: there is none.
        Uncounted: the database did not answer in time.
    """
    with wiring().reading() as unit:
        return holding.assessed(unit, area)


def picture(area: Area, covered: Coverage) -> Picture:
    """The area for the map."""
    codes = coverage.complete(covered)
    if not area.outside:
        # No county is listed below Hong Kong; what was chosen by its code is inside nevertheless.
        codes |= area.inside.divisions
    return Picture(codes, list(_rings(area.inside)), list(_rings(area.outside)))


def chosen_ground(code: str, area: Area | None) -> tuple[str, Ground]:
    """The map to show: the province asked for, else the one the area lies in, else the country."""
    table = divisions.table()
    known = table.get(code)
    if known is not None and known.level == "province":
        return known.code, ground.within(known.code)
    if code or area is None:
        return "", ground.country()
    counties = coverage.cover(area).counties
    provinces = {step.code for one in counties for step in table.path(one)[:1]}
    if len(provinces) != 1:
        return "", ground.country()
    [only] = provinces
    return only, ground.within(only)


def provinces() -> list[Division]:
    return [one for one in divisions.table() if one.level == "province"]


@begins.post("/area")
@access("staff", may="propose")
def area() -> Response:
    """What the area concerns that somebody is drawing; nothing is kept."""
    with wiring().reading() as unit:
        told = found(
            unit, area_fields.typed(request.form), guard.me(), finished=False,
            besides=request.form.get("besides", ""),
        )  # fmt: skip
        html = render_template("console/emergency_area.html", found=told)
    assessment = told.assessment
    return jsonify(
        problem=told.problem,
        html=html,
        picture=told.picture.told() if told.picture else None,
        overlaps=[
            {"key": one.key, "title": one.title, "state": one.state, "picture": one.picture.told()}
            for one in told.others
        ],
        reach=told.reach,
        counties=_counties(assessment.covered) if assessment else [],
        branches=list(assessment.codes) if assessment else [],
        outlets=assessment.outlets if assessment else 0,
    )


@begins.get("/divisions")
@access("staff", may="read")
def search() -> Response:
    """The divisions somebody may mean by what they typed."""
    table = divisions.table()
    return jsonify(
        [
            {"code": one.code, "name": table.label(one.code)}
            for one in area_fields.search(request.args.get("q", "")[:40])
        ]
    )


@begins.get("/ground")
@access("staff", may="read")
def map_of() -> Response:
    """The map of a province or, without one, of the country; with the cities one can go to."""
    code = request.args.get("code", "")
    if code and divisions.table().get(code) is None:
        abort(404)
    province, shown = chosen_ground(code, None)
    html = render_template("console/emergency_ground.html", ground=shown)
    return jsonify(code=province, html=html, cities=shown.cities)


def _counties(covered: Coverage) -> list[dict[str, Any]]:
    table = divisions.table()
    shares = dict.fromkeys(covered.whole, 1.0) | dict(covered.parts)
    return [
        {"code": code, "name": table.label(code), "share": shares[code]} for code in sorted(shares)
    ]


def _rings(shape: Shape) -> Iterator[Sequence[tuple[float, float]]]:
    yield from (polygon.corners for polygon in shape.polygons)
    yield from (_round(circle) for circle in shape.circles)


def _round(circle: Circle) -> list[tuple[float, float]]:
    north, east = metres_per_degree(circle.latitude)
    turns = [2 * math.pi * step / _CORNERS_OF_A_CIRCLE for step in range(_CORNERS_OF_A_CIRCLE)]
    return [
        (
            round(circle.latitude + math.sin(turn) * circle.radius_m / north, 5),
            round(circle.longitude + math.cos(turn) * circle.radius_m / east, 5),
        )
        for turn in turns
    ]


def _rows(unit: Unit, area: Area, covered: Coverage) -> Iterator[Row]:
    """What is partly inside first, as that is where one looks twice; then what is wholly."""
    counted = _outlets(unit, area)
    for code, share in covered.parts.items():
        yield _row(unit, code, f"约 {max(1, round(100 * share))}%", [code], counted)
    for code, counties in _whole(covered):
        said = f"整个（{len(counties)} 个区县）" if counties != [code] else "整个"
        yield _row(unit, code, said, counties, counted)


def _whole(covered: Coverage) -> Iterator[tuple[str, list[str]]]:
    """The counties wholly inside; where they are many, gathered into cities and provinces."""
    if len(covered.whole) <= _MOST_COUNTIES:
        yield from ((code, [code]) for code in covered.whole)
        return
    table, complete = divisions.table(), coverage.complete(covered)
    gathered: dict[str, list[str]] = {}
    for county in covered.whole:
        path = [step.code for step in table.path(county)]
        top = next((code for code in path if code in complete), county)
        gathered.setdefault(top, []).append(county)
    yield from gathered.items()


def _row(
    unit: Unit, code: str, share: str, counties: Sequence[str], counted: Mapping[str, int]
) -> Row:
    directory = branches.directory(unit)
    names = list(dict.fromkeys(directory.serving(one).branch.name for one in counties))
    told = "、".join(names[:3]) + (f"等 {len(names)} 家" if len(names) > 3 else "")
    outlets = sum(counted[one] for one in counties)
    return Row(divisions.table().label(code), code, share, told, outlets)


def _outlets(unit: Unit, area: Area) -> Counter[str]:
    known = nearest.index(unit).by_id
    return Counter(known[one].division for one in reach.outlets_in(unit, area))


def _others(unit: Unit, area: Area, me: Me, besides: str) -> Iterator[Other]:
    for record in queries.current(unit, me):
        if record.key == besides:
            continue
        other = _other(unit, area, record)
        if other is not None:
            yield other


def _other(unit: Unit, area: Area, record: Record) -> Other | None:
    version = queries.version(unit, record, record.live if record.live is not None else 1)
    content = holding.readable(version)
    if content is None or content.area is None or not coverage.overlap(area, content.area):
        return None
    drawn = picture(content.area, version.covered)
    return Other(record.key, titles.titled(record, content), STATES[record.stands], drawn)
