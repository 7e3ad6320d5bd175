"""A plan for people and for programs: its steps, what it costs, who sees what, and what to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from menus import keys, limits
from menus.audience import Change, changes
from menus.estimate import TAG, UNTAG, Left, Retagging, calls, retagging
from menus.plan import Plan
from menus.publication import Draft
from menus.steps import (
    AddMenu,
    CreateDefault,
    CreateTag,
    DeleteMenu,
    DeleteTag,
    EmptyTag,
    LetGo,
    MoveOut,
    RenameTag,
    Step,
)

#: How many branches and differences are named before "and so on".
_NAMED: Final = 6
#: How many followers must be re-tagged before the plan says how long that takes.
_MANY: Final = 50


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a draft will cost and cause."""

    calls: Mapping[str, int]
    left: Mapping[str, Left]
    retagging: Retagging
    changes: tuple[Change, ...]
    #: The snapshot that is held, or that the draft goes back to.
    snapshot: int | None = None


def foreseen(found: Draft) -> tuple[dict[str, int], Retagging, tuple[Change, ...]]:
    """The calls, the re-tagging and the changes that come with a draft."""
    work = retagging(found.plan, found.census)
    seen = changes(
        found.wish.resolved, found.live, found.plan, reach=found.reach, census=found.census
    )
    return calls(found.plan, work), work, tuple(seen)


# For people


def lines(found: Draft, outlook: Outlook, names: Mapping[str, str]) -> Iterator[str]:
    """The whole plan in Chinese, line by line."""
    if outlook.snapshot is not None:
        yield f"目标：第 {outlook.snapshot} 号存档（各分行的配置暂不生效，flask menus resume 恢复）"
    for one in found.drift:
        yield f"别处的改动：{one.says}"
    if found.drift:
        yield "有别处的改动，发布会被拒绝；确认覆盖请用 flask menus apply --adopt"
    for number, step in enumerate(found.plan.steps, 1):
        yield f"{number:3d}. {said(step, names)}"
    if not found.plan.steps:
        yield "微信上的菜单与应有的一致，无需改动"
    yield room(found)
    yield from _seen(outlook, names)
    yield from _cost(found.plan, outlook)
    yield from remarks(found, names)


def said(step: Step, names: Mapping[str, str]) -> str:
    """One step of a plan as a Chinese sentence."""
    match step:
        case CreateDefault():
            return "发布默认菜单（总行菜单）"
        case CreateTag(key, name):
            return f"建立标签“{name}”（{_owner(names, key)}）"
        case RenameTag(tag_id, key, name):
            return f"沿用标签 {tag_id}，改名为“{name}”（{_owner(names, key)}），粉丝不用重新打标签"
        case AddMenu(key, menu):
            return f"发布{_owner(names, key)}的菜单“{menu[-1].name}”"
        case DeleteMenu(menu_id, key):
            return f"删除{_owner(names, key)}的旧菜单 {menu_id}"
        case LetGo(key, branches, followers):
            whose = "、".join(_owner(names, code) for code in branches[:_NAMED]) or _owner(
                names, key
            )
            return f"{whose}的 {followers} 位粉丝暂时看到总行菜单（没有别的稳妥办法）"
        case MoveOut(tag_id, key, _, followers):
            owner = _owner(names, key)
            return f"等不再归{owner}的 {followers} 位粉丝换好标签（原标签 {tag_id}）"
        case EmptyTag(tag_id, key, followers):
            return f"等{_owner(names, key)}的 {followers} 位粉丝换好标签（原标签 {tag_id}）"
        case DeleteTag(tag_id, key):
            return f"删除{_owner(names, key)}不再使用的标签 {tag_id}"


def room(found: Draft) -> str:
    """What the wanted menus use of what the account allows."""
    used = len(limits.domains(one.menu for one in found.wish.resolved.every))
    ceiling = found.capacity.ceiling
    allowed = "上限尚不清楚" if ceiling is None else f"上限 {ceiling} 个，留一个备用"
    return (
        f"个性化菜单 {len(set(found.plan.reach.values()))} 个（{allowed}），"
        f"标签最多 {found.capacity.tags} 个，链接域名 {used} 个（最多 {limits.MOST_DOMAINS} 个）"
    )


