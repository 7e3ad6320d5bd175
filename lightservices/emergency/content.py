"""What an emergency says and does where it is open: one value, written as JSON or as YAML.

The same shape serves a shipped pack, a plan made in calm, a proposal and what is in force.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from lightservices import catalogue
from lightservices.catalogue.parts import choice, listed, pattern, prose
from lightservices.outlets import hours as opening
from regions import areas, divisions
from regions.areas import Area, AreaRefused
from service.wording import FAULTS, NUMBER_FAULTS, Part, each
from service.wording import messages as faults_by_field


class Kind(StrEnum):
    """What has happened."""

    EPIDEMIC = "epidemic"
    TYPHOON = "typhoon"
    FLOOD = "flood"
    EARTHQUAKE = "earthquake"
    OUTAGE = "outage"
    FRAUD = "fraud"


#: How people call the kinds; followers who write such a word ask for the emergency.
KINDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.EPIDEMIC: ("疫情", "抗疫", "防疫"),
    Kind.TYPHOON: ("台风", "风球"),
    Kind.FLOOD: ("洪水", "水灾", "暴雨", "洪涝"),
    Kind.EARTHQUAKE: ("地震",),
    Kind.OUTAGE: ("系统故障", "故障", "系统维护"),
    Kind.FRAUD: ("诈骗潮", "反诈", "防骗"),
}


class Severity(StrEnum):
    """How grave it is: what is graver stands in front, and must be looked at again sooner."""

    NOTICE = "notice"
    SERIOUS = "serious"
    CRITICAL = "critical"


SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.NOTICE: "提示",
    Severity.SERIOUS: "严重",
    Severity.CRITICAL: "紧急",
}
RANKS: Final[Mapping[Severity, int]] = {one: rank for rank, one in enumerate(Severity)}
#: The longest it may be open, in hours, before somebody must extend it: the more it takes from the
#: ordinary service, the sooner.
CAPS: Final[Mapping[Severity, int]] = {
    Severity.NOTICE: 336,
    Severity.SERIOUS: 168,
    Severity.CRITICAL: 72,
}


class ContentRefused(ValueError):
    """What is wrong with the content, each fault in the words of those who mend it."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("；".join(faults))


@dataclass(frozen=True, slots=True)
class Function:
    """One contactless function: a light service, and why it is of use now."""

    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Hotline:
    """A number to dial; without one it is the bank's own."""

    name: str
    why: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """Which outlets close, or keep other hours; only those inside the area ever obey it."""

    why: str
    outlets: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()
    #: Every outlet inside.
    all: bool = False
    #: The hours instead; none: closed.
    hours: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything that is reviewed before an emergency opens, except for its area's reach."""

    key: str
    kind: Kind
    title: str
    severity: Severity
    hours: int
    headline: str
    body: str
    #: The menu's entry.
    entry: str
    functions: tuple[Function, ...] = ()
    hotlines: tuple[Hotline, ...] = ()
    #: What followers are told when it opens and when it is over.
    opened: str = ""
    ended: str = ""
    #: The ordinary services that are not offered meanwhile.
    hide: tuple[str, ...] = ()
    orders: tuple[Order, ...] = ()
    #: Left open in a plan, never in what is proposed.
    area: Area | None = None

    @property
    def cap(self) -> int:
        """The most hours this severity allows."""
        return CAPS[self.severity]

    @property
    def words(self) -> tuple[str, ...]:
        """What followers may call it."""
        return (self.title, self.entry, *KINDS[self.kind])


def _flag() -> fields.Boolean:
    return fields.Boolean(error_messages=FAULTS)


class FunctionInput(Part):
    key = pattern(r"^[a-z][a-z0-9-]{0,63}$", "不是服务的代码")
    why = prose(40)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Function:
        return Function(**data)


class HotlineInput(Part):
    name = prose(16)
    why = prose(40)
    number = pattern(r"^\+?[0-9][0-9-]{2,19}$", "只能用数字和连字符", required=False)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Hotline:
        return Hotline(**data)


class OrderInput(Part):
    why = prose(40)
    outlets = listed(pattern(r"^[A-Za-z0-9-]{1,32}$", "不是网点编号"), most=500)
    divisions = listed(pattern(r"^\d{6}$", "不是行政区划代码"), most=500)
    all = _flag()
    hours = fields.String(error_messages=FAULTS, validate=validate.Length(max=200))

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if not (data.get("outlets") or data.get("divisions") or data.get("all")):
            raise ValidationError("要写明是哪些网点：编号、行政区划，或区域内全部")
        try:
            opening.parse(data.get("hours", ""))
        except ValueError as refused:
            raise ValidationError(str(refused), "hours") from refused

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Order:
        return Order(**{**data, "outlets": tuple(data.get("outlets", ())),
                        "divisions": tuple(data.get("divisions", ()))})  # fmt: skip


class WordingInput(Part):
    headline = prose(24)
    body = prose(300)


class EntryInput(Part):
    title = prose(8)


class MessagesInput(Part):
    opened = prose(300)
    ended = prose(300)


