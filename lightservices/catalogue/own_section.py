"""A branch's own light service as a reviewed change: what it says, or that it goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lightservices.catalogue import own, reading
from lightservices.catalogue.model import REPLACEABLE, FieldType, Kind, Via
from lightservices.pages import kinds
from regions import jurisdiction
from service.approvals.kinds import ChangeKind, Content, Difference, Fault, Json, Section
from service.audit import Actor
from service.wiring import Unit

KIND: Final = "services"
SECTION_NAME: Final = "service"
#: What can be written in the console; the other kinds need a program behind them.
WRITTEN: Final = (Kind.GUIDE, Kind.FORM)

#: What people call the parts of a service, in the order of the form.
PARTS: Final[Mapping[str, str]] = {
    "key": "编号", "title": "名称", "kind": "类型", "scenario": "场景", "class": "类别",
    "summary": "简介", "alert": "醒目提示", "steps": "步骤", "documents": "要准备的材料",
    "time": "办理时间", "fee": "费用", "channels": "办理渠道", "notes": "注意事项",
    "words": "搜索词", "asks": "常见问法", "form": "表单", "related": "相关服务",
    "legal": "依据", "icon": "图标", "order": "排序", "availability": "适用范围",
    "variants": "各地不同的内容", "url": "链接", "provider": "数据来源", "inputs": "查询条件",
    "result": "结果样式",
}  # fmt: skip
#: What people call what is within a part.
_WITHIN: Final[Mapping[str, str]] = {
    "title": "标题", "text": "说明", "name": "名称", "how": "怎么办", "via": "打开方式",
    "link": "网址", "category": "工单类别", "fields": "题目", "done": "提交后说的话",
    "label": "题目", "type": "题型", "required": "必填", "most": "字数", "choices": "选项",
    "hint": "提示", "branches": "机构", "hours": "时间", "source": "出处",
    **{name: PARTS[name] for name in REPLACEABLE},
}  # fmt: skip
#: What people call the icons, in the order in which they are offered.
ICON_TITLES: Final[Mapping[str, str]] = {
    "alert": "警示", "app": "手机应用", "baby": "婴儿", "bell": "铃", "bolt": "电",
    "briefcase": "公文包", "bus": "公交", "calculator": "计算器", "calendar": "日历", "car": "汽车",
    "card": "银行卡", "chart": "走势图", "chat": "对话", "city": "城市", "clock": "时钟",
    "coins": "硬币", "drop": "水", "exchange": "兑换", "family": "家庭", "farm": "农业",
    "flame": "燃气", "gift": "礼物", "globe": "地球", "gold": "黄金", "guide": "指南",
    "heart": "爱心", "home": "房屋", "hospital": "医院", "key": "钥匙", "list": "清单",
    "lock": "锁", "mail": "信封", "palace": "政务", "pen": "笔", "percent": "百分比",
    "person": "一个人", "people": "多个人", "phone": "电话", "pie": "饼图", "pin": "地点",
    "plane": "飞机", "qr": "二维码", "receipt": "收据", "route": "路线", "school": "学校",
    "search": "查找", "shield": "盾牌", "shop": "商店", "sim": "电话卡", "stamp": "印章",
    "star": "星", "tax": "税", "ticket": "票券", "tools": "工具", "train": "火车",
    "transfer": "转账", "truck": "货车", "umbrella": "雨伞", "wallet": "钱包",
}  # fmt: skip
VIAS: Final[Mapping[Via, str]] = {
    Via.PHONE: "拨打电话", Via.APP: "打开手机银行", Via.MINIPROGRAM: "小程序",
    Via.OUTLET: "到网点", Via.WECOM: "联系客户经理", Via.WEB: "打开网页", Via.COUNTER: "到柜台",
}  # fmt: skip
TYPES: Final[Mapping[FieldType, str]] = {
    FieldType.TEXT: "一行字", FieldType.PARAGRAPH: "一段话", FieldType.CHOICE: "单选",
    FieldType.DATE: "日期", FieldType.PHONE: "电话", FieldType.NUMBER: "数字",
}  # fmt: skip
KINDS: Final[Mapping[Kind, str]] = {Kind.GUIDE: "指南", Kind.FORM: "表单"}


def service_in(content: Json | None) -> Mapping[str, Any] | None:
    """What the service says; None where it is to go, or there is none."""
    found = content.get("service") if isinstance(content, Mapping) else None
    return found if isinstance(found, Mapping) else None


def where(path: str) -> str:
    """A place in the content as people call it: ``steps.0.title`` is 步骤 1 的标题."""
    first, *rest = path.split(".")
    words = PARTS.get(first, first)
    if (first, *rest[:1]) == ("form", "fields") and rest[1:]:
        words, rest = "题目", rest[1:]
    for part in rest:
        if part.isdecimal():
            words += f" {int(part) + 1} "
        else:
            words += f"的{_WITHIN.get(part, part)}"
    return words.strip()


def faults_of(unit: Unit, branch: str, key: str, content: Json) -> Sequence[Fault]:
    """What keeps the service from going live; ``where`` is a path with dots."""
    if isinstance(content, Mapping) and "service" in content and content["service"] is None:
        is_there = key in own.of(unit, branch)
        return [] if is_there else [Fault("key", "线上没有这项服务", "撤回这次改动")]
    service = service_in(content)
    if service is None:
        return [Fault("key", "内容写法不对", "请在编辑页上填写")]
    found = [
        Fault(one.field, _plain(one.rule), _plain(one.way_out))
        for one in own.faults(branch, service, known=kinds.known())
    ]
    if any(one.where == "class" for one in found):
        # The class follows from the scenario, and nobody writes it here.
        found = [one for one in found if one.where not in ("class", "scenario")]
        found.append(Fault("scenario", "还没有选场景", "从列表里选一个场景"))
    if service.get("key") != key:
        found.append(Fault("key", "编号与这份文件不一致", "编号定下后不能改，可以另建一项"))
    if service.get("kind") not in WRITTEN:
        found.append(Fault("kind", "自建服务只能是指南或表单", "在这两种里选一种"))
    return [*found, *_taken(unit, branch, service), *_elsewhere(unit, branch, service)]


def read(unit: Unit, branch: str, key: str) -> Json | None:
    """The service as it is live."""
    found = own.of(unit, branch).get(key)
    return {"service": dict(found)} if found is not None else None


def apply(unit: Unit, branch: str, key: str, content: Json, _by: Actor) -> None:
    """Make it live, or take it away."""
    service = service_in(content)
    if service is None:
        own.remove(unit, branch=branch, key=key)
    elif own.of(unit, branch).get(key) != service:
        own.put(unit, branch=branch, content=service, known=kinds.known())


def differences(unit: Unit, before: Json | None, after: Json) -> Sequence[Difference]:
    """Part by part, in people's words."""
    old, new = _named(unit, service_in(before)), _named(unit, service_in(after))
    if old is not None and new is None:
        return [Difference(str(old.get("title", "")), "\n".join(_lines(old)), "")]
    earlier, later = _said(old), _said(new)
    return [
        Difference(part, earlier.get(part, ""), later.get(part, ""))
        for part in dict.fromkeys((*earlier, *later))
        if earlier.get(part, "") != later.get(part, "")
    ]


