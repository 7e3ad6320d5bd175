"""The API of what is there: the services a branch offers, what is on at a time, its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from marshmallow import Schema, fields

from lightservices import catalogue, figures, promotion_section, promotions, zones
from lightservices.figures import SPANS, Series
from regions import jurisdiction
from regions.branches import BranchCode
from service import clock
from service.access import access
from service.api.blueprint import ApiBlueprint
from service.api.fields import Input, Moment, choice
from service.console import guard
from service.staff import door
from service.wiring import wiring

offers = ApiBlueprint("lightservices", __name__, title="服务、优惠与数据")


class ServiceOutput(Schema):
    """One service as followers of the branch find it."""

    key = fields.String(required=True)
    title = fields.String(required=True)
    summary = fields.String(required=True)
    kind = fields.String(required=True)
    scenario = fields.String(required=True)
    path = fields.String(required=True)
    switched_off = fields.Boolean(
        required=True, metadata={"description": "本行或上级在专区里停用了它"}
    )


class ServicesOutput(Schema):
    """What a branch offers, in the order in which followers see it."""

    items = fields.List(fields.Nested(ServiceOutput), required=True)


class OfferOutput(Schema):
    """One promotion as it was written, where it stands, and whether it runs."""

    branch = fields.String(required=True)
    path = fields.String(required=True)
    runs = fields.Boolean(required=True)
    written = fields.Dict(
        required=True, metadata={"description": "与专区文档的 promotions 部分相同的写法"}
    )


class OffersOutput(Schema):
    """The promotions of a branch and of those above it."""

    at = Moment(required=True)
    items = fields.List(fields.Nested(OfferOutput), required=True)


@dataclass(frozen=True, slots=True)
class At:
    """When."""

    at: datetime | None = None


class AtInput(Input):
    """When; now unless told."""

    makes = At

    at = Moment(metadata={"description": "什么时间；不填为现在"})


class SeriesOutput(Schema):
    """One kind of figure, summed three ways."""

    total = fields.Integer(required=True)
    by_day = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    by_branch = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    by_item = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class FiguresOutput(Schema):
    """The figures of a branch and all below it."""

    days = fields.List(fields.String(), required=True)
    is_coarse = fields.Boolean(
        required=True, metadata={"description": "人数太少，数字按 5 取整，避免认出是谁"}
    )
    taps = fields.Nested(SeriesOutput, required=True)
    opens = fields.Nested(SeriesOutput, required=True)
    useful = fields.Nested(SeriesOutput, required=True)
    useless = fields.Nested(SeriesOutput, required=True)
    opened_tickets = fields.Nested(SeriesOutput, required=True)
    answered_tickets = fields.Nested(SeriesOutput, required=True)
    followers = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


@dataclass(frozen=True, slots=True)
class Span:
    """How far back."""

    days: str


class SpanInput(Input):
    """How far back."""

    makes = Span

    days = choice(*map(str, SPANS), says="最近多少天", load_default=str(SPANS[0]))


_SERIES: Final = ("taps", "opens", "useful", "useless", "opened_tickets", "answered_tickets")


@offers.operation(
    "GET", "/branches/<code>/services", says="一个机构向粉丝提供的服务", gives=ServicesOutput
)
@access("staff", may="read")
def services(code: str) -> Mapping[str, Any]:
    """What a branch offers, what is switched off included and marked."""
    with wiring().reading() as unit:
        door(unit, guard.me(), code, "read")
        lineage = unit.wiring.tables.lineage(unit, code)
        off = zones.switched_off(unit, BranchCode(code))
        found = catalogue.offered(unit, lineage)
    items = [
        {
            "key": one.key, "title": one.title, "summary": one.summary, "kind": one.kind.value,
            "scenario": one.scenario, "path": f"/s/{one.key}", "switched_off": one.key in off,
        }
        for one in found.values()
    ]  # fmt: skip
    return {"items": items}


@offers.operation(
    "GET", "/branches/<code>/promotions", says="一个机构及其上级的优惠，某时是否在进行",
    asks=AtInput, gives=OffersOutput,
)  # fmt: skip
@access("staff", may="read")
def listing(asked: At, code: str) -> Mapping[str, Any]:
    """The promotions a branch's followers may meet, running at the time or not."""
    at = asked.at or clock.now()
    with wiring().reading() as unit:
        door(unit, guard.me(), code, "read")
        found = [
            one
            for above in unit.wiring.tables.lineage(unit, code)
            for one in promotions.of(unit, BranchCode(above))
        ]
    items = [
        {
            "branch": one.branch, "path": one.path, "runs": one.runs(at),
            "written": promotion_section.write(one),
        }
        for one in found
    ]  # fmt: skip
    return {"at": at, "items": items}


@offers.operation(
    "GET", "/branches/<code>/figures", says="一个机构及下级的数据：只有合计，没有个人",
    asks=SpanInput, gives=FiguresOutput,
)  # fmt: skip
@access("staff", may="read")
def figures_of(span: Span, code: str) -> Mapping[str, Any]:
    """Sums by day, branch and item; in fives where few people are behind them."""
    with wiring().reading() as unit:
        door(unit, guard.me(), code, "read")
        found = figures.figures(unit, jurisdiction.below(unit, code), days=int(span.days))

    def told(series: Series) -> dict[str, Any]:
        def drawn(numbers: Mapping[Any, int]) -> dict[str, int]:
            return {str(key): figures.drawn(number, found) for key, number in numbers.items()}

        return {
            "total": figures.drawn(series.total, found), "by_day": drawn(series.by_day),
            "by_branch": drawn(series.by_branch), "by_item": drawn(series.by_item),
        }  # fmt: skip

    return {
        "days": [day.isoformat() for day in found.days],
        "is_coarse": found.is_coarse,
        "followers": {
            day.isoformat(): figures.drawn(number, found) for day, number in found.followers.items()
        },
        **{name: told(getattr(found, name)) for name in _SERIES},
    }
