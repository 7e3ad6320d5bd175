"""Why something was not done, in words for the person who tried, each with a way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from service import clock
from service.approvals.kinds import Content, Fault
from service.approvals.models import Version
from service.approvals.states import State

#: What people call the states.
STATES: Mapping[State, str] = {
    State.DRAFT: "草稿",
    State.PROPOSED: "待审批",
    State.APPROVED: "已批准，待上线",
    State.LIVE: "已上线",
    State.RETURNED: "已退回",
    State.WITHDRAWN: "已撤回",
    State.SUPERSEDED: "已被新版本取代",
    State.ROLLED_BACK: "已回退",
}


class Refused(Exception):
    """A move that was not made. ``says`` is why, ``way_out`` what the person can do instead."""

    way_out = "请刷新页面后再看。"

    def __init__(self, says: str) -> None:
        super().__init__(says)
        self.says = says


class NotYours(Refused):
    """It does not exist, or not for this person: nobody may tell which."""

    way_out = "请从列表重新进入。"

    def __init__(self) -> None:
        super().__init__("没有找到这项改动")


class NotAllowed(Refused):
    """The person sees it and may not do this to it."""

    way_out = "请联系本行有权限的同事，或向管理员申请授权。"

    def __init__(self) -> None:
        super().__init__("您的角色不能做这一步")


class OwnWork(Refused):
    """Whoever had a hand in the content does not decide on it."""

    way_out = "请通知另一位复核人员来审批。"

    def __init__(self) -> None:
        super().__init__("您参与过这份内容的编写，不能由您来审批")


class AlreadySettled(Refused):
    """Somebody was faster, or it had long been decided."""

    def __init__(self, version: Version) -> None:
        self.state, self.by, self.at = version.state, *_last(version)
        when = clock.shanghai(self.at).strftime("%m月%d日 %H:%M:%S")
        who = f"{self.by}于{when}处理" if self.by else f"{when}更新"
        super().__init__(f"这项改动已由{who}，现在是“{STATES[self.state]}”")


class ContentChanged(Refused):
    """What the person saw is no longer what there is."""

    way_out = "请刷新页面，看过最新内容再操作。"

    def __init__(self, version: Version) -> None:
        self.version = version
        super().__init__("您看过之后，这份内容又被改动了")


class StaleBase(Refused):
    """Another version went live since this one was begun; putting it live would undo that one."""

    way_out = "请先合并：逐项选择保留哪一边，再重新提交。"

    def __init__(self, version: Version, *, theirs: Content, mine: Content, base: Content) -> None:
        self.version, self.theirs, self.mine, self.base = version, theirs, mine, base
        super().__init__(f"您编写期间，版本 {version.live} 已经上线")


class Faulty(Refused):
    """The content breaks rules, by section."""

    way_out = "请按提示逐项修改后再提交。"

    def __init__(self, faults: Mapping[str, Sequence[Fault]]) -> None:
        self.faults = faults
        first = next((fault for found in faults.values() for fault in found), None)
        count = sum(map(len, faults.values()))
        super().__init__(f"内容有 {count} 处不符合要求" + (f"：{first.rule}" if first else ""))


class ReasonMissing(Refused):
    """A decision others must be able to understand needs a reason."""

    way_out = "请用一两句话写明原因。"

    def __init__(self) -> None:
        super().__init__("没有填写原因")


class TimePassed(Refused):
    """The time it is to go live at is not ahead."""

    way_out = "请选择将来的时间，或留空以便批准后立即上线。"

    def __init__(self) -> None:
        super().__init__("计划上线的时间已经过去")


class NothingChanges(Refused):
    """The content is what is live already."""

    way_out = "请先修改内容再提交；不需要改动时可以撤回草稿。"

    def __init__(self) -> None:
        super().__init__("内容与线上版本完全相同")


class TakesTwo(Refused):
    """What is so dangerous that even going back to it takes a second person."""

    way_out = "请重新提出一项改动，由另一位复核人员审批。"

    def __init__(self) -> None:
        super().__init__("这类改动不能由一个人回退")


class NoWayBack(Refused):
    """The version was never live, or is live now."""

    way_out = "请在历史中另选一个曾经上线的版本。"

    def __init__(self, number: int) -> None:
        super().__init__(f"不能回退到版本 {number}")


def _last(version: Version) -> tuple[str, datetime]:
    """Who moved the version last, as far as it is known, and when."""
    if version.state in (State.LIVE, State.APPROVED, State.RETURNED):
        return version.reviewer, version.decided_at or version.edited_at
    if version.ended_at:
        return version.ended_by, version.ended_at
    return version.maker, version.proposed_at or version.edited_at
