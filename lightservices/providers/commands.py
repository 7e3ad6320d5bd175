"""``flask services providers``: which systems answer queries, and how they have been answering."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click
import requests
from prometheus_client.parser import text_string_to_metric_families

from lightservices.providers import core_client, registry
from lightservices.providers.protocol import Audience, Failed, Provider
from service.wiring import Wiring, wiring

_AUDIENCES = {Audience.EVERYBODY: "所有人", Audience.CUSTOMER: "绑定的客户"}
Counts = Mapping[str, Mapping[str, int]]


@click.command("providers")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON。")
def providers_command(as_json: bool) -> None:
    """列出查询的数据来源：是否接通、应答和熔断的次数（取自正在运行的网页服务）。"""
    answers, breakers = _counted(wiring())
    reached = _reached(wiring())
    providers = registry.chosen(wiring().settings).values()
    listed = [_told(provider, answers, breakers) for provider in providers]
    if as_json:
        click.echo(json.dumps({"core": reached, "providers": listed}, ensure_ascii=False))
        return
    click.echo(f"银行核心系统：{reached}")
    for one in listed:
        counts = "，".join(f"{name} {count}" for name, count in one["answers"].items()) or "还没有"
        turned = (
            "，".join(f"{name} {count}" for name, count in one["breaker"].items()) or "没有动作"
        )
        click.echo(f"{one['name']}（{one['title']}，给{one['audience']}）")
        click.echo(f"    应答：{counts}；熔断：{turned}")


def _told(provider: Provider, answers: Counts, breakers: Counts) -> dict[str, Any]:
    return {
        "name": provider.name,
        "title": provider.title,
        "audience": _AUDIENCES[provider.audience],
        "connected": provider.is_connected(wiring()),
        "keep_seconds": provider.keep_seconds,
        "answers": answers.get(provider.name, {}),
        "breaker": breakers.get(provider.name, {}),
    }


def _reached(wired: Wiring) -> str:
    """Whether the core answers now, asked as any page would."""
    if not core_client.is_connected(wired):
        return "没有接通（CORE_API_BASE 为空）"
    try:
        core_client.in_time(wired, "GET", "/v1/health")
    except Failed as failed:
        return f"没有应答（{failed.why.value}）"
    return "应答正常"


def _counted(wired: Wiring) -> tuple[Counts, Counts]:
    """What the web processes have counted; nothing when none runs here."""
    answers: dict[str, dict[str, int]] = {}
    breakers: dict[str, dict[str, int]] = {}
    for name, labels, value in _samples(wired):
        if name == "account_provider_answers_total":
            answers.setdefault(labels["provider"], {})[labels["outcome"]] = int(value)
        elif name == "account_provider_breakers_total":
            breakers.setdefault(labels["provider"], {})[labels["turned"]] = int(value)
    return answers, breakers


def _samples(wired: Wiring) -> list[tuple[str, Mapping[str, str], float]]:
    try:
        told = requests.get(f"http://127.0.0.1:{wired.settings.port}/metrics", timeout=2)
    except requests.RequestException:
        return []
    if not told.ok:
        return []
    return [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(told.text)
        for sample in family.samples
    ]
