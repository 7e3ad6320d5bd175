"""Which light services there are: content files read into frozen values, every fault named.

A service is one YAML file under ``packs/services``; adding a guide is adding a file. A file with a
fault is left out and reported, so that one slip of an editor never takes the other pages down.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml
from marshmallow import Schema, ValidationError, fields, post_load, validate

from lightservices import wording
from lightservices.links import fault_of
from lightservices.wording import FAULTS

PACK: Final = Path(__file__).resolve().parent / "packs" / "services"


class ServiceClass(StrEnum):
    """The three classes in which Chinese banks sort their light services."""

    ACCOUNT = "账户管理"
    BUSINESS = "业务办理"
    ADVICE = "客服咨询"


class Kind(StrEnum):
    """What stands behind a service: a text, a look-up, a reckoning, or a page elsewhere."""

    GUIDE = "guide"
    QUERY = "query"
    CALCULATOR = "calculator"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to have it done: at a counter, by telephone, in the app."""

    name: str
    how: str


@dataclass(frozen=True, slots=True)
class Availability:
    """Where and when it is offered; no branches means everywhere."""

    branches: tuple[str, ...] = ()
    hours: str = "7×24 小时"

    def reaches(self, chain: Iterable[str]) -> bool:
        """Whether it is offered to followers of the branch with this chain of codes up to HQ."""
        return not self.branches or not set(self.branches).isdisjoint(chain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One light service, as its file describes it."""

    key: str
    title: str
    service_class: ServiceClass
    scenario: str
    kind: Kind
    summary: str
    icon: str = "guide"
    order: int = 100
    words: tuple[str, ...] = ()
    alert: str = ""
    steps: tuple[Step, ...] = ()
    documents: tuple[str, ...] = ()
    time: str = ""
    fee: str = ""
    channels: tuple[Channel, ...] = ()
    notes: tuple[str, ...] = ()
    url: str = ""
    availability: Availability = field(default_factory=Availability)

    @property
    def path(self) -> str:
        """The stable path of its page; menus, replies and QR codes point at it."""
        return f"/s/{self.key}"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong with one field of one file, and the way out."""

    file: str
    field: str
    fault: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.file}：字段 {self.field}：{self.fault} → {self.way_out}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sound services in the order in which people see them, and the faults of the others."""

    services: Mapping[str, Service]
    faults: tuple[Fault, ...] = ()


_WAYS_OUT: Final = {
    wording.MISSING: "补上这一项",
    wording.UNKNOWN: "检查拼写，或删去这一行",
    wording.MISTYPED: "参照同目录其他文件的写法改正",
}

#: Icons drawn in ``templates/pages/icons.html``.
ICONS: Final = (
    "alert", "app", "calculator", "card", "city", "coins", "exchange", "gift", "guide",
    "home", "key", "list", "percent", "phone", "pin", "shield",
)  # fmt: skip


def _text(most: int, *, least: int = 1, required: bool = True) -> fields.String:
    return fields.String(
        required=required,
        error_messages=FAULTS,
        validate=validate.Length(min=least, max=most, error=f"应为 {least} 至 {most} 个字"),
    )


def _texts(most: int) -> fields.List[str]:
    return fields.List(_text(most), error_messages=FAULTS)


def _one_of(choices: Sequence[str]) -> fields.String:
    return fields.String(
        required=True,
        error_messages=FAULTS,
        validate=validate.OneOf(choices, error=f"只能是 {'、'.join(choices)} 之一"),
    )


class _Part(Schema):
    class Meta:
        unknown = "raise"

    error_messages = {"unknown": wording.UNKNOWN, "type": wording.MISTYPED}  # noqa: RUF012  # marshmallow reads it from the class


class StepInput(_Part):
    title = _text(24)
    text = _text(300, required=False)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Step:
        return Step(**data)


class ChannelInput(_Part):
    name = _text(16)
    how = _text(200)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Channel:
        return Channel(**data)


class AvailabilityInput(_Part):
    branches = fields.List(
        fields.String(
            error_messages=FAULTS,
            validate=validate.Regexp(r"^(HQ|B\d{6})$", error="不是分行代码，例如 B310000"),
        ),
        error_messages=FAULTS,
    )
    hours = _text(40, required=False)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Availability:
        return Availability(**_with_tuples(data))


class ServiceInput(_Part):
    """One file of the pack."""

    key = fields.String(
        required=True,
        error_messages=FAULTS,
        validate=validate.Regexp(r"^[a-z][a-z0-9-]{1,39}$", error="只能用小写字母、数字和连字符"),
    )
    title = _text(12)
    service_class = fields.Enum(
        ServiceClass,
        by_value=True,
        required=True,
        data_key="class",
        error_messages=wording.CHOICE_FAULTS,
    )
    scenario = _text(12)
    kind = fields.Enum(
        Kind,
        by_value=True,
        required=True,
        error_messages=wording.CHOICE_FAULTS,
    )
    summary = _text(60)
    icon = _one_of(ICONS)
    order = fields.Integer(
        strict=True,
        error_messages=FAULTS,
        validate=validate.Range(min=0, max=9999, error="应为 0 至 9999"),
    )
    words = _texts(12)
    alert = _text(120, required=False)
    steps = fields.List(fields.Nested(StepInput), error_messages=FAULTS)
    documents = _texts(120)
    time = _text(120, required=False)
    fee = _text(120, required=False)
    channels = fields.List(fields.Nested(ChannelInput), error_messages=FAULTS)
    notes = _texts(200)
    url = fields.String(error_messages=FAULTS)
    availability = fields.Nested(AvailabilityInput)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Service:
        service = Service(**_with_tuples(data))
        if service.kind is Kind.GUIDE and not service.steps:
            raise ValidationError("指南至少要有一个步骤", "steps")
        if service.kind is Kind.LINK and (fault := fault_of(service.url)):
            raise ValidationError(fault, "url")
        return service


def read(folder: Path = PACK) -> Catalogue:
    """Read every content file of this folder."""
    found: list[Service] = []
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.y*ml")):
        one = _read_one(path)
        if isinstance(one, Service):
            found.append(one)
        else:
            faults += one
    ordered = sorted(found, key=lambda service: (service.order, service.key))
    services = MappingProxyType({service.key: service for service in ordered})
    return Catalogue(services, tuple(sorted(faults)))


@functools.lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The pack this program ships with, read once in the life of the process."""
    return read()


