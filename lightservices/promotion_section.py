"""A branch's promotions as one list that is reviewed: what, for whom, where and when.

Content is a list of objects as :class:`PromotionInput` reads them. ``name`` tells one from another
from edition to edition, so that one that is only edited keeps its page's address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from lightservices import blocks, links, pictures, promotions, rich_text
from lightservices.foryou.tags import tags
from lightservices.links import fault_of
from lightservices.promotions import Promotion
from regions import areas, branches, divisions
from regions.areas import AreaRefused
from regions.branches import BranchCode
from regions.divisions import DivisionCode
from service import clock, wording
from service.approvals.kinds import Difference, Fault, Json, Section
from service.audit import Actor
from service.wiring import Unit
from service.wording import FAULTS, Part, phrase

MOST_PROMOTIONS: Final = 100
MOST_TEXT: Final = 2_000


class PromotionInput(Part):
    """One promotion as it is written down; times are ISO 8601 with an offset."""

    name = fields.String(
        required=True,
        error_messages=FAULTS,
        validate=validate.Regexp(r"^[a-z0-9-]{1,24}$", error="只能用小写字母、数字和连字符"),
    )
    title = phrase(40, least=1)
    text = phrase(MOST_TEXT, least=1)
    url = phrase(1_024)
    starts_at = fields.AwareDateTime(
        required=True, error_messages=FAULTS, validate=wording.in_our_time
    )
    ends_at = fields.AwareDateTime(
        required=True, error_messages=FAULTS, validate=wording.in_our_time
    )
    divisions = fields.List(fields.String(error_messages=FAULTS), error_messages=FAULTS)
    area = fields.Dict(allow_none=True, error_messages=FAULTS)
    audience = fields.List(
        fields.String(
            error_messages=FAULTS, validate=validate.Length(1, 20, error="标签应为 1 至 20 个字")
        ),
        error_messages=FAULTS,
        validate=validate.Length(max=10, error="最多 10 个标签"),
    )
    topics = fields.List(
        fields.String(
            error_messages=FAULTS,
            validate=validate.Length(1, 12, error="标签应为 1 至 12 个字"),
        ),
        error_messages=FAULTS,
        validate=validate.Length(max=5, error="最多 5 个活动标签"),
    )
    picture = fields.String(
        error_messages=FAULTS,
        validate=validate.Regexp(rf"{blocks.PICTURE}|^$", error="请重新上传图片"),
    )
    picture_says = phrase(40)
    sort = fields.Integer(
        strict=True, error_messages=FAULTS, validate=validate.Range(0, 999, error="应为 0 至 999")
    )

    @validates_schema
    def _check(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["ends_at"] <= data["starts_at"]:
            raise ValidationError("结束时间应晚于开始时间", "ends_at")
        if data.get("url") and (fault := fault_of(data["url"])):
            raise ValidationError(fault, "url")
        if data.get("picture") and not data.get("picture_says", "").strip():
            raise ValidationError("图片要有一句说明，读屏软件会念给看不见的客户听", "picture_says")
        if found := rich_text.faults(data["text"]):
            raise ValidationError("；".join(found), "text")
        _check_place(data)


def _check_place(data: Mapping[str, Any]) -> None:
    table = divisions.table()
    if "" in data.get("divisions", ()):
        raise ValidationError("请至少选一个城市或区县", "divisions")
    unknown = [code for code in data.get("divisions", ()) if table.get(code) is None]
    if unknown:
        raise ValidationError(f"没有代码为 {'、'.join(unknown)} 的行政区划", "divisions")
    if data.get("area"):
        try:
            areas.read(data["area"])
        except AreaRefused as refused:
            raise ValidationError(str(refused), "area") from None


def write(one: Promotion) -> dict[str, Any]:
    """A promotion as content."""
    return {
        "name": one.name or promotions.name_of(one),
        "title": one.title,
        "text": one.text,
        "url": one.url,
        "starts_at": one.starts_at.isoformat(),
        "ends_at": one.ends_at.isoformat(),
        "divisions": list(one.divisions),
        "area": areas.write(one.area) if one.area else None,
        "audience": sorted(one.audience),
        "topics": sorted(one.topics),
        "picture": one.picture,
        "picture_says": one.picture_says,
        "sort": one.sort,
    }


def promotion_of(branch: str, content: Mapping[str, Any]) -> Promotion:
    """The promotion this content stands for, for a preview; it has no page yet.

    Raises:
        ValidationError: for content that is none.
    """
    row = _row(content)
    return Promotion(
        id=0,
        branch=BranchCode(branch),
        **row
        | {
            "divisions": tuple(map(DivisionCode, row["divisions"])),
            "area": areas.read(row["area"]) if row["area"] else None,
            "audience": frozenset(row["audience"]),
            "topics": frozenset(row["topics"]),
        },
    )


def _row(content: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of one promotion."""
    usual: dict[str, Any] = {
        "url": "", "divisions": [], "area": None, "audience": [], "topics": [],
        "picture": "", "picture_says": "", "sort": 100,
    }  # fmt: skip
    loaded: dict[str, Any] = PromotionInput().load(content)
    return usual | loaded


def _read(unit: Unit, branch: str, _key: str) -> Json:
    return [write(one) for one in promotions.of(unit, BranchCode(branch))]


def _fresh(_unit: Unit, _branch: str, _key: str) -> Json:
    return []


