"""What a bound customer may see of their accounts: balance, last entries, the state of their cards.

Everything comes masked from the core and is masked again by its shape; nothing is kept.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from marshmallow import fields, validate

from lightservices.providers import core_client
from lightservices.providers.core_client import SOURCE
from lightservices.providers.protocol import Answer, Audience, Card, Provider, Query, Table
from lightservices.providers.shapes import Amount, Dated, Shape, Words, rows, tail
from service import clock

#: How many entries may be asked for, by what the form says.
MOST: Final = {"最近 10 笔": 10, "最近 20 笔": 20, "最近 50 笔": 50}
CURRENCIES: Final = {"CNY": "元", "USD": "美元", "HKD": "港元", "EUR": "欧元", "JPY": "日元"}
CARD_STATES: Final = {
    "normal": "正常",
    "inactive": "未激活",
    "lost": "已挂失",
    "frozen": "已冻结",
    "expired": "已过期",
    "closed": "已销户",
}


class NoInputs(Shape):
    """A question that needs nothing but the customer."""


class StatementInputs(Shape):
    most = fields.String(load_default="最近 10 笔", validate=validate.OneOf(MOST))


def _currency() -> fields.String:
    return fields.String(required=True, validate=validate.Regexp(r"^[A-Z]{3}$"))


class AccountShape(Shape):
    name = Words(24)
    tail = tail()
    currency = _currency()
    available = Amount()
    balance = Amount(required=False)


class AccountsShape(Dated):
    accounts = rows(AccountShape)


class EntryShape(Shape):
    at = fields.AwareDateTime(required=True, format="iso")
    tail = tail()
    summary = Words(40)
    amount = Amount()
    currency = _currency()


class StatementShape(Dated):
    entries = rows(EntryShape)


class CardShape(Shape):
    name = Words(24)
    tail = tail()
    state = fields.String(required=True, validate=validate.OneOf(CARD_STATES))
    since = fields.Date(required=True)


class CardsShape(Dated):
    cards = rows(CardShape)


_ACCOUNTS, _STATEMENT, _CARDS = AccountsShape(), StatementShape(), CardsShape()


def money(amount: Decimal) -> str:
    """An amount with its thousands apart and at least its cents."""
    return f"{amount:,.2f}" if amount.as_tuple().exponent in (0, -1, -2) else f"{amount:,}"


def _unit(currency: str) -> str:
    return CURRENCIES.get(currency, currency)


def _asked(query: Query, path: str, schema: Any, **more: Any) -> Any:
    return core_client.call(
        query.wiring, "GET", path, deadline=query.deadline, schema=schema,
        customer=query.customer, **more,
    )  # fmt: skip


def balance(query: Query) -> Answer:
    """What there is on each account."""
    found = _asked(query, "/v1/customer/accounts", _ACCOUNTS)
    cards = tuple(_account(one) for one in found["accounts"])
    return Answer(
        cards, found["as_of"], SOURCE, sample=found["sample"],
        note="可用余额是现在可以支取的金额，不含冻结和未到期的部分。",
        empty="您名下没有可以显示的账户。",
    )  # fmt: skip


def _account(one: dict[str, Any]) -> Card:
    pairs = [("可用余额", f"{money(one['available'])} {_unit(one['currency'])}")]
    if one["balance"] is not None:
        pairs.append(("账户余额", f"{money(one['balance'])} {_unit(one['currency'])}"))
    return Card(
        f"{one['name']}（尾号 {one['tail']}）",
        money(one["available"]),
        _unit(one["currency"]),
        tuple(pairs[1:]),
    )


def statement(query: Query) -> Answer:
    """The last entries, the newest first."""
    params = {"limit": MOST[query.inputs["most"]]}
    found = _asked(query, "/v1/customer/statement", _STATEMENT, params=params)
    entries = sorted(found["entries"], key=lambda one: one["at"], reverse=True)
    table = Table(
        ("时间和摘要", "金额"), tuple(_entry(one) for one in entries), "收入为正，支出为负"
    )
    return Answer(
        (table,) if entries else (), found["as_of"], SOURCE, sample=found["sample"],
        note="这里只列最近的交易，完整明细和盖章的流水请到手机银行或网点办理。",
        empty="最近没有交易。",
    )  # fmt: skip


def _entry(one: dict[str, Any]) -> tuple[str, ...]:
    local = clock.shanghai(one["at"])
    amount = f"{'+' if one['amount'] > 0 else ''}{money(one['amount'])}"
    unit = "" if one["currency"] == "CNY" else f" {_unit(one['currency'])}"
    named = f"{one['summary']}\n{local.month} 月 {local.day} 日 {local:%H:%M}，尾号 {one['tail']}"
    return named, amount + unit


def cards(query: Query) -> Answer:
    """The state of each card."""
    found = _asked(query, "/v1/customer/cards", _CARDS)
    parts = tuple(
        Card(
            f"{one['name']}（尾号 {one['tail']}）",
            CARD_STATES[one["state"]],
            "",
            (
                (
                    "自何时起",
                    f"{one['since'].year} 年 {one['since'].month} 月 {one['since'].day} 日",
                ),
            ),
        )
        for one in found["cards"]
    )
    return Answer(
        parts, found["as_of"], SOURCE, sample=found["sample"],
        note="卡片丢失或被盗，请马上挂失，不要等状态更新。", empty="您名下没有可以显示的卡片。",
    )  # fmt: skip


BALANCE: Final = Provider(
    "account-balance", "账户余额", Audience.CUSTOMER, NoInputs, balance, core_client.is_connected
)
STATEMENT: Final = Provider(
    "account-statement", "账户明细", Audience.CUSTOMER, StatementInputs, statement,
    core_client.is_connected,
)  # fmt: skip
CARDS: Final = Provider(
    "card-status", "卡片状态", Audience.CUSTOMER, NoInputs, cards, core_client.is_connected
)
