"""What followers are told, as each channel carries it: a text with a link, a template, plain words.

A template may only carry a notice of the service, never an offer; what it says comes from the
emergency alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lightservices.emergency import queries
from lightservices.emergency.content import Content
from lightservices.emergency.models import Record
from lightservices.emergency.recipients import Channel
from lightservices.knowledge.lines import link, plain, text
from service import clock
from service.wechat.templates import fitted, kind_of
from service.wiring import Unit

_OPENED: Final = "opened"


@dataclass(frozen=True, slots=True)
class Notice:
    """A template filled in, ready for anybody."""

    template: str
    data: Mapping[str, str]
    #: Where a tap leads; "" once there is no such page any more.
    url: str


def written(unit: Unit, record: Record, event: str, channel: Channel) -> str:
    """What this channel says of the event; a template is written as JSON, see :func:`read`."""
    content = queries.version(unit, record, record.live or 1).content
    says = content.opened if event == _OPENED else content.ended
    match channel:
        case Channel.SERVICE if event == _OPENED:
            return text(plain(says), link(unit, record.path, "查看详情")).content
        case Channel.TEMPLATE:
            return _template(unit, record, content, event)
        case _:
            # A mass message is plain: its words name the menu's entry, which is there by then.
            return text(plain(says)).content


def plain_words(unit: Unit, record: Record, event: str) -> tuple[str, ...]:
    """The words of a text or a mass message, for whoever is about to send it."""
    content = queries.version(unit, record, record.live or 1).content
    return (content.opened if event == _OPENED else content.ended,)


def read(told: str) -> Notice:
    """A template as :func:`written` wrote it."""
    return Notice(**json.loads(told))


def _template(unit: Unit, record: Record, content: Content, event: str) -> str:
    settings = unit.settings
    values = _values(unit, record, content, event)
    data = {}
    for pair in settings.emergency_template_fields.split(","):
        field, _, source = pair.partition("=")
        value = values[source]
        if kind_of(field) == "date" and source in ("opened_at", "ends_at"):
            value = value.split(" ")[0]
        data[field] = value
    url = f"{settings.public_base_url}{record.path}" if event == _OPENED else ""
    filled = {"template": settings.emergency_template_id, "data": fitted(data), "url": url}
    return json.dumps(filled, ensure_ascii=False)


def _values(unit: Unit, record: Record, content: Content, event: str) -> dict[str, str]:
    """Everything a template's field may be filled from, by the names the setting uses."""
    is_open = event == _OPENED
    opened, ends = record.opened_at or clock.now(), record.ended_at or record.ends_at
    return {
        "title": content.title,
        "headline": content.headline if is_open else f"{content.title}已结束",
        "message": content.opened if is_open else content.ended,
        "state": "已开启" if is_open else "已结束",
        "entry": f"请点菜单“{content.entry}”" if is_open else "原来的菜单已恢复",
        "opened_at": _moment(opened),
        "ends_at": _moment(ends or clock.now()),
        "bank": unit.settings.bank_name,
        "hotline": unit.settings.hotline,
    }


def _moment(when: datetime) -> str:
    local = clock.shanghai(when)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"