def remarks(found: Draft, names: Mapping[str, str]) -> Iterator[str]:
    """What else to know before publishing: who must do without, what is refused or cut off."""
    for one in found.plan.fallbacks:
        heir = _owner(names, one.heir) if one.heir else "总行"
        yield (
            f"名额不足：{_owner(names, one.key)}的“{one.title}”暂不单独显示，"
            f"{one.followers} 位粉丝改看{heir}的菜单"
        )
    for tag_id in found.plan.aside:
        yield f"标签 {tag_id} 的粉丝超过 {found.capacity.deletable} 位，清空之前不能删除，先留着"
    for code, faults in found.wish.refused.items():
        for fault in faults:
            yield f"不能发布：{_owner(names, code)}，{fault}"
    for variant in found.wish.resolved.variants:
        for fault in limits.warnings(variant.menu):
            yield f"请留意：{_owner(names, variant.key)}，{fault}"


def _seen(outlook: Outlook, names: Mapping[str, str]) -> Iterator[str]:
    for one in outlook.changes:
        whom = [_owner(names, code) for code in one.branches]
        whom += ["位置未知的粉丝"] * one.is_default
        before = " / ".join(one.before) or "没有菜单"
        yield (
            f"看到变化：{_short(whom)}，{one.followers} 位粉丝，"
            f"{before} → {' / '.join(one.after)}：{_short(list(one.differences), '；')}"
        )


def _cost(plan: Plan, outlook: Outlook) -> Iterator[str]:
    for path, count in outlook.calls.items() if plan.steps or outlook.retagging.calls else ():
        left = outlook.left.get(path)
        if left is None or left.remain is None:
            yield f"调用 {path}：{count} 次，今天的额度未知"
            continue
        source = "微信告知" if left.is_asked else "本系统记账"
        short = "，今天不够" if count > left.remain else ""
        yield f"调用 {path}：{count} 次，今天还剩 {left.remain}/{left.limit} 次（{source}）{short}"
    work = outlook.retagging
    if work.followers >= _MANY:
        yield (
            f"要重新打标签的粉丝 {work.followers} 位：打标签 {work.tagging} 次、"
            f"取消标签 {work.untagging} 次（每次 50 位），{in_time(work, outlook.left)}；"
            "中断后会接着做，进展见 flask menus status"
        )


def in_time(work: Retagging, left: Mapping[str, Left]) -> str:
    """How long re-tagging takes, in words."""
    days = work.days(left)
    minutes = max(1, round(work.work / timedelta(minutes=1)))
    spoken = f"{minutes} 分钟" if minutes < 120 else f"{minutes / 60:.1f} 小时"
    if days <= 1:
        return f"今天的额度够用，约需 {spoken}"
    return f"按每天的额度要分 {days} 天做完（调用本身约需 {spoken}）"


def _owner(names: Mapping[str, str], key: str) -> str:
    return keys.named(key, names)


def _short(words: list[str], between: str = "、") -> str:
    rest = f"{between}等 {len(words)} 项" if len(words) > _NAMED else ""
    return between.join(words[:_NAMED]) + rest


# For programs


def as_json(found: Draft, outlook: Outlook) -> dict[str, Any]:
    """Everything there is to know about a plan; fields are only ever added."""
    plan, work = found.plan, outlook.retagging
    renamed = [step for step in plan.steps if isinstance(step, RenameTag)]
    made = [step for step in plan.steps if isinstance(step, CreateTag)]
    return {
        "steps": [{"step": type(step).__name__, **asdict(step)} for step in plan.steps],
        "snapshot": outlook.snapshot,
        "drift": [{"id": one.id, "says": one.says} for one in found.drift],
        "calls": [
            {"path": path, "count": count, **_quota(outlook.left.get(path))}
            for path, count in outlook.calls.items()
        ],
        "tags": {
            "make": [{"key": step.key, "name": step.name} for step in made],
            "rename": [asdict(step) for step in renamed],
            "reuse": dict(sorted(plan.tag_of.items())),
            "aside": list(plan.aside),
        },
        "retag": {
            "followers": work.followers,
            TAG.rsplit("/", 1)[1]: work.tagging,
            UNTAG.rsplit("/", 1)[1]: work.untagging,
            "calls": work.calls,
            "seconds": round(work.work.total_seconds()),
            "days": work.days(outlook.left),
        },
        "changes": [asdict(one) for one in outlook.changes],
        "reach": dict(plan.reach),
        "fallbacks": [asdict(one) for one in plan.fallbacks],
        "refused": {code: list(map(str, faults)) for code, faults in found.wish.refused.items()},
        "capacity": asdict(found.capacity),
        "conditional_menus": len(found.live.conditional),
        "domains": sorted(limits.domains(one.menu for one in found.wish.resolved.every)),
    }


def _quota(left: Left | None) -> dict[str, Any]:
    if left is None:
        return {"limit": None, "used": None, "remain": None, "source": "unknown"}
    source = "wechat" if left.is_asked else "ledger"
    return {"limit": left.limit, "used": left.used, "remain": left.remain, "source": source}