def _faults(unit: Unit, branch: str, _key: str, content: Json) -> Sequence[Fault]:
    if not isinstance(content, list):
        return [Fault("", wording.MISTYPED, "重新填写优惠")]
    found: list[Fault] = []
    if len(content) > MOST_PROMOTIONS:
        found.append(Fault("", f"最多 {MOST_PROMOTIONS} 条优惠", "删去已经结束的优惠"))
    for number, one in enumerate(content):
        found += _faults_of(unit, branch, number, one)
    names = Counter(str(one.get("name")) for one in content if isinstance(one, Mapping))
    found += [
        Fault("", f"有 {count} 条优惠的代号都是 {name}", "换一个代号")
        for name, count in names.items()
        if count > 1
    ]
    return found


def _faults_of(unit: Unit, branch: str, number: int, one: Any) -> Iterable[Fault]:
    called = f"第 {number + 1} 条优惠"
    if not isinstance(one, Mapping):
        yield Fault(f"{number}", f"{called}{wording.MISTYPED}", "重新填写这一条")
        return
    try:
        PromotionInput().load(one)
    except ValidationError as refused:
        for path, message in wording.each(wording.messages(refused)):
            where = "/".join(map(str, (number, *path[:1])))
            yield Fault(where, f"{called}：{message}", "按提示改正")
        return
    for name, led in (("url", [one.get("url") or "/"]), ("text", rich_text.addresses(one["text"]))):
        for fault in links.outside(unit.settings, led):
            yield Fault(f"{number}/{name}", f"{called}：{fault}", links.OUTSIDE)
    if one.get("picture") and not pictures.is_there(unit, one["picture"]):
        yield Fault(f"{number}/picture", f"{called}：图片已经不在了", "重新上传图片")
    outside = [code for code in one.get("divisions", ()) if branch not in _serving(unit, code)]
    if outside:
        labels = "、".join(divisions.table().label(code) for code in outside)
        yield Fault(f"{number}/divisions", f"{called}：{labels}不在本行的地域内", "只选本行的地域")


def _serving(unit: Unit, code: str) -> list[str]:
    """The branch that serves a division, with all above it."""
    tree = branches.directory(unit)
    return [str(one.code) for one in tree.chain(tree.serving(DivisionCode(code)).branch.code)]


def _apply(unit: Unit, branch: str, _key: str, content: Json, _by: Actor) -> None:
    promotions.replace_all(unit, BranchCode(branch), [_row(one) for one in content])


def _differences(_unit: Unit, before: Json | None, after: Json) -> Sequence[Difference]:
    old, new = _by_name(before), _by_name(after)
    found = []
    for name in dict.fromkeys((*old, *new)):
        title = (new.get(name) or old[name])["title"]
        was, will = _said(old.get(name)), _said(new.get(name))
        found += [
            Difference(f"优惠“{title}”：{part}", was.get(part, ""), will.get(part, ""))
            for part in dict.fromkeys((*was, *will))
            if was.get(part, "") != will.get(part, "")
        ]
    # The numbers behind the order are nobody's business: only what overtakes another is told.
    earlier, later = _in_order(old, new), _in_order(new, old)
    if earlier != later:
        titles = [
            "、".join(f"“{of[name]['title']}”" for name in names)
            for of, names in ((old, earlier), (new, later))
        ]
        found.append(Difference("优惠的先后", *titles))
    return found


def _in_order(
    these: Mapping[str, Mapping[str, Any]], others: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Those that are among the others as well, as followers see them one after the other."""
    return sorted((name for name in these if name in others), key=lambda name: _place(these[name]))


def _place(one: Mapping[str, Any]) -> int:
    place = one.get("sort", 100)
    return place if isinstance(place, int) else 100


def _by_name(content: Json | None) -> dict[str, Mapping[str, Any]]:
    listed = content if isinstance(content, list) else []
    return {
        str(one.get("name")): one for one in listed if isinstance(one, Mapping) and one.get("title")
    }


def _said(one: Mapping[str, Any] | None) -> dict[str, str]:
    if one is None:
        return {}
    table = divisions.table()
    said = {
        "标题": one.get("title", ""),
        "内容": one.get("text", ""),
        "链接": one.get("url", ""),
        "开始": _when(one.get("starts_at")),
        "结束": _when(one.get("ends_at")),
        "地域": "、".join(table.label(code) or str(code) for code in one.get("divisions") or ()),
        "地图上画的范围": _drawn(one.get("area")),
        "面向标签": "、".join(map(_tag, one.get("audience") or ())),
        "活动标签": "、".join(map(str, one.get("topics") or ())),
        "图片": f"{one.get('picture_says')}（{one['picture'][:8]}）" if one.get("picture") else "",
    }
    return {part: str(text) for part, text in said.items() if text}


def _tag(key: Any) -> str:
    found = tags().get(str(key))
    return found.title if found else str(key)


def _when(text: Any) -> str:
    try:
        moment = fields.AwareDateTime().deserialize(text)
    except ValidationError:
        return str(text or "")
    return f"{clock.shanghai(moment):%Y-%m-%d %H:%M}"


def _drawn(area: Any) -> str:
    if not isinstance(area, Mapping):
        return ""
    inside = area.get("inside") or {}
    polygons, circles = len(inside.get("polygons") or ()), len(inside.get("circles") or ())
    return f"{polygons} 个多边形、{circles} 个圆"


SECTION: Final = Section(
    title="优惠", read=_read, faults=_faults, apply=_apply, differences=_differences, fresh=_fresh
)
