"""What WeChat's refusals mean for us: come back later, never come back, or find out what happened.

Codes are those of the platform's published error tables. We branch on the code alone: the words
beside it change and may echo what we sent, so they never reach an exception, except for the ``rid``
(WeChat's own trace number, which can be looked up for seven days) and an address of our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Any, ClassVar, Final

from service import clock
from service.happenings import OpenId


class TryLater(Exception):
    """Not now. ``after`` is how long to wait; ``why`` is a Chinese sentence for operators."""

    #: How many repeats follow with doubled waits before a rest; with 0 every wait is ``after``.
    quick_repeats: ClassVar[int] = 0
    #: Whether everything else in the same lane would be refused as well until then.
    stops_lane: ClassVar[bool] = False

    def __init__(self, after: timedelta, why: str, *, errcode: int = 0, rid: str = "") -> None:
        super().__init__(_sentence(why, errcode, rid))
        self.after = after
        self.why = why
        self.errcode = errcode
        self.rid = rid


class Busy(TryLater):
    """WeChat is busy (-1, or the same follower tagged twice at once): 1, 2, 4 s, then a rest."""

    quick_repeats = 3


class Unreachable(TryLater):
    """WeChat could not be reached or made no sense; repeating the call is harmless."""

    quick_repeats = 6


class Unanswered(Unreachable):
    """The call was sent and no answer came; WeChat recognises a repeat by the key sent along."""


class Unsettled(TryLater):
    """The call was sent and no answer came: it may have taken effect. Look before repeating it."""

    quick_repeats = 6


class Throttled(TryLater):
    """This minute's calls are used up (45011)."""

    stops_lane = True


class QuotaSpent(TryLater):
    """Today's calls are used up, by WeChat's count (45009) or by ours."""

    stops_lane = True


class RepeatedTooSoon(TryLater):
    """A mass message with this key is on its way (45066); only after a minute WeChat says more."""


class AwaitsAdministrator(TryLater):
    """The account's administrator must confirm the call on their phone first (89504, 89505)."""


class PartlyDone(TryLater):
    """A batch took effect except for ``failed`` (45171); repeat it for these only."""

    def __init__(self, failed: Iterable[OpenId], *, rid: str = "") -> None:
        super().__init__(timedelta(seconds=2), "部分粉丝没有处理成功", errcode=45171, rid=rid)
        self.failed = tuple(failed)


class WillNever(Exception):
    """However often it is repeated, WeChat will refuse; ``why`` is a Chinese sentence."""

    def __init__(self, why: str, errcode: int = 0, rid: str = "") -> None:
        super().__init__(_sentence(why, errcode, rid))
        self.why = why
        self.errcode = errcode
        self.rid = rid


class SentBefore(WillNever):
    """A mass message with this key was taken on already (45065), under the number ``msg_id``."""

    def __init__(self, msg_id: str, *, rid: str = "") -> None:
        super().__init__("这条群发已经提交过", 45065, rid)
        self.msg_id = msg_id


class NotAFollower(WillNever):
    """The openid does not follow this account, or is not of it; it poisons a whole batch."""


class MenuCeilingReached(WillNever):
    """The account holds as many conditional menus as WeChat allows (65305)."""


class NoDefaultMenu(WillNever):
    """A conditional menu needs a default menu first (65303)."""


class NameTaken(WillNever):
    """A tag of this name exists already, or the name is not allowed (45157)."""


class CodeRefused(WillNever):
    """A page's one-time code is unknown, used or too old; let the follower come in again."""


class TokenRefused(WillNever):
    """The access token is not valid. The client asks for another once and repeats the call once."""


class AccountRefused(WillNever):
    """WeChat refuses this server or this account whatever it asks: operators must act."""


_NOT_A_FOLLOWER: Final = "对方没有关注本服务号"
_TOKEN: Final = "访问令牌失效"  # noqa: S105  # A sentence about tokens, not a token.

