"""Why something was not done to an emergency, in words for the person who tried, with a way out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from lightservices.emergency.states import State
from service import clock
from service.approvals.refusals import NotAllowed, NotYours, ReasonMissing, Refused

__all__ = ["NotAllowed", "NotYours", "ReasonMissing", "Refused"]

STATES: Mapping[State, str] = {
    State.PROPOSED: "待开启",
    State.OPEN: "已开启",
    State.CLOSED: "已关闭",
    State.EXPIRED: "已到期",
    State.REJECTED: "已否决",
    State.WITHDRAWN: "已撤回",
}


class NotThatArea(Refused):
    """The area touches branches in which the person may not do this."""

    way_out = "请缩小区域，或请有这些机构权限的同事（如总行值班）来做。"

    def __init__(self, names: tuple[str, ...]) -> None:
        told = "、".join(names[:5]) + ("等" if len(names) > 5 else "")
        super().__init__(f"这个区域涉及您没有权限的机构：{told}")


class OwnProposal(Refused):
    """Whoever proposed does not decide."""

    way_out = "请通知另一位有权限的同事来确认；等不及时可以用紧急开启。"

    def __init__(self) -> None:
        super().__init__("这是您自己提出的，不能由您来确认")


class Settled(Refused):
    """Somebody was faster, the clock was, or there is nothing to decide."""

    def __init__(self, state: State) -> None:
        self.state = state
        super().__init__(f"现在的状态是“{STATES[state]}”，不能再做这一步")


class Changed(Refused):
    """What the person saw is no longer what there is."""

    way_out = "请刷新页面，看过最新内容再操作。"

    def __init__(self) -> None:
        super().__init__("您看过之后，内容又有了变动")


class OtherReach(Refused):
    """The reach the approver ticked is not what it is now."""

    way_out = "请按现在的影响范围再核对一遍，勾选后重试。"

    def __init__(self, reach: str) -> None:
        self.reach = reach
        super().__init__(f"影响范围现在是{reach}，与您勾选的不一致")


class Uncounted(Refused):
    """The database did not count the followers in time; nothing was decided."""

    way_out = "请过一分钟再试；现在生效的内容照旧，随时可以关闭。"

    def __init__(self) -> None:
        super().__init__("区域内的粉丝现在数不出来，这一步没有做")


class Unreadable(Refused):
    """What is stored of it cannot be read any more, by whatever accident."""

    way_out = "请关闭（或否决、不同意）它，再从预案另开一个，并告知技术同事。"

    def __init__(self) -> None:
        super().__init__("这一版的内容读不出来，这一步不能做")


class BadContent(Refused):
    """The content cannot be used as it is."""

    way_out = "请按提示逐项修改后再提交。"

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("；".join(faults))


class NoArea(Refused):
    """A plan may leave the area open; a proposal may not."""

    way_out = "请选行政区划，或在地图上画出区域。"

    def __init__(self) -> None:
        super().__init__("还没有划定区域")


class TooLong(Refused):
    """Longer than the severity, or a broken glass, allows."""

    way_out = "请缩短时长；到期前可以申请延长，由另一位同事批准。"

    def __init__(self, most: int) -> None:
        super().__init__(f"时长应在 1 至 {most} 小时之间")


class ReviewOwed(Refused):
    """The last broken glass of this person has not been looked at yet."""

    way_out = "请先请另一位同事完成补审；现在可以走“提出—由他人开启”的流程。"

    def __init__(self, key: str, since: datetime) -> None:
        self.key = key
        when = clock.shanghai(since).strftime("%m月%d日 %H:%M")
        super().__init__(f"您 {when} 的紧急开启（{key}）还没有补审，补审前不能再次紧急开启")


class Unconfirmed(Refused):
    """Nothing happens by a single slip of the hand."""

    def __init__(
        self, says: str = "还没有勾选确认", way_out: str = "请看过后果、勾选确认后再提交。"
    ) -> None:
        self.way_out = way_out
        super().__init__(says)


class ChangePending(Refused):
    """One change waits for a decision already."""

    way_out = "请先处理或撤回那一项，再提出新的修改。"

    def __init__(self, number: int) -> None:
        super().__init__(f"已有一项修改（版本 {number}）在等待批准")


class PlanChanged(Refused):
    """The plan was saved by somebody else meanwhile."""

    way_out = "请刷新页面，在最新内容上修改。"

    def __init__(self) -> None:
        super().__init__("您编辑期间，这份预案被别人改过了")
