"""How far a bound customer's applications have got: cards, loans, whatever the bank handles."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields, validate

from lightservices.providers import core_client
from lightservices.providers.accounts import NoInputs
from lightservices.providers.core_client import SOURCE
from lightservices.providers.protocol import Answer, Audience, Card, Provider, Query
from lightservices.providers.shapes import Dated, Shape, Words, rows
from service import clock

STAGES: Final = {
    "received": "已收到",
    "reviewing": "审核中",
    "documents_needed": "需要补充资料",
    "approved": "已通过",
    "declined": "未通过",
    "mailed": "已寄出",
    "done": "已办结",
    "withdrawn": "已撤回",
}


class ApplicationShape(Shape):
    product = Words(30)
    reference_tail = fields.String(required=True, validate=validate.Regexp(r"^\d{4}$"))
    stage = fields.String(required=True, validate=validate.OneOf(STAGES))
    submitted_on = fields.Date(required=True)
    updated_at = fields.AwareDateTime(required=True, format="iso")
    next_step = Words(80, required=False)


class ApplicationsShape(Dated):
    applications = rows(ApplicationShape)


_APPLICATIONS = ApplicationsShape()


def applications(query: Query) -> Answer:
    """Every application the core still shows, the last changed first."""
    found = core_client.call(
        query.wiring, "GET", "/v1/customer/applications", deadline=query.deadline,
        schema=_APPLICATIONS, customer=query.customer,
    )  # fmt: skip
    newest = sorted(found["applications"], key=lambda one: one["updated_at"], reverse=True)
    return Answer(
        tuple(_card(one) for one in newest), found["as_of"], SOURCE, sample=found["sample"],
        note="审核结果以本行通知为准。本行不会为加快审核向您收费。",
        empty="没有查到正在办理的申请。",
    )  # fmt: skip


def _card(one: dict[str, Any]) -> Card:
    submitted, updated = one["submitted_on"], clock.shanghai(one["updated_at"])
    pairs = [
        ("申请编号", f"尾号 {one['reference_tail']}"),
        ("提交日期", f"{submitted.year} 年 {submitted.month} 月 {submitted.day} 日"),
        ("最近更新", f"{updated.month} 月 {updated.day} 日 {updated:%H:%M}"),
    ]
    if one["next_step"]:
        pairs.append(("接下来", one["next_step"]))
    return Card(one["product"], STAGES[one["stage"]], "", tuple(pairs))


APPLICATIONS: Final = Provider(
    "application-progress", "申请进度", Audience.CUSTOMER, NoInputs, applications,
    core_client.is_connected,
)  # fmt: skip
