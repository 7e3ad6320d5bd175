"""How a content file is written, and what each slip is called: marshmallow, one schema a part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from lightservices.catalogue import placeholders
from lightservices.catalogue.icons import ICONS
from lightservices.catalogue.model import (
    REPLACEABLE,
    Availability,
    Channel,
    FieldType,
    Form,
    FormField,
    Kind,
    LegalNote,
    Result,
    Scenario,
    Service,
    ServiceClass,
    Step,
    Variant,
    Via,
    numbered,
)
from lightservices.catalogue.parts import choice, listed, one_of, pattern, prose
from lightservices.links import fault_of
from service import wording
from service.wording import Part

MOST_RELATED: Final = 4
_BRANCH: Final = r"^(HQ|B\d{6})$"
#: A button must not dial the bank for somebody else's number, nor open its app for another's.
_OWN_LINE: Final = re.compile("本行|客服热线|本地专线")
_OWN_APP: Final = re.compile("本行|手机银行")
_WHOSE_LINE: Final = (
    "电话渠道的名称里要有号码（如“供电客服 95598”），或写明“本行”“客服热线”；号码未定的不写 via"
)
_WHOSE_APP: Final = "via: app 只用于本行手机银行，名称里写明“手机银行”；别家的应用不写 via"


class StepInput(Part):
    title = prose(24)
    text = prose(300, required=False)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Step:
        return Step(**data)


class ChannelInput(Part):
    """``link`` is where ``web`` leads; for the others it may say where they start."""

    name = prose(16)
    how = prose(200)
    via = choice(Via, required=False)
    link = fields.String(error_messages=wording.FAULTS)

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("link"):
            _check_address(data["link"], "link")
        name = data.get("name", "")
        if data.get("via") is Via.PHONE and not _OWN_LINE.search(name) and not numbered(name):
            raise ValidationError(_WHOSE_LINE, "name")
        if data.get("via") is Via.APP and not _OWN_APP.search(name):
            raise ValidationError(_WHOSE_APP, "name")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Channel:
        return Channel(**data)


class LegalInput(Part):
    text = prose(200)
    source = prose(60)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> LegalNote:
        return LegalNote(**data)


class FieldInput(Part):
    name = pattern(r"^[a-z][a-z0-9_]{0,29}$", "只能用小写字母、数字和下划线")
    label = prose(16)
    type = choice(FieldType)
    required = fields.Boolean(error_messages=wording.FAULTS)
    most = fields.Integer(
        strict=True,
        error_messages=wording.FAULTS,
        validate=validate.Range(min=1, max=2000, error="应为 1 至 2000"),
    )
    choices = listed(prose(24), most=20)
    hint = prose(60, required=False)

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if (data.get("type") is FieldType.CHOICE) != bool(data.get("choices")):
            raise ValidationError("选择题（choice）要有选项，其他题目不能有", "choices")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> FormField:
        return FormField(**with_tuples(data))


class FormInput(Part):
    category = pattern(r"^\S{1,24}$", "应为 1 至 24 个字，不带空格")
    fields_ = listed(fields.Nested(FieldInput), least=1, most=12, data_key="fields", required=True)
    done = prose(200)

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        names = [field.name for field in data.get("fields_", ())]
        if len(set(names)) != len(names):
            raise ValidationError("两道题用了同一个 name", "fields")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Form:
        return Form(data["category"], tuple(data["fields_"]), data["done"])


def _branches() -> fields.List[Any]:
    return listed(pattern(_BRANCH, "不是分行代码，例如 B310000"))


class AvailabilityInput(Part):
    branches = _branches()
    hours = prose(40, required=False)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Availability:
        return Availability(**with_tuples(data))


class ReplaceableInput(Part):
    """The parts that branches may word differently."""

    alert = prose(120, required=False)
    steps = listed(fields.Nested(StepInput), most=12)
    documents = listed(prose(120), most=12)
    time = prose(120, required=False)
    fee = prose(120, required=False)
    channels = listed(fields.Nested(ChannelInput), most=8)
    notes = listed(prose(200), most=10)


class VariantInput(ReplaceableInput):
    branches = listed(
        pattern(_BRANCH, "不是分行代码，例如 B310000"), least=1, most=50, required=True
    )

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if not data.keys() & set(REPLACEABLE):
            raise ValidationError(f"至少要有一项不同的内容：{'、'.join(REPLACEABLE)}", "branches")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Variant:
        made = with_tuples(data)
        return Variant(made.pop("branches"), MappingProxyType(made))


class ServiceInput(ReplaceableInput):
    """One file of the pack, or one service that a branch adds in the console."""

    key = pattern(r"^[a-z][a-z0-9-]{1,39}$", "只能用小写字母、数字和连字符，2 至 40 个")
    title = prose(12)
    service_class = choice(ServiceClass, data_key="class")
    scenario = prose(12)
    kind = choice(Kind)
    summary = prose(60)
    icon = one_of(ICONS, required=False)
    order = fields.Integer(
        strict=True,
        error_messages=wording.FAULTS,
        validate=validate.Range(min=0, max=9999, error="应为 0 至 9999"),
    )
    words = listed(prose(12), least=5, most=20, required=True, apart=True)
    asks = listed(prose(40), least=3, most=8, required=True, apart=True)
    related = listed(prose(40), most=MOST_RELATED, apart=True)
    legal = listed(fields.Nested(LegalInput), most=6)
    url = fields.String(error_messages=wording.FAULTS)
    availability = fields.Nested(AvailabilityInput)
    variants = listed(fields.Nested(VariantInput), most=40)
    provider = pattern(r"^[a-z][a-z0-9_.-]{1,39}$", "只能用小写字母、数字和连字符", required=False)
    inputs = listed(fields.Nested(FieldInput), most=8)
    result = choice(Result, required=False)
    form = fields.Nested(FormInput)

    # Beside the faults of single fields: whoever mends those must not find one more afterwards.
    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _check(self, data: dict[str, Any], written: Any, **_: Any) -> None:
        kind = data.get("kind")
        if kind is None or not isinstance(written, Mapping):
            return
        # What was written with faults of its own is missing from the data, and yet it is there.
        if kind is Kind.GUIDE and not written.get("steps"):
            raise ValidationError("指南至少要有一个步骤", "steps")
        if kind is Kind.LINK and ("url" in data or not written.get("url")):
            _check_address(data.get("url", ""), "url")
        if (kind is Kind.FORM) != (written.get("form") is not None):
            raise ValidationError("表单类（kind: form）要有 form，其他类不能有", "form")
        if data.get("provider") and kind is not Kind.QUERY:
            raise ValidationError("只有查询类（kind: query）能有 provider", "provider")
        if data.get("key") in data.get("related", ()):
            raise ValidationError("不能把自己列为相关服务", "related")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Service:
        return Service(**with_tuples(data))


class ScenarioInput(Part):
    """One entry of ``packs/scenarios.yaml``."""

    name = prose(12)
    service_class = choice(ServiceClass, data_key="class")
    icon = one_of(ICONS)
    order = fields.Integer(required=True, strict=True, error_messages=wording.FAULTS)
    summary = prose(40)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Scenario:
        return Scenario(**data)


def with_tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    """Lists as tuples, so that what is kept cannot change."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
    }


def _check_address(address: str, field: str) -> None:
    """A site the bank has not named yet is a gap like any other."""
    if placeholders.PATTERN.fullmatch(address):
        return
    if fault := fault_of(address):
        raise ValidationError(fault, field)