def services() -> Mapping[str, Service]:
    """Every sound service by key, in the order in which people see them."""
    return catalogue().services


def service(key: str) -> Service | None:
    """The service with this key, if there is one."""
    return services().get(key)


def _read_one(path: Path) -> Service | list[Fault]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return [Fault(path.name, "（整个文件）", "不是 UTF-8 文字", "另存为 UTF-8 编码")]
    except yaml.YAMLError as broken:
        line = getattr(getattr(broken, "problem_mark", None), "line", 0) + 1
        return [Fault(path.name, f"第 {line} 行", "YAML 写法有误", "检查缩进、冒号和引号")]
    if not isinstance(data, dict):
        return [Fault(path.name, "（整个文件）", "内容不是字段列表", "每行写成 字段: 内容")]
    try:
        loaded: Service = ServiceInput().load(data)
    except ValidationError as refused:
        return list(_faults_in(path.name, wording.messages(refused)))
    if loaded.key != path.stem:
        return [Fault(path.name, "key", "与文件名不一致", f"改为 {path.stem}，或改文件名")]
    return loaded


def _faults_in(file: str, messages: Any, where: str = "") -> Iterable[Fault]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from _faults_in(file, inner, f"{where}.{name}" if where else str(name))
        return
    for message in messages:
        yield Fault(file, where, message.rstrip("."), _WAYS_OUT.get(message, "按提示改正后再检查"))


def _with_tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
    }
