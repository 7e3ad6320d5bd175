"""Telling the followers inside, on the console's page of one emergency: how many, how far, stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from flask import Blueprint, Response, abort, flash, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from lightservices.emergency import holding, messages, notices, queries, reach
from lightservices.emergency.messages import CHANNELS, EVENTS, RUNNING, Estimate, Progress, Weighed
from lightservices.emergency.models import Record
from lightservices.emergency.recipients import A_MONTH, Channel
from lightservices.emergency.refusals import STATES, NotYours, Refused
from lightservices.emergency.states import State
from regions import coverage
from service.access import access
from service.console import guard, shell
from service.staff import Me
from service.wechat.gateway import MASS_MOST
from service.wiring import Unit, wiring

messages_console: Final = Blueprint(
    "console_emergency_messages", __name__, url_prefix=queries.ROOT,
    template_folder="../templates",
)  # fmt: skip

log = structlog.stdlib.get_logger(__name__)

#: What each channel is, for whoever chooses one.
ABOUT: Final[Mapping[Channel, str]] = {
    Channel.SERVICE: "只能发给两天内给本号发过消息的粉丝，一条一条发，停止后不再发下一条。先用它。",
    Channel.TEMPLATE: "发给区域内所有还没有告知的粉丝，只能是服务通知，不能有任何营销内容。",
    Channel.MASS: (
        f"发给两天内没有发过消息的粉丝。每位粉丝每个自然月最多收到 {A_MONTH} 条群发（包括在公众平台"
        "手工发的），用掉就没有了；一次提交 2 至 10000 人，提交给微信的那一批收不回来。"
    ),
}
#: Why nothing goes out by tag, where an operator would look for it.
BY_TAG: Final = (
    "不按标签群发：菜单标签代表“看到同一份菜单的人”，跨越区域的边界，也每人只有一个；"
    "按标签发会发给区域外的人，漏掉区域内的人。这里按位置列出名单来发。"
)
STATE_WORDS: Final[Mapping[str, str]] = {
    messages.RUNNING: "正在发送", messages.STOPPED: "已停止", messages.DONE: "已发完",
}  # fmt: skip


class NotTicked(Refused):
    """Nobody has looked at the number."""

    way_out = "请先勾选核对过的人数，再点“开始发送”。"

    def __init__(self) -> None:
        super().__init__("没有开始发送")


@dataclass(frozen=True, slots=True)
class Run:
    """One telling as the page shows it."""

    progress: Progress
    title: str
    state: str
    may_stop: bool

    @property
    def stop_path(self) -> str:
        """Where its stop is sent, below the emergency's own address."""
        return f"messages/{self.progress.event}/{self.progress.channel}/stop"

    @property
    def is_running(self) -> bool:
        return self.progress.state == RUNNING

    @property
    def settled(self) -> int:
        """How many are over with, one way or another."""
        one = self.progress
        return one.sent + one.refused + one.unsure


@dataclass(frozen=True, slots=True)
class Choice:
    """One channel by which followers may be told now."""

    channel: Channel
    title: str
    about: str
    estimate: Estimate
    #: The words they would read, line by line or field by field.
    says: tuple[str, ...]
    #: It is running already, so there is nothing to start.
    is_running: bool
    #: It ran before; starting it again tells whoever was not told yet.
    is_again: bool
    is_mass: bool

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Whom it leaves out: the reason, and about how many."""
        return tuple((why, coverage.rounded(count)) for why, count in self.estimate.skipped)

    @property
    def month(self) -> str:
        """What is left of this month's mass messages, in words; "" for other channels."""
        if not self.is_mass:
            return ""
        return f"每人每个自然月最多收到 {A_MONTH} 条群发，已满的不在这个人数里"

    @property
    def left(self) -> str:
        """What today's quota leaves, in words."""
        found = self.estimate
        unit, more = ("次提交", f"，每次最多 {MASS_MOST} 人") if self.is_mass else ("条", "")
        left = f"今天还可以发 {found.left_today} {unit}（每天最多 {found.daily} {unit}{more}）"
        if found.why_not:
            return left
        return left + ("，够发完" if found.fits else "，不够发完；余下的零点以后自动继续")


@dataclass(frozen=True, slots=True)
class Told:
    """Everything the page says of messages."""

    key: str
    drill: bool
    event: str
    event_title: str
    #: Why nothing can be started now, or by this person; "" where something can.
    why_not: str
    #: What may be started, once it was counted; None until then, or where it could not be.
    choices: tuple[Choice, ...] | None
    #: It was to be counted, and the database did not answer in time.
    is_uncounted: bool
    runs: tuple[Run, ...]
    by_tag: str = BY_TAG

    @property
    def is_running(self) -> bool:
        return any(run.is_running for run in self.runs)

    @property
    def can_start(self) -> bool:
        """Whether this person may start something now, as far as is known without counting."""
        return bool(self.event) and not self.why_not


def shown(unit: Unit, record: Record, me: Me, *, counts: bool = False) -> Told:
    """What the page says of telling the followers inside, to somebody who may see the emergency.

    Args:
        counts: say as well how many each channel would tell now, which may take longer than the
            database is given: the page itself must stand without.
    """
    codes, event = queries.codes_of(unit, record), messages.event_of(record)
    may_stop = reach.may_everywhere(unit, me, "close_emergency", codes)
    runs = tuple(_run(one, may_stop) for one in messages.progress(unit, record))
    why_not = _why_not(record, event) or _unreadable(unit, record)
    if not why_not and not reach.may_everywhere(unit, me, "open_emergency", codes):
        why_not = "发消息需要“开启应急专区”的权限，并且区域全部在您管辖的机构内。请联系总行值班。"
    wanted = counts and event is not None and not why_not
    found = _estimates(record) if wanted else None
    return Told(
        key=record.key,
        drill=record.drill,
        event=event or "",
        event_title=EVENTS.get(event or "", ""),
        why_not=why_not,
        choices=_choices(unit, record, event, runs, found) if found and event else None,
        is_uncounted=wanted and found is None,
        runs=runs,
    )


