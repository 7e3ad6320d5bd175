"""What WeChat tells about the account and about messages it took from us: for operators to hear."""

from __future__ import annotations

from service import journal
from service.happenings import AccountWarned, MessageSettled
from service.wiring import Unit

log = journal.logger("service.notices")


def warn(_unit: Unit, fact: AccountWarned) -> None:
    """The account's verification or name changes; losing it loses tags, menus and messages."""
    journal.count("account_warnings", event=fact.event)
    log.critical("account_warned", notice=fact.event)


def settle(_unit: Unit, fact: MessageSettled) -> None:
    """The fate of a message or a job that WeChat had accepted."""
    outcome = "success" if "success" in fact.status else "failed"
    journal.count("messages_settled", kind=fact.kind, outcome=outcome)
    if outcome == "failed":
        log.warning("message_failed", kind=fact.kind, status=fact.status[:60])