#: What each code that ends a matter means, as a kind of refusal and a sentence.
_FINAL: Final[Mapping[int, tuple[type[WillNever], str]]] = {
    40001: (TokenRefused, _TOKEN),
    40014: (TokenRefused, _TOKEN),
    42001: (TokenRefused, _TOKEN),
    40003: (NotAFollower, _NOT_A_FOLLOWER),
    43004: (NotAFollower, _NOT_A_FOLLOWER),
    46004: (NotAFollower, _NOT_A_FOLLOWER),
    49003: (NotAFollower, _NOT_A_FOLLOWER),
    50005: (NotAFollower, _NOT_A_FOLLOWER),
    65302: (NotAFollower, _NOT_A_FOLLOWER),
    65315: (NotAFollower, _NOT_A_FOLLOWER),
    40029: (CodeRefused, "网页授权凭证无效"),
    40163: (CodeRefused, "网页授权凭证已经用过"),
    41008: (CodeRefused, "缺少网页授权凭证"),
    42003: (CodeRefused, "网页授权凭证已过期"),
    40013: (AccountRefused, "AppID 不正确，请核对配置"),
    40125: (AccountRefused, "AppSecret 不正确或已重置，请核对配置"),
    40164: (AccountRefused, "本服务器的出口 IP 不在公众平台的白名单内，请添加"),
    40243: (AccountRefused, "AppSecret 已被冻结，请在公众平台解冻"),
    41002: (AccountRefused, "缺少 AppID，请核对配置"),
    41004: (AccountRefused, "缺少 AppSecret，请核对配置"),
    48001: (AccountRefused, "本服务号没有这个接口的权限"),
    48003: (AccountRefused, "管理员还没有在公众平台同意群发协议"),
    48004: (AccountRefused, "本服务号的这个接口已被微信封禁"),
    50002: (AccountRefused, "本服务号受到微信限制"),
    50004: (AccountRefused, "本服务号受到微信限制"),
    61004: (AccountRefused, "本服务器的出口 IP 未在公众平台登记"),
    89501: (AccountRefused, "本服务器的出口 IP 正等待管理员确认"),
    89503: (AccountRefused, "本服务器的出口 IP 正等待管理员确认"),
    89506: (AccountRefused, "管理员在 24 小时内已两次拒绝这个出口 IP"),
    89507: (AccountRefused, "管理员在 1 小时内已拒绝这个出口 IP"),
    45157: (NameTaken, "标签名称不合规或已存在"),
    65303: (NoDefaultMenu, "还没有默认菜单，不能建立个性化菜单"),
    65305: (MenuCeilingReached, "个性化菜单数量已达微信的上限"),
    40018: (WillNever, "菜单名称过长"),
    40032: (WillNever, "群发名单的人数不合要求"),
    40037: (WillNever, "模板不存在"),
    40130: (WillNever, "按名单群发至少要两人"),
    40247: (WillNever, "要改用类目模板"),
    40249: (WillNever, "模板消息不允许发送营销内容"),
    43019: (WillNever, "对方已被拉黑"),
    43106: (WillNever, "模板消息能力已被微信处罚限制"),
    43101: (WillNever, "对方没有订阅这条通知"),
    43116: (WillNever, "模板已被限制发送"),
    45002: (WillNever, "消息内容过长"),
    45015: (WillNever, "已超出客服消息的时间窗口"),
    45028: (WillNever, "本月的群发次数已用完"),
    45047: (WillNever, "客服消息条数已达上限"),
    45067: (WillNever, "群发的防重编号过长"),
    45056: (WillNever, "标签数量已达 100 个"),
    45057: (WillNever, "标签下的粉丝超过 10 万，不能直接删除"),
    45058: (WillNever, "不能改动系统标签"),
    45059: (WillNever, "对方身上的标签已达 20 个"),
    45158: (WillNever, "标签名称过长"),
    45159: (WillNever, "标签不存在"),
    46003: (WillNever, "还没有通过接口建立过菜单"),
    47003: (WillNever, "模板参数不合要求"),
    48002: (WillNever, "对方已关闭接收消息"),
    48011: (WillNever, "模板已停用"),
    62751: (WillNever, "对方已被拉黑"),
    65301: (WillNever, "个性化菜单不存在"),
    65316: (WillNever, "个性化菜单中的外部域名超过 3 个"),
    65320: (WillNever, "微信已不支持按性别、地区匹配个性化菜单"),
}
_RID: Final = re.compile(r"rid: ?([0-9a-zA-Z-]{8,64})")
_REFUSED_ADDRESS: Final = re.compile(r"invalid ip ([0-9a-fA-F.:]{3,45})")

#: A clock that is ahead of WeChat's meets yesterday's refusal just after midnight, and must not
#: take it for today's.
MIDNIGHT_DOUBT: Final = timedelta(minutes=10)


def refusal(answer: Mapping[str, Any]) -> TryLater | WillNever:
    """What an answer with an ``errcode`` other than 0 means, ready to be raised."""
    errcode = int(answer["errcode"])
    words = str(answer.get("errmsg", ""))
    found = _RID.search(words)
    rid = found[1] if found else ""
    if errcode == 45171:
        return PartlyDone(map(OpenId, answer.get("fail_openid_list", ())), rid=rid)
    if errcode == 45065 and answer.get("msg_id"):
        return SentBefore(str(answer["msg_id"]), rid=rid)
    if later := _later(errcode, rid):
        return later
    kind, why = _FINAL.get(errcode, (WillNever, "微信拒绝了这次请求"))
    if address := _REFUSED_ADDRESS.search(words):
        why = f"{why}（{address[1]}）"
    return kind(why, errcode, rid)


def _later(errcode: int, rid: str) -> TryLater | None:
    present = clock.now()
    match errcode:
        case -1:
            return Busy(timedelta(seconds=1), "微信系统繁忙", errcode=errcode, rid=rid)
        case 45169:
            return Busy(timedelta(seconds=1), "同一粉丝正在被处理", errcode=errcode, rid=rid)
        case 45009:
            return QuotaSpent(
                until_reset(present), "今天的调用次数已用完", errcode=errcode, rid=rid
            )
        case 45066:
            return RepeatedTooSoon(
                timedelta(seconds=65), "同一条群发正在处理", errcode=errcode, rid=rid
            )
        case 89504 | 89505:
            return AwaitsAdministrator(
                timedelta(minutes=5), "等待管理员在微信上确认群发", errcode=errcode, rid=rid
            )
        case 42010:
            return Throttled(timedelta(minutes=1), "群发太快", errcode=errcode, rid=rid)
        case 45011:
            rest = timedelta(seconds=60 - present.second)
            return Throttled(rest, "这一分钟的调用次数已用完", errcode=errcode, rid=rid)
    return None


def until_reset(present: datetime) -> timedelta:
    """How long until daily quotas start anew: midnight in China, as far as anybody knows."""
    local = clock.shanghai(present)
    midnight = datetime.combine(local.date(), time.min, local.tzinfo)
    if local - midnight < MIDNIGHT_DOUBT:
        return MIDNIGHT_DOUBT
    return midnight + timedelta(days=1) - local


def _sentence(why: str, errcode: int, rid: str) -> str:
    details = [f"errcode {errcode}"] * bool(errcode) + [f"rid {rid}"] * bool(rid)
    return f"{why} ({', '.join(details)})" if details else why