@messages_console.get("/<key>/messages")
@access("staff", may="read")
def channels(key: str) -> Response:
    """How many each channel would tell, as a part of the page that is asked for by itself."""
    try:
        with wiring().reading() as unit:
            record = queries.seen_by(unit, key, guard.me())
            told = shown(unit, record, guard.me(), counts=True)
    except NotYours:
        abort(404)
    return shell.page("console/emergency_channels.html", title="", told=told)


@messages_console.post("/<key>/messages/<event>/<channel>")
@access("staff", may="open_emergency")
def start(key: str, event: str, channel: str) -> ResponseReturnValue:
    """Begin to tell the followers inside by this channel."""
    ticked, me = request.form.get("ticked", ""), guard.me()

    def weigh(unit: Unit) -> Weighed:
        if not ticked:
            raise NotTicked
        chosen = _channel(event, channel)
        return messages.weigh(unit, key, event, ticked=ticked, by=me, channel=chosen)

    def act(unit: Unit, weighed: Weighed) -> str:
        messages.begin(unit, weighed, by=me)
        return (
            f"已开始：{EVENTS[event]}，{CHANNELS[Channel(channel)]}。进度在“消息”里，随时可以停止。"
        )

    return _done(key, weigh, act)


@messages_console.post("/<key>/messages/<event>/<channel>/stop")
@access("staff", may="close_emergency")
def stop(key: str, event: str, channel: str) -> ResponseReturnValue:
    """Send nothing more by this channel."""

    def act(unit: Unit, _weighed: None) -> str:
        messages.stop(unit, key, event, by=guard.me(), channel=_channel(event, channel))
        return f"已停止：{CHANNELS[Channel(channel)]}不再发下一条；已经交给微信的收不回来。"

    return _done(key, lambda _unit: None, act)


def _done(
    key: str, weigh: Callable[[Unit], Any], act: Callable[[Unit, Any], str]
) -> ResponseReturnValue:
    """Weigh it while nothing is held, do it, and go back to the emergency's page, which says what
    came of it."""
    try:
        with wiring().reading() as unit:
            # Whoever has no business there learns nothing, not even what is wrong with the rest.
            queries.seen_by(unit, key, guard.me())
            weighed = weigh(unit)
        with wiring().unit() as unit:
            said = act(unit, weighed)
    except NotYours:
        abort(404)
    except Refused as refused:
        flash(f"{refused.says}。{refused.way_out}", "danger")
    else:
        flash(said, "success")
    return _back(key)


def _back(key: str) -> ResponseReturnValue:
    return guard.go(f"{queries.ROOT}/{key}#messages")


def _channel(event: str, channel: str) -> Channel:
    if event not in EVENTS or channel not in CHANNELS:
        abort(404)
    return Channel(channel)


def _why_not(record: Record, event: str | None) -> str:
    if record.drill:
        return "演练不发送任何消息。"
    if event is not None:
        return ""
    if messages.is_old(record):
        return "应急专区结束已超过两天，不再发送消息。"
    if record.stands is State.PROPOSED:
        return "还没有开启。开启以后，由值班人员在这里开始发送。"
    return f"现在的状态是“{STATES[record.stands]}”，没有可以告知粉丝的。"


def _unreadable(unit: Unit, record: Record) -> str:
    """Nobody can be told what cannot be read."""
    if holding.readable(queries.version(unit, record, record.live or 1)) is not None:
        return ""
    return "应急专区的内容读不出来，不能发送消息；正在发送的可以停止。请告知技术同事。"


def _run(one: Progress, may_stop: bool) -> Run:
    title = f"{EVENTS.get(one.event, one.event)} · {CHANNELS[Channel(one.channel)]}"
    return Run(one, title, STATE_WORDS[one.state], may_stop and one.state == RUNNING)


def _estimates(record: Record) -> Sequence[Estimate] | None:
    """How many each channel would tell now; None where the database did not answer in time.

    In a look of its own: after a statement that was given up the connection may be gone.
    """
    try:
        with wiring().reading() as unit:
            return messages.estimates(unit, record)
    except OperationalError as late:
        log.warning("followers inside could not be counted", fault=type(late.orig).__name__)
        return None


def _choices(
    unit: Unit, record: Record, event: str, runs: tuple[Run, ...], found: Sequence[Estimate]
) -> tuple[Choice, ...]:
    before = {run.progress.channel: run for run in runs if run.progress.event == event}
    return tuple(
        Choice(
            channel=one.channel,
            title=CHANNELS[one.channel],
            about=ABOUT[one.channel],
            estimate=one,
            says=_says(unit, record, event, one.channel),
            is_running=one.channel in before and before[one.channel].is_running,
            is_again=one.channel in before,
            is_mass=one.channel is Channel.MASS,
        )
        for one in found
    )


def _says(unit: Unit, record: Record, event: str, channel: Channel) -> tuple[str, ...]:
    if channel is not Channel.TEMPLATE:
        return notices.plain_words(unit, record, event)
    if not unit.settings.emergency_template_id:
        return ()
    notice: Any = notices.read(notices.written(unit, record, event, channel))
    return tuple(f"{field}：{value}" for field, value in notice.data.items())
