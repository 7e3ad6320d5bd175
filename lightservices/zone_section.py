"""A zone's share in what is reviewed: its name, its page, its services, and when it holds.

The document is a branch's own zone (kind ``zone``, key ``local``) or a campaign's venue (kind
``campaign``, its key the zone's). Content is JSON as :class:`ZoneInput` reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load, validate

from lightservices import blocks, catalogue, gathering, pictures, rich_text, zones
from lightservices.blocks import Block, BlockInput, BlockKind
from lightservices.gathering import Gathering
from lightservices.links import OUTSIDE, outside
from lightservices.zones import Zone, ZoneKind
from regions import branches
from regions.branches import BranchCode
from service import clock, wording
from service.approvals.kinds import Difference, Fault, Json, Section
from service.audit import Actor
from service.wiring import Unit
from service.wording import FAULTS, Part, phrase

#: WeChat shows four Chinese characters of a column's name and takes five.
MOST_TITLE: Final = 5
MOST_CAMPAIGN_TITLE: Final = 8
MOST_SERVICES: Final = 30


@dataclass(frozen=True, slots=True)
class _Edition:
    """A zone as an editor leaves it."""

    title: str
    slogan: str
    services: tuple[str, ...]
    switched_off: tuple[str, ...]
    blocks: tuple[Block, ...]
    starts_at: datetime | None
    ends_at: datetime | None
    reach: tuple[str, ...]
    gather: Gathering | None


class GatherInput(Part):
    """Which offers a campaign gathers."""

    branches = fields.List(fields.String(error_messages=FAULTS), load_default=list)
    topics = fields.List(
        fields.String(
            error_messages=FAULTS, validate=validate.Length(1, 12, error="标签应为 1 至 12 个字")
        ),
        load_default=list,
        validate=validate.Length(max=10, error="最多 10 个标签"),
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Gathering | None:
        return gathering.read(data)


class ZoneInput(Part):
    """The content of a section ``zone``."""

    title = phrase(MOST_CAMPAIGN_TITLE, least=1)
    slogan = phrase(40)
    services = fields.List(
        fields.String(error_messages=FAULTS),
        load_default=list,
        error_messages=FAULTS,
        validate=validate.Length(max=MOST_SERVICES, error=f"最多 {MOST_SERVICES} 项"),
    )
    switched_off = fields.List(fields.String(error_messages=FAULTS), load_default=list)
    blocks = fields.List(
        fields.Nested(BlockInput),
        load_default=list,
        error_messages=FAULTS,
        validate=validate.Length(max=blocks.MOST_BLOCKS, error=f"最多 {blocks.MOST_BLOCKS} 块"),
    )
    starts_at = fields.AwareDateTime(
        allow_none=True, load_default=None, error_messages=FAULTS, validate=wording.in_our_time
    )
    ends_at = fields.AwareDateTime(
        allow_none=True, load_default=None, error_messages=FAULTS, validate=wording.in_our_time
    )
    reach = fields.List(fields.String(error_messages=FAULTS), load_default=list)
    gather = fields.Nested(GatherInput, allow_none=True, load_default=None, error_messages=FAULTS)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> _Edition:
        whole: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        edition = _Edition(**whole)
        starts, ends = edition.starts_at, edition.ends_at
        if starts is not None and ends is not None and ends <= starts:
            raise ValidationError("结束时间应晚于开始时间", "ends_at")
        return edition


def write(zone: Zone) -> dict[str, Any]:
    """A zone as content."""
    return {
        "title": zone.title,
        "slogan": zone.slogan,
        "services": list(zone.services),
        "switched_off": list(zone.switched_off),
        "blocks": blocks.write(zone.blocks),
        "starts_at": zone.starts_at.isoformat() if zone.starts_at else None,
        "ends_at": zone.ends_at.isoformat() if zone.ends_at else None,
        "reach": list(zone.reach),
        "gather": zone.gather.written() if zone.gather else None,
    }


def zone_of(branch: str, key: str, content: Json, *, kind: ZoneKind) -> Zone:
    """The zone that this content stands for, also for a preview.

    Raises:
        ValidationError: for content that is none.
    """
    edition: _Edition = ZoneInput().load(content)
    return Zone(
        key=key,
        title=edition.title,
        slogan=edition.slogan,
        branch=BranchCode(branch),
        services=edition.services,
        starts_at=edition.starts_at,
        ends_at=edition.ends_at,
        kind=kind,
        reach=tuple(map(BranchCode, edition.reach)),
        blocks=edition.blocks or blocks.USUAL,
        switched_off=edition.switched_off,
        gather=edition.gather,
    )


def key_of(unit: Unit, branch: str) -> str:
    """The key of a branch's own zone: the one it has, else one made of its code."""
    kept = (one for one in zones.every(unit) if one.kind is ZoneKind.LOCAL)
    return next((one.key for one in kept if one.branch == branch), f"local-{branch.lower()}")


def _read_local(unit: Unit, branch: str, _key: str) -> Json | None:
    found = zones.zone(unit, key_of(unit, branch))
    return write(found) if found is not None else None


def _read_campaign(unit: Unit, branch: str, key: str) -> Json | None:
    found = zones.zone(unit, key)
    return write(found) if found is not None and found.branch == branch else None


def _fresh(unit: Unit, branch: str, _key: str) -> Json:
    """A branch without a zone begins with what it inherits."""
    above = zones.local_zone(unit, BranchCode(branch))
    if above is not None:
        return write(above)
    keys = list(catalogue.services())[:8]
    return {
        "title": "身边优惠",
        "slogan": "",
        "services": keys,
        "blocks": blocks.write(blocks.USUAL),
    }


