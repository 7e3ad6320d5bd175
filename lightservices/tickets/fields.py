"""A form's answers: read, checked field by field, every fault in words for whoever typed it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from lightservices.catalogue.model import FieldType, Form, FormField
from lightservices.tickets import numbers

#: What a field may hold where its file sets no limit, in signs.
MOST: Final[Mapping[FieldType, int]] = {
    FieldType.TEXT: 60,
    FieldType.PARAGRAPH: 500,
    FieldType.NUMBER: 12,
    FieldType.PHONE: 24,
    FieldType.DATE: 10,
    FieldType.CHOICE: 24,
}
#: A field's name in the page, so that no file can name one of the form's own.
PREFIX: Final = "f-"
#: Control signs, and those that turn the direction of writing to make text look like another.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,2})?", re.ASCII)
_YEARS_BACK, _YEARS_AHEAD = 10, 2


@dataclass(frozen=True, slots=True)
class Filled:
    """What was typed by field name, what is wrong with it, and what would be kept."""

    typed: Mapping[str, str]
    faults: Mapping[str, str]
    #: Label and answer, in the form's order, without telephone numbers.
    answers: tuple[tuple[str, str], ...] = ()
    phone: str = field(default="", repr=False)

    @property
    def is_sound(self) -> bool:
        return not self.faults


def clean(text: str) -> str:
    """What was typed, without signs that nobody sees, its lines ended alike."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"\n{3,}", "\n\n", _UNSEEN.sub("", plain)).strip()


def read(form: Form, given: Mapping[str, str], *, today: date) -> Filled:
    """Read what came back for this form; nothing of it is trusted."""
    typed: dict[str, str] = {}
    faults: dict[str, str] = {}
    answers: list[tuple[str, str]] = []
    phone = ""
    for one in form.fields:
        raw = given.get(PREFIX + one.name, "")
        # Shown again in the page, but never more than a little over what is allowed.
        text = typed[one.name] = clean(raw[: 2 * most(one) + 64])
        if fault := _fault(one, text, today):
            faults[one.name] = fault
        elif text and one.type is FieldType.PHONE:
            phone = numbers.telephone(text) or ""
        elif text:
            answers.append((one.label, _kept(one, text)))
    return Filled(typed, faults, tuple(answers), phone)


def most(one: FormField) -> int:
    """How many signs the field may hold."""
    return one.most or MOST[one.type]


def fault_of_words(text: str, *, limit: int) -> str:
    """What is wrong with a message in somebody's own words; empty when it may be kept."""
    if not text:
        return "请写几个字再提交"
    if len(text) > limit:
        return f"最多 {limit} 个字，现在 {len(text)} 个，请缩短一些"
    return _private(text)


def _fault(one: FormField, text: str, today: date) -> str:
    if not text:
        return f"请{_ACT[one.type]}“{one.label}”" if one.required else ""
    if len(text) > most(one):
        return f"最多 {most(one)} 个字，现在 {len(text)} 个，请缩短一些"
    match one.type:
        case FieldType.CHOICE:
            return "" if text in one.choices else "请从列出的选项里选一个"
        case FieldType.DATE:
            return _fault_of_date(text, today)
        case FieldType.PHONE:
            return "" if numbers.telephone(text) else _NO_PHONE
        case FieldType.NUMBER:
            plain = numbers.half_width(text).replace(",", "")
            return "" if _NUMBER.fullmatch(plain) else "请只填数字，例如 8 或 8.5"
        case FieldType.TEXT if "\n" in text:
            return "请写在一行里"
        case _:
            return _private(text)


_ACT: Final[Mapping[FieldType, str]] = {
    FieldType.CHOICE: "选择",
    FieldType.DATE: "选择",
    FieldType.TEXT: "填写",
    FieldType.PARAGRAPH: "填写",
    FieldType.PHONE: "填写",
    FieldType.NUMBER: "填写",
}
_NO_PHONE: Final = "请填 11 位手机号；固定电话请带区号，境外号码请以 + 和国家代码开头"


def _private(text: str) -> str:
    if found := numbers.private_number(text):
        return f"里面像是有{found}，请删去，或只写后四位；需要时工作人员会当面核对"
    return ""


def _fault_of_date(text: str, today: date) -> str:
    try:
        day = date.fromisoformat(numbers.half_width(text))
    except ValueError:
        return f"请按 {today.isoformat()} 的样子填写日期"
    if (
        not today - timedelta(days=365 * _YEARS_BACK)
        <= day
        <= today + timedelta(days=365 * _YEARS_AHEAD)
    ):
        return "这个日期太远了，请核对年份"
    return ""


def _kept(one: FormField, text: str) -> str:
    if one.type in (FieldType.DATE, FieldType.NUMBER):
        return numbers.half_width(text).replace(",", "")
    return text
