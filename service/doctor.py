"""``flask doctor``: what is well, what is not, and the way out, one line each."""

from __future__ import annotations

import hashlib
import secrets
import sys
from collections.abc import Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Final

import click
import redis
import requests
from flask.cli import with_appcontext

from config import Settings, faults
from service import clock, readiness
from service.readiness import Finding
from service.wechat.errors import TryLater, WillNever
from service.wechat.gateway import gateway_of
from service.wiring import Wiring, wiring

#: Nobody waits longer than this for one look.
PATIENCE_SECONDS: Final = 5
#: The webhook refuses pushes whose time is minutes off, and TLS and tokens suffer before that.
SKEW_SECONDS: Final = 30


@click.command("doctor", help="检查设置、数据库、微信接口和后台进程，并给出解决办法。")
@with_appcontext
def doctor() -> None:
    """Print every finding; exit with 1 if anything is not well."""
    well = True
    for finding in findings(wiring()):
        well = well and finding.well
        click.echo(f"{'✓' if finding.well else '✗'} {finding.says}")
        if finding.way_out:
            click.echo(f"    {finding.way_out}")
    click.echo("一切正常。" if well else "请按上面的提示处理后再运行一次。")
    sys.exit(0 if well else 1)


def findings(wired: Wiring) -> Iterator[Finding]:
    """One look after the other, each as soon as it is known."""
    settings = wired.settings
    yield before_production(settings)
    yield hotline(settings)
    found = readiness.database(wired)
    yield found
    if found.well:
        found = readiness.migrations(wired)
        yield found
    if found.well:
        yield from readiness.checks(wired).values()
    if settings.redis_url:
        yield wake_up_line(settings)
    yield from wechat_api(wired)
    yield webhook(settings)


def before_production(settings: Settings) -> Finding:
    """The settings in force are usable, or nothing would have started; would they be in earnest?"""
    missing = faults(replace(settings, environment="production"))
    if not missing:
        return Finding(True, "设置可用于生产环境")
    return Finding(True, "设置可用于试用", f"上线前还要填写：{'、'.join(sorted(missing))}")


def hotline(settings: Settings) -> Finding:
    """Whether followers are told a number to call; without one they are sent to their cards."""
    if settings.hotline:
        return Finding(True, "客服热线已填写")
    return Finding(True, "客服热线还没有填写，粉丝看到的是“见本行银行卡背面”", "请填写 HOTLINE")


def wake_up_line(settings: Settings) -> Finding:
    """Whether Redis answers; without it workers poll, so nothing is lost but seconds."""
    try:
        with redis.Redis.from_url(
            settings.redis_url, socket_timeout=2, socket_connect_timeout=2
        ) as line:
            line.ping()
    except redis.RedisError:
        return Finding(False, "Redis 连不上", "请检查 REDIS_URL，以及 Redis 是否在运行")
    return Finding(True, "Redis 正常")


def wechat_api(wired: Wiring) -> Iterator[Finding]:
    """Whether WeChat is reached, agrees about the time, and gives this account a token."""
    place = "沙箱" if wired.settings.uses_sandbox else "微信接口"
    try:
        answer = requests.head(wired.settings.wechat_api_base, timeout=PATIENCE_SECONDS)
    except requests.RequestException:
        way_out = (
            "请先运行 make run 启动沙箱" if wired.settings.uses_sandbox else "请检查出网和 DNS"
        )
        yield Finding(False, f"{place}连不上", way_out)
        return
    yield Finding(True, f"{place}可以访问")
    if "Date" in answer.headers:
        yield skew(answer.headers["Date"])
    try:
        gateway_of(wired).current_menu()
    except WillNever as refused:
        yield Finding(False, f"微信拒绝了调用：{refused}", "请核对公众平台「基本配置」里的各项")
    except TryLater as later:
        yield Finding(False, f"微信暂时没有回应：{later}", "请过一分钟再试")
    else:
        yield Finding(True, "access_token 可以取得，接口可以调用")


def skew(date: str) -> Finding:
    """How far this machine's clock is from the one that wrote this HTTP date.

    A date has 29 characters; what a proxy may have added behind it is another's.
    """
    there = parsedate_to_datetime(date[:29])
    seconds = round(abs((clock.now() - there).total_seconds()))
    if seconds > SKEW_SECONDS:
        return Finding(False, f"本机时间相差 {seconds} 秒", "请开启时间同步（NTP）")
    return Finding(True, "本机时间准确")


def webhook(settings: Settings) -> Finding:
    """Knock on our own public address as WeChat does when the address is entered in its console."""
    timestamp, nonce = str(clock.epoch()), secrets.token_hex(8)
    ours = "".join(sorted((settings.wechat_token, timestamp, nonce)))
    word = secrets.token_hex(8)
    knock = {
        "signature": hashlib.sha1(ours.encode(), usedforsecurity=False).hexdigest(),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": word,
    }
    address = f"{settings.public_base_url}/wechat"
    try:
        answer = requests.get(address, knock, timeout=PATIENCE_SECONDS)
    except requests.RequestException:
        return Finding(False, f"消息推送地址 {address} 连不上", "请先启动网页服务，并检查反向代理")
    if answer.status_code != 200 or answer.text != word:
        return Finding(
            False,
            f"消息推送地址 {address} 没有正确应答（HTTP {answer.status_code}）",
            "请检查反向代理是否原样转发 /wechat，以及 WECHAT_TOKEN 是否一致",
        )
    return Finding(True, f"消息推送地址 {address} 应答正确")