class ContentInput(Part):
    """The whole; the area is read by :mod:`regions.areas`."""

    key = pattern(r"^[a-z][a-z0-9-]{0,39}$", "只能用小写字母、数字和连字符")
    kind = choice(Kind)
    title = prose(12)
    severity = choice(Severity)
    default_hours = fields.Integer(
        required=True,
        strict=True,
        error_messages=NUMBER_FAULTS,
        validate=validate.Range(min=1, error="至少 1 小时"),
    )
    wording = fields.Nested(WordingInput, required=True, error_messages=FAULTS)
    menu_entry = fields.Nested(EntryInput, required=True, error_messages=FAULTS)
    functions = listed(fields.Nested(FunctionInput), most=80)
    hotlines = listed(fields.Nested(HotlineInput), most=12)
    messages = fields.Nested(MessagesInput, required=True, error_messages=FAULTS)
    hide = listed(pattern(r"^[a-z][a-z0-9-]{0,63}$", "不是服务的代码"), most=80)
    outlets = listed(fields.Nested(OrderInput), most=20)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Content:
        says, told = data["wording"], data["messages"]
        return Content(
            key=data["key"], kind=data["kind"], title=data["title"], severity=data["severity"],
            hours=data["default_hours"], headline=says["headline"], body=says["body"],
            entry=data["menu_entry"]["title"], functions=tuple(data.get("functions", ())),
            hotlines=tuple(data.get("hotlines", ())), opened=told["opened"], ended=told["ended"],
            hide=tuple(data.get("hide", ())), orders=tuple(data.get("outlets", ())),
        )  # fmt: skip


def read(raw: Mapping[str, Any]) -> Content:
    """Content as it is written down.

    Raises:
        ContentRefused: naming every fault.
    """
    plain = dict(raw)
    area = plain.pop("area", None)
    found: list[str] = []
    content: Content | None = None
    try:
        content = ContentInput().load(plain)
    except ValidationError as refused:
        found += _said(faults_by_field(refused))
    try:
        place = areas.read(area) if area else None
    except AreaRefused as refused:
        found.append(str(refused))
    if content is not None:
        found += faults(content)
    if found or content is None:
        raise ContentRefused(tuple(found))
    return replace(content, area=place)


def stored(raw: Mapping[str, Any]) -> Content:
    """Content that was sound when it was written down, as it is: a service that was taken out of
    the catalogue since must not take an open emergency with it."""
    plain = dict(raw)
    area = plain.pop("area", None)
    content: Content = ContentInput().load(plain)
    return replace(content, area=areas.read(area) if area else None)


def faults(content: Content) -> Iterator[str]:
    """What is wrong although every field is as it should be."""
    if content.hours > content.cap:
        severity = SEVERITIES[content.severity]
        yield f"“{severity}”级最长 {content.cap} 小时：请缩短时长，到时可以申请延长"
    known = catalogue.services()
    for key in (*(one.key for one in content.functions), *content.hide):
        if key not in known:
            yield f"没有代码为 {key} 的服务：请在“全部服务”里核对"
    if both := {one.key for one in content.functions} & set(content.hide):
        yield f"{'、'.join(sorted(both))} 既列为可用又要隐藏：请二选一"
    table = divisions.table()
    for code in (code for order in content.orders for code in order.divisions):
        if table.get(code) is None:
            yield f"网点安排里没有代码为 {code} 的行政区划：请核对六位代码"


def write(content: Content) -> dict[str, Any]:
    """The content as JSON, the same for equal content."""
    return {
        "key": content.key,
        "kind": content.kind.value,
        "title": content.title,
        "severity": content.severity.value,
        "default_hours": content.hours,
        "wording": {"headline": content.headline, "body": content.body},
        "menu_entry": {"title": content.entry},
        "functions": [{"key": one.key, "why": one.why} for one in content.functions],
        "hotlines": [
            {"name": one.name, "why": one.why} | ({"number": one.number} if one.number else {})
            for one in content.hotlines
        ],
        "messages": {"opened": content.opened, "ended": content.ended},
        "hide": list(content.hide),
        "outlets": [_order(one) for one in content.orders],
        **({"area": areas.write(content.area)} if content.area is not None else {}),
    }


def _order(order: Order) -> dict[str, Any]:
    written: dict[str, Any] = {"why": order.why}
    written |= {"outlets": list(order.outlets)} if order.outlets else {}
    written |= {"divisions": list(order.divisions)} if order.divisions else {}
    written |= {"all": True} if order.all else {}
    return written | ({"hours": order.hours} if order.hours else {})


_NAMES: Final = {
    "key": "代码", "kind": "种类", "title": "标题", "severity": "级别", "default_hours": "时长",
    "wording": "说明", "headline": "大标题", "body": "正文", "menu_entry": "菜单名",
    "functions": "功能", "why": "理由", "hotlines": "电话", "name": "名称", "number": "号码",
    "messages": "消息", "opened": "开启消息", "ended": "结束消息", "hide": "隐藏的服务",
    "outlets": "网点安排", "hours": "营业时间", "divisions": "行政区划",
}  # fmt: skip


def _said(messages: Any) -> Iterator[str]:
    """Each fault under the name of the innermost field that has one."""
    for path, message in each(messages):
        named = (_NAMES[name] for name in reversed(path) if name in _NAMES)
        yield f"{next(named, '内容')}：{message}"