def consequences(_unit: Unit, _branch: str, content: Content) -> Sequence[str]:
    if service_in(content.get(SECTION_NAME)) is None:
        return ("撤下后粉丝打开原来的链接会看到“没有找到”，指向它的菜单按钮要另行更换。",)
    return ("批准后 1 秒内，本行和下级机构的粉丝在“全部服务”和搜索里就能找到它。",)


def editor(branch: str, key: str) -> str:
    return f"/console/branches/{branch}/services/{key}"


def _taken(unit: Unit, branch: str, service: Mapping[str, Any]) -> Iterator[Fault]:
    """Two services of one branch that are called alike cannot be told apart in the directory."""
    for key, other in own.of(unit, branch).items():
        if key != service.get("key") and other.get("title") == service.get("title"):
            yield Fault("title", f"本行已有一项同名的服务（{key}）", "换一个名称")


def _elsewhere(unit: Unit, branch: str, service: Mapping[str, Any]) -> Iterator[Fault]:
    """Another branch's followers are not this branch's to speak to."""
    below = jurisdiction.below(unit, branch) - {branch}
    told = service.get("variants")
    for number, variant in enumerate(told if isinstance(told, list) else ()):
        codes = variant.get("branches") if isinstance(variant, Mapping) else None
        if not isinstance(codes, list) or any(code not in below for code in codes):
            where = f"variants.{number}.branches"
            yield Fault(where, "只能是本行的下级机构", "从列表里选一个下级机构")


