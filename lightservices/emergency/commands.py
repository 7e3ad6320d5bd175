"""``flask emergency``: the same operations under the same rules, for when there is no browser.

Whoever acts says who they are (``--as``) and proves it with password and code, as at the door.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click
import yaml
from flask.cli import AppGroup

from lightservices.emergency import changes, in_force, operations, plans, queries, reach, titles
from lightservices.emergency.content import SEVERITIES, Content, write
from lightservices.emergency.models import Record
from lightservices.emergency.reach import Assessment
from lightservices.emergency.refusals import STATES, Refused
from regions import areas, atlas, branches, divisions, presence
from regions.areas import Area, AreaRefused
from regions.coordinates import Datum, to_gcj02
from regions.presence import Whereabouts
from service import clock
from service.staff import Me, entry, second_factor, throttle
from service.staff import operations as people
from service.wiring import Unit, Wiring, wiring

emergency_group = AppGroup("emergency", help="应急专区：提出、开启、延长、关闭、查看。")

#: Everybody at this machine's terminal counts as one address.
_ADDRESS: Final = "terminal"
_WRONG: Final = "登录名、密码或动态码不对。"

_AS: Final = click.option("--as", "login", required=True, help="您的登录名；随后要输入密码和动态码")
_WHY: Final = click.option("--why", required=True, help="原因")
_DRILL: Final = click.option("--drill", is_flag=True, help="演练：到处标明“演练”，不发消息")
_YES: Final = click.option("--yes", is_flag=True, help="不再询问，直接执行")


def _area_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.option("--divisions", default="", help="行政区划代码，用逗号隔开"),
            click.option("--circle", "circles", multiple=True, help="纬度,经度,公里"),
            click.option("--polygon", "polygons", multiple=True, help="纬度,经度;纬度,经度;…"),
            click.option("--without", default="", help="除外的行政区划代码，用逗号隔开"),
            click.option("--area", "file", type=click.Path(exists=True, path_type=Path),
                         help="区域的 JSON 文件，代替以上各项"),
            click.option("--hours", type=int, help="时长（小时）；不给就按预案"),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@emergency_group.command("plan", help="列出预案；给出代码就显示一份，--save 存入一份。")
@click.argument("key", required=False)
@click.option("--save", "file", type=click.Path(exists=True, path_type=Path), help="要存入的文件")
@click.option("--as", "login", default="", help="存入时：您的登录名")
def plan(key: str | None, file: Path | None, login: str) -> None:
    if file is not None:
        _save_plan(file, login)
        return
    with _refusals(), wiring().reading() as unit:
        if key is not None:
            found = plans.find(unit, key)
            click.echo(json.dumps(write(found.content), ensure_ascii=False, indent=2))
            return
        for one in plans.every(unit).values():
            said, edited = one.content, f"，{one.edited_by}修改过" if one.edited_by else ""
            click.echo(
                f"{one.key}  {said.title}（{SEVERITIES[said.severity]}，{said.hours} 小时，"
                f"{len(said.functions)} 项功能{edited}）"
            )


@emergency_group.command("propose", help="提出开启，由另一人确认。")
@click.argument("key")
@_area_options
@_DRILL
@_WHY
@_AS
def propose(key: str, drill: bool, why: str, login: str, **drawn: Any) -> None:
    content, _assessment = _drawn(key, **drawn)
    me = _proved(wiring(), login)
    with _refusals(), wiring().unit() as unit:
        version = operations.propose(unit, content=content, drill=drill, why=why, by=me)
        record = queries.current(unit, me)[0]
    click.echo(f"已提出 {record.key}（第 {version.number} 版），等待另一位同事确认：")
    click.echo(f"  flask emergency open {record.key} --as <登录名>")


@emergency_group.command("open", help="确认开启别人提出的；--change 确认开启中的一项修改。")
@click.argument("key")
@click.option("--change", is_flag=True, help="确认等待中的修改或延长")
@_YES
@_AS
def open_(key: str, change: bool, yes: bool, login: str) -> None:
    me = _proved(wiring(), login)
    with _refusals(), wiring().reading() as unit:
        record = queries.seen_by(unit, key, me)
        version = queries.pending(unit, record) or queries.version(unit, record, 1)
        content = version.content
        assert content.area is not None
        assessment = reach.assess(unit, content.area)
    _show(content, assessment, drill=record.drill)
    _confirm(f"确认影响范围为{assessment.ticked}，开启？", yes=yes)
    with _refusals(), wiring().unit() as unit:
        seen, ticked = version.seal, assessment.ticked
        if change:
            done = changes.adopt(unit, key, version.number, seen=seen, ticked=ticked, by=me)
        else:
            done = operations.open_(unit, key, seen=seen, ticked=ticked, by=me)
    _tell(done)


@emergency_group.command("break-glass", help="紧急开启：一个人，最长两小时，事后必须由他人补审。")
@click.argument("key")
@_area_options
@_DRILL
@_WHY
@_YES
@_AS
def break_glass(key: str, drill: bool, why: str, yes: bool, login: str, **drawn: Any) -> None:
    drawn["hours"] = drawn["hours"] or operations.GLASS_HOURS
    content, assessment = _drawn(key, **drawn)
    me = _proved(wiring(), login)
    _show(content, assessment, drill=drill)
    _confirm("您将一个人开启它，值班名单会收到通知，事后必须补审。继续？", yes=yes)
    with _refusals(), wiring().unit() as unit:
        record = operations.break_glass(
            unit, content=content, why=why, ticked=assessment.ticked, by=me, drill=drill
        )
    _tell(record)


@emergency_group.command("close", help="关闭：一个人，随时可以。")
@click.argument("key")
@click.option("--why", default="", help="原因，可不写")
@_YES
@_AS
def close(key: str, why: str, yes: bool, login: str) -> None:
    me = _proved(wiring(), login)
    _confirm(f"关闭 {key}，所有人立即看不到它。继续？", yes=yes)
    with _refusals(), wiring().unit() as unit:
        _tell(operations.close(unit, key, by=me, why=why))


@emergency_group.command("extend", help="申请延长，由另一人用 open --change 确认。")
@click.argument("key")
@click.argument("hours", type=int)
@_WHY
@_AS
def extend(key: str, hours: int, why: str, login: str) -> None:
    me = _proved(wiring(), login)
    with _refusals(), wiring().unit() as unit:
        version = changes.extend(unit, key, hours=hours, why=why, by=me)
    click.echo(f"已申请延长（第 {version.number} 版），确认前仍按原来的时间结束。")


@emergency_group.command("review", help="补审别人的紧急开启。")
@click.argument("key")
@click.option("--justified/--not-justified", required=True, help="当时是否必要")
@click.option("--words", required=True, help="补审意见")
@_AS
def review(key: str, justified: bool, words: str, login: str) -> None:
    me = _proved(wiring(), login)
    with _refusals(), wiring().unit() as unit:
        operations.review(unit, key, justified=justified, words=words, by=me)
    click.echo("补审已记录。")


@emergency_group.command("status", help="现在有什么：开启的、等待确认的、欠补审的。")
def status() -> None:
    with wiring().reading() as unit:
        found = queries.unfinished(unit)
        for record in found:
            _tell(record)
            waiting = queries.pending(unit, record)
            if waiting is not None and record.live is not None:
                click.echo(f"    有修改等待确认：第 {waiting.number} 版，{waiting.maker}提出")
        for debt in queries.owed(unit):
            click.echo(f"  欠补审：{debt.key}，{debt.person}于 {_when(debt.opened_at)} 紧急开启")
    if not found:
        click.echo("现在没有开启的或等待确认的应急专区。")


@emergency_group.command(
    "locate",
    help="一个点（先纬度后经度）上的粉丝现在会看到什么。",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("lat", type=float)
@click.argument("lng", type=float)
@click.option("--datum", type=click.Choice([one.value for one in Datum]), default="gcj02")
def locate(lat: float, lng: float, datum: str) -> None:
    position = to_gcj02(lat, lng, Datum(datum))
    with wiring().reading() as unit:
        place = _place(unit, position)
        found = in_force.at(unit, place)
    where = divisions.table().label(place.division or "") or "不在境内"
    click.echo(f"{where}，{place.branch.name}")
    for one in found:
        click.echo(f"  {one.key}  {one.title}，到 {_when(one.ends_at)}，{one.path}")
    if not found:
        click.echo("  这里现在没有应急专区。")
        sys.exit(1)


def _proved(wiring: Wiring, login: str) -> Me:
    """The person, once the password and a code that was not used before are right.

    Raises:
        click.ClickException: for anything else, in the same words whatever was wrong.
    """
    password: str = click.prompt("密码", hide_input=True)
    code: str = click.prompt("动态码", hide_input=True)
    with wiring.unit() as unit:  # a try counts even if what follows fails
        wait = throttle.spend(unit, address=_ADDRESS, login=people.login_of(login))
    if wait:
        raise click.ClickException(f"尝试太频繁，请等 {int(wait.total_seconds()) + 1} 秒。")
    with wiring.reading() as unit:
        candidate = entry.candidate(unit, login)
    # Slow on purpose, so nothing is open meanwhile.
    is_right = entry.is_right(candidate, password)
    with wiring.unit() as unit:
        number = candidate.staff_id
        if not is_right or number is None or not second_factor.use_code(unit, number, code):
            raise click.ClickException(_WRONG)
        throttle.give_back(unit, address=_ADDRESS, login=people.login_of(login))
        person = people.required(unit, login)
    return Me(person.id, person.login, person.name, person.grants, _ADDRESS)


def _place(unit: Unit, position: tuple[float, float]) -> Whereabouts:
    county = atlas.current(unit.settings).county_at(*position)
    serving = branches.directory(unit).serving(county, latitude=position[0], longitude=position[1])
    return replace(presence.nowhere(unit), branch=serving.branch, division=county, cell=position)


def _save_plan(file: Path, login: str) -> None:
    if not login:
        raise click.UsageError("存入预案要用 --as 给出您的登录名。")
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(raw, dict):
        raise click.ClickException("文件里应当是一份预案。")
    me = _proved(wiring(), login)
    with _refusals(), wiring().unit() as unit:
        before = plans.every(unit, with_retired=True).get(str(raw.get("key")))
        saved = plans.save(unit, raw, seen=before.hash if before else "", by=me)
    click.echo(f"已存入 {saved.key}（{saved.content.title}）。")


def _drawn(
    key: str, *, divisions: str, circles: tuple[str, ...], polygons: tuple[str, ...], without: str,
    file: Path | None, hours: int | None,
) -> tuple[Content, Assessment]:  # fmt: skip
    """The plan with its area, and what that concerns; worked out before anything is locked."""
    with _refusals(), wiring().reading() as unit:
        found = plans.find(unit, key)
        area = _area(divisions, circles, polygons, without, file)
        content = plans.drawn(found, area, hours=hours)
        if content.area is None:
            raise click.UsageError("请用 --divisions、--circle、--polygon 或 --area 给出区域。")
        return content, reach.assess(unit, content.area)


def _area(
    codes: str, circles: tuple[str, ...], polygons: tuple[str, ...], without: str, file: Path | None
) -> Area | None:
    if file is not None:
        raw = json.loads(file.read_text(encoding="utf-8"))
    elif not (codes or circles or polygons):
        return None
    else:
        raw = {
            "inside": {
                "divisions": codes.replace("，", ",").split(",") if codes else [],
                "circles": [_circle(one) for one in circles],
                "polygons": [[_numbers(pair) for pair in one.split(";")] for one in polygons],
            },
            "outside": {"divisions": without.replace("，", ",").split(",") if without else []},
        }
    try:
        return areas.read(raw)
    except AreaRefused as refused:
        raise click.ClickException(str(refused)) from None


def _circle(text: str) -> dict[str, float]:
    given = _numbers(text)
    if len(given) != 3:
        raise click.UsageError(f"“{text}”应写成：纬度,经度,公里。")
    return {"latitude": given[0], "longitude": given[1], "radius_m": given[2] * 1000}


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.replace("，", ",").split(",")]
    except ValueError:
        raise click.UsageError(f"“{text}”不是用逗号隔开的数字。") from None


def _show(content: Content, assessment: Assessment, *, drill: bool) -> None:
    names = "、".join(branch.name for branch in assessment.branches[:8])
    title = titles.marked(content.title, drill=drill)
    click.echo(f"{title}（{SEVERITIES[content.severity]}，{content.hours} 小时）")
    click.echo(f"  {content.headline}")
    click.echo(f"  涉及：{names}{'等' if len(assessment.branches) > 8 else ''}")
    click.echo(f"  粉丝{assessment.ticked}，网点 {assessment.outlets} 个")


def _tell(record: Record) -> None:
    mark = titles.DRILL if record.drill else ""
    until = f"，到 {_when(record.ends_at)}" if record.ends_at else ""
    click.echo(f"{mark}{record.key}  {STATES[record.stands]}{until}")


def _confirm(question: str, *, yes: bool) -> None:
    if not yes:
        click.confirm(question, abort=True)


def _when(moment: Any) -> str:
    return f"{clock.shanghai(moment):%m-%d %H:%M}"


@contextmanager
def _refusals() -> Iterator[None]:
    """A refusal is told in one line with its way out."""
    try:
        yield
    except Refused as refused:
        raise click.ClickException(f"{refused.says}。{refused.way_out}") from None