def _fresh_campaign(_unit: Unit, _branch: str, _key: str) -> Json:
    """A venue begins with all that branches offer."""
    return {
        "title": "",
        "slogan": "",
        "services": [],
        "blocks": [{"kind": BlockKind.PROMOTIONS.value, "title": "活动优惠"}],
        "gather": {"branches": [], "topics": []},
    }


def _local_faults(unit: Unit, branch: str, _key: str, content: Json) -> Sequence[Fault]:
    found = list(_faults(unit, branch, content))
    title = content.get("title") if isinstance(content, Mapping) else None
    if isinstance(title, str) and len(title) > MOST_TITLE:
        rule = f"专区名也是菜单名，最多 {MOST_TITLE} 个汉字，现在 {len(title)} 个"
        found.append(Fault("title", rule, f"缩短 {len(title) - MOST_TITLE} 个字"))
    return found


def _campaign_faults(unit: Unit, branch: str, key: str, content: Json) -> Sequence[Fault]:
    found = list(_faults(unit, branch, content))
    if isinstance(content, Mapping) and not (content.get("starts_at") and content.get("ends_at")):
        found.append(Fault("ends_at", "活动要有开始和结束时间", "填写活动时间"))
    holder = zones.zone(unit, key)
    if holder is not None and (holder.branch != branch or holder.kind is not ZoneKind.CAMPAIGN):
        found.append(Fault("title", "这个活动代号已被别的专区使用", "换一个活动代号"))
    return found


def _faults(unit: Unit, branch: str, content: Json) -> Iterable[Fault]:
    try:
        edition: _Edition = ZoneInput().load(content)
    except ValidationError as refused:
        for path, message in wording.each(wording.messages(refused)):
            yield Fault("/".join(map(str, path)), message, "按提示改正")
        return
    known = catalogue.offered(
        unit, [one.code for one in branches.directory(unit).chain(BranchCode(branch))]
    )
    named = {
        "services": edition.services,
        "switched_off": edition.switched_off,
        **{f"blocks/{number}/services": one.services for number, one in enumerate(edition.blocks)},
    }
    for where, keys in named.items():
        for key in keys:
            if key not in known:
                yield Fault(where, f"没有“{key}”这项服务", "从服务目录里选择")
    for number, one in enumerate(edition.blocks):
        for fault in outside(unit.settings, [one.link or "/", *rich_text.addresses(one.text)]):
            name = "link" if one.link else "text"
            yield Fault(f"blocks/{number}/{name}", fault, OUTSIDE)
        if one.picture and not pictures.is_there(unit, one.picture):
            yield Fault(f"blocks/{number}/picture", "图片已经不在了", "重新上传图片")
    tree = branches.directory(unit)
    gathered = edition.gather.branches if edition.gather else ()
    for where, codes in (("reach", edition.reach), ("gather/branches", gathered)):
        for code in codes:
            if branch not in [above.code for above in tree.chain(code)]:
                yield Fault(where, f"{code} 不是本行或下属分行", "只选本行及下属分行")


def _apply_local(unit: Unit, branch: str, _key: str, content: Json, _by: Actor) -> None:
    zones.put(unit, zone_of(branch, key_of(unit, branch), content, kind=ZoneKind.LOCAL))


def _apply_campaign(unit: Unit, branch: str, key: str, content: Json, _by: Actor) -> None:
    zones.put(unit, zone_of(branch, key, content, kind=ZoneKind.CAMPAIGN))


def _differences(_unit: Unit, before: Json | None, after: Json) -> Sequence[Difference]:
    old, new = _said(before), _said(after)
    return [
        Difference(where, old.get(where, ""), new.get(where, ""))
        for where in dict.fromkeys((*old, *new))
        if old.get(where, "") != new.get(where, "")
    ]


def _said(content: Json | None) -> dict[str, str]:
    """Each part of a zone in people's words."""
    try:
        edition: _Edition = ZoneInput().load(content or {})
    except ValidationError:
        return {}
    said = {
        "专区名": edition.title,
        "标语": edition.slogan,
        "服务": "、".join(map(_called, edition.services)),
        "不提供的服务": "、".join(map(_called, edition.switched_off)),
        "开始": _when(edition.starts_at),
        "结束": _when(edition.ends_at),
        "面向分行": "、".join(edition.reach),
        "汇集哪些分行的优惠": _gathered(edition.gather),
    }
    for number, block in enumerate(edition.blocks, 1):
        said[f"页面第 {number} 块"] = _described(block)
    return {where: text for where, text in said.items() if text}


def _gathered(gather: Gathering | None) -> str:
    if gather is None:
        return ""
    whose = "、".join(gather.branches) or "全部"
    about = f"，只要标签：{'、'.join(gather.topics)}" if gather.topics else ""
    return f"{whose}{about}"


def _described(block: Block) -> str:
    parts = [
        blocks.TITLES[block.kind],
        block.title,
        block.text,
        "、".join(map(_called, block.services)),
        f"链接 {block.link}" if block.link else "",
        f"图片：{block.picture_says}（{block.picture[:8]}）" if block.picture else "",
    ]
    return "｜".join(part for part in parts if part)


def _called(key: str) -> str:
    found = catalogue.service(key)
    return found.title if found else key


def _when(moment: datetime | None) -> str:
    return f"{clock.shanghai(moment):%Y-%m-%d %H:%M}" if moment else ""


#: A branch's own zone.
LOCAL: Final = Section(
    title="专区与页面",
    read=_read_local,
    faults=_local_faults,
    apply=_apply_local,
    differences=_differences,
    fresh=_fresh,
)
#: A campaign's venue.
CAMPAIGN: Final = Section(
    title="活动会场",
    read=_read_campaign,
    faults=_campaign_faults,
    apply=_apply_campaign,
    differences=_differences,
    fresh=_fresh_campaign,
)
