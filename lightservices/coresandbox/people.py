"""Sample customers nobody could take for real: the same subject is always the same customer.

Their amounts repeat one digit, as the sample rates do, and every answer says that it is a sample.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

Json = dict[str, Any]

_SHOPS: Final = ("示例超市", "示例餐厅", "示例加油站", "示例书店", "示例地铁", "示例药房")
_PRODUCTS: Final = (("信用卡", "reviewing"), ("消费贷款", "documents_needed"), ("社保卡", "mailed"))
_NEXT: Final = {
    "reviewing": "请留意短信通知",
    "documents_needed": "请补充收入证明，可在手机银行上传或到网点提交",
    "mailed": "请留意快递，签收时核对姓名",
}
_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "card": ("示例：补办借记卡", "示例：换发信用卡"),
    "transfer": ("示例：柜台跨行汇款", "示例：手机银行跨行汇款"),
    "account": ("示例：账户管理", "示例：打印历史流水"),
    "loan": ("示例：提前还款",),
    "exchange": ("示例：境外汇款",),
    "online": ("示例：安全工具",),
}
_RATES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "deposit": (
        ("demand", "活期"), ("m3", "定期 3 个月"), ("m6", "定期 6 个月"), ("m12", "定期 1 年"),
        ("m24", "定期 2 年"), ("m36", "定期 3 年"), ("m60", "定期 5 年"),
    ),
    "loan": (("home-first", "首套住房贷款"), ("consumer", "个人消费贷款")),
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One sample customer as seen at one moment."""

    subject: str
    now: datetime

    @property
    def _dice(self) -> random.Random:
        seed = hashlib.sha256(self.subject.encode()).hexdigest()
        return random.Random(seed)  # noqa: S311  # The same figures every time, on purpose.

    @property
    def tails(self) -> tuple[str, str]:
        """The last digits of the savings card and of the credit card."""
        dice = self._dice
        return f"{dice.randrange(10_000):04d}", f"{dice.randrange(10_000):04d}"

    def dated(self, **more: Any) -> Json:
        return {"as_of": self.now.isoformat(timespec="seconds"), "sample": True, **more}

    def accounts(self) -> Json:
        digit = self._dice.randrange(1, 10)
        return self.dated(
            accounts=[
                {
                    "name": "示例借记卡", "tail": self.tails[0], "currency": "CNY",
                    "available": f"{digit * 1111}.{digit}{digit}",
                    "balance": f"{digit * 1111}.{digit}{digit}",
                },
                {
                    "name": "示例定期存款", "tail": f"{int(self.tails[0]) ^ 1:04d}",
                    "currency": "CNY", "available": "0.00", "balance": "10000.00",
                },
            ]
        )  # fmt: skip

    def statement(self, limit: int) -> Json:
        dice = self._dice
        entries = []
        for number in range(min(limit, 30)):
            income = number % 7 == 3
            digit = dice.randrange(1, 10)
            entries.append(
                {
                    "at": (self.now - timedelta(hours=11 * number + 1)).isoformat("T", "seconds"),
                    "tail": self.tails[0],
                    "summary": "示例工资入账" if income else dice.choice(_SHOPS),
                    "amount": "1111.11" if income else f"-{digit * 11}.{digit}{digit}",
                    "currency": "CNY",
                }
            )
        return self.dated(entries=entries)

    def cards(self) -> Json:
        savings, credit = self.tails
        return self.dated(
            cards=[
                {"name": "示例借记卡", "tail": savings, "state": "normal", "since": "2020-01-01"},
                {"name": "示例信用卡", "tail": credit, "state": "inactive", "since": "2026-01-01"},
            ]
        )

    def applications(self) -> Json:
        dice = self._dice
        product, stage = dice.choice(_PRODUCTS)
        return self.dated(
            applications=[
                {
                    "product": f"示例{product}",
                    "reference_tail": f"{dice.randrange(10_000):04d}",
                    "stage": stage,
                    "submitted_on": (self.now - timedelta(days=5)).date().isoformat(),
                    "updated_at": (self.now - timedelta(days=1)).isoformat("T", "seconds"),
                    "next_step": _NEXT[stage],
                }
            ]
        )

    def points(self) -> Json:
        digit = self._dice.randrange(1, 10)
        ending = (self.now + timedelta(days=60)).date().isoformat()
        return self.dated(points=digit * 1111, expiring=[{"points": digit * 111, "on": ending}])


def fees(now: datetime, group: str) -> Json:
    """A list of fees in which no figure is a price."""
    person = Person("", now)
    return person.dated(
        fees=[
            {"name": name, "price": "示例，见本行服务价目表", "waiver": "示例减免条件"}
            for name in _GROUPS[group]
        ]
    )


def gold(now: datetime) -> Json:
    """Prices that are the same whatever happens."""
    quotes = [
        {"name": "示例金条", "unit": "元/克", "buying": "111.11", "selling": "111.11"},
        {"name": "示例银条", "unit": "元/克", "buying": None, "selling": "1.11"},
    ]
    return Person("", now).dated(quotes=quotes)


def exchange(now: datetime) -> Json:
    """Prices of money that are the same for every currency."""
    quotes = [
        {
            "code": code, "name": name, "unit": 100,
            "buying": "111.11", "cash_buying": "111.11", "selling": "111.11",
        }
        for code, name in (("USD", "美元"), ("EUR", "欧元"), ("HKD", "港币"), ("JPY", "日元"))
    ]  # fmt: skip
    return Person("", now).dated(quotes=quotes)


def rates(now: datetime, kind: str) -> Json:
    """Yearly rates that are the same for every term and every loan."""
    lines = [{"code": code, "name": name, "annual_percent": "1.11"} for code, name in _RATES[kind]]
    return Person("", now).dated(rates=lines)


def queue(now: datetime, outlet: str) -> Json:
    """How many wait at this outlet, changing with the hour."""
    digest = hashlib.sha256(f"{outlet}{now:%Y%m%d%H}".encode()).digest()
    return Person("", now).dated(waiting=digest[0] % 12, windows=1 + digest[1] % 4)


GROUPS: Final = tuple(_GROUPS)
KINDS: Final = tuple(_RATES)