def _plain(words: str) -> str:
    """The rules are written for whoever edits files; in the console there are none."""
    return (
        words.replace(".yaml", "")
        .replace("（kind: form）", "")
        .replace("（choice）", "")
        .replace("从 packs/scenarios 里选一个，或先在那里登记", "从列表里选一个场景")
        .replace("via: app ", "“打开手机银行”")
        .replace("不写 via", "不选打开方式")
        .replace(" form，", "表单，")
        .replace("检查拼写，或删去这一行", "请联系科技人员")
        .replace("参照同目录其他文件的写法改正", "按字段下的说明改写")
        .replace("按提示改正后再检查", "按提示改正")
        .replace("、".join(REPLACEABLE), "、".join(PARTS[name] for name in REPLACEABLE))
    )


def _named(unit: Unit, service: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The service with names where it is written with keys, codes and words for programs."""
    if service is None:
        return None
    told = dict(service)
    if isinstance(related := told.get("related"), list):
        pack = reading.catalogue().services
        told["related"] = [pack[key].title if key in pack else key for key in map(str, related)]
    if isinstance(variants := told.get("variants"), list):
        names = jurisdiction.names(unit)
        told["variants"] = [
            {**one, "branches": [names.get(str(code), code) for code in one.get("branches") or ()]}
            for one in variants
            if isinstance(one, Mapping)
        ]
    if "icon" in told:
        told["icon"] = ICON_TITLES.get(str(told["icon"]), told["icon"])
    return told


def _said(service: Mapping[str, Any] | None) -> dict[str, str]:
    if service is None:
        return {}
    said = {PARTS.get(name, name): _text(name, value) for name, value in service.items()}
    order = list(PARTS.values())
    named = sorted(said.items(), key=lambda one: order.index(one[0]) if one[0] in order else 99)
    return {part: text for part, text in named if text}


def _lines(service: Mapping[str, Any]) -> Iterator[str]:
    for part, text in _said(service).items():
        yield f"{part}：{text}"


def _text(name: str, value: Any) -> str:
    if name == "kind":
        return next((title for kind, title in KINDS.items() if kind == value), str(value))
    if isinstance(value, Mapping):
        return "\n".join(
            f"{_WITHIN.get(part, part)}：{_text(part, inner)}"
            for part, inner in sorted(value.items(), key=_in_order)
            if inner not in ("", [], None) and not (name == "fields" and part == "name")
        )
    if isinstance(value, list):
        whole = any(isinstance(inner, Mapping) for inner in value)
        return "\n".join(
            f"{number}. {_one(name, inner)}" if whole else str(inner)
            for number, inner in enumerate(value, 1)
        )
    if isinstance(value, bool):
        return "是" if value else "否"
    titles = {str(via): title for via, title in VIAS.items()} if name == "via" else {}
    if name == "type":
        titles = {str(type_): title for type_, title in TYPES.items()}
    return titles.get(str(value), str(value or ""))


def _in_order(part: tuple[str, Any]) -> int:
    """What is kept has its parts in the order of the alphabet, which is nobody's."""
    order = list(_WITHIN)
    return order.index(part[0]) if part[0] in order else len(order)


def _one(name: str, inner: Any) -> str:
    return "；".join(_text(name, inner).split("\n"))


#: One service of a branch.
SERVICE: Final = Section(
    title="自建服务",
    read=read,
    faults=faults_of,
    apply=apply,
    differences=differences,
    fresh=lambda _unit, _branch, _key: {"service": None},
)
SERVICES_KIND: Final = ChangeKind(
    title="自建服务",
    sections={SECTION_NAME: SERVICE},
    keys=r"(?:hq|b\d{6})-[a-z0-9-]{1,32}",
    consequences=consequences,
    editor=editor,
)
