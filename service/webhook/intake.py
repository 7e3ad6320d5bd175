"""Acting on one genuine push: understand it, act once in one transaction, find the answer.

Refused, doubled, late and unreadable pushes all end here in the same quiet way; what could not be
dealt with is kept (see :mod:`service.webhook.kept`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from service import clock, followers, journal
from service.delivery.ledger import Delivery, Desk, request
from service.happenings import Fact, OtherHeard, Subscribed
from service.replies import Reply
from service.webhook import kept, receipts
from service.webhook.nonces import PlainSignature, Reused
from service.wechat.envelope import Envelope, EnvelopeRefused
from service.wechat.errors import WillNever
from service.wechat.fields import Fields, Unreadable, fields_of
from service.wechat.inbound import fact_in, identity_of, xml_of
from service.wiring import Unit, Wiring

log = journal.logger("service.webhook.intake")

#: How long pushes go straight to the spool once the database was found away. Without this every
#: thread would wait its turn to find out, and pushes behind them would wait for all of those.
REST_SECONDS = 3.0

#: What the database raises when it is away, hung or too busy, as against refusing what we asked.
AWAY = (OperationalError, InterfaceError, PoolTimeoutError)


class Intake:
    """Takes in genuine pushes for one process."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self.spool = kept.Spool(wiring.settings.data_dir)
        self.envelope = envelope_of(wiring)
        self._rests_until = 0.0

    def answer(self, message: bytes, plain: PlainSignature | None = None) -> bytes | None:
        """Act on a push and return the reply's XML, or nothing where ``success`` is the answer.

        Raises:
            Reused: the plaintext signature it came with belongs to another body.
        """
        try:
            fields = fields_of(message)
            fact = fact_in(fields)
        except Unreadable as unreadable:
            self._keep(message, fault=unreadable.fault, plain=plain)
            return None
        if time.monotonic() < self._rests_until:
            self._spool(message)
            return None
        try:
            return self._rendered(self._act(fact, fields, plain), fields, fact)
        except Reused:
            raise
        except AWAY:
            log.error("database_away")
            self._rests_until = time.monotonic() + REST_SECONDS
            self._spool(message)
        except Exception as fault:
            # WeChat must not see an outage, and the event must not be lost to our mistake.
            log.exception("event_failed", kind=type(fact).__name__)
            self._keep(message, fault=type(fault).__name__, openid=fact.openid)
        return None

    def replay(self, row: kept.Waiting) -> None:
        """Act on a kept push now; nobody waits for its answer any more.

        Raises:
            Unreadable: it still cannot be understood.
            EnvelopeRefused: it was sealed under a key that is no longer known.
        """
        fields = fields_of(self.envelope.open(row.sealed))
        fact = fact_in(fields)
        with self._wiring.unit() as unit:
            key = receipts.key_of(unit, identity_of(fields))
            followers.alone(unit, fact.openid)
            # After an hour departures are forgotten, so only the living may be acted on.
            lives = isinstance(fact, Subscribed) or followers.is_known(unit, fact.openid)
            fresh = clock.now() - fact.at < followers.DEPARTURE_KEPT
            timely = (lives or fresh) and not followers.is_outdated(unit, fact)
            if timely and receipts.claim(unit, key):
                unit.announce(fact)
            kept.settle(unit, row.id)

    def replay_or_set_aside(self, row: kept.Waiting) -> None:
        """Act on a kept push; what cannot be dealt with is left to a person.

        It must not hold up those behind it. Only a database that is away again ends the round.
        """
        try:
            self.replay(row)
        except AWAY:
            raise
        except Exception as broken:
            log.exception("replay_failed")
            fault = getattr(broken, "fault", type(broken).__name__)
            with self._wiring.unit() as unit:
                kept.set_aside(unit, row.id, fault=fault, openid=self._sender_of(row.sealed))

    def _sender_of(self, sealed: str) -> str | None:
        try:
            return _sender(self.envelope.open(sealed))
        except EnvelopeRefused:
            return None

    def _act(self, fact: Fact, fields: Fields, plain: PlainSignature | None) -> Reply | None:
        tables = self._wiring.tables
        kind = type(fact)
        journal.count("facts_heard", kind=kind.__name__)
        if isinstance(fact, OtherHeard):
            journal.count("unknown_heard", kind=fact.kind[:40])
            return None
        if (glance := tables.glances.get(kind)) is not None:
            with self._wiring.reading() as unit:
                if glance(unit, fact):
                    return None
        if kind not in tables.reactions:
            return self._look_up(fact, fields, plain)
        with self._wiring.unit() as unit:
            _require_own(unit, plain)
            return self._settle(unit, fact, fields)

    def _look_up(self, fact: Fact, fields: Fields, plain: PlainSignature | None) -> Reply | None:
        """The answer to a fact nobody reacts to: it changes nothing, so it needs no transaction."""
        answer = self._wiring.tables.answers.get(type(fact))
        if answer is None:
            return None
        with self._wiring.reading() as unit:
            _require_own(unit, plain)
            if followers.is_outdated(unit, fact) or (reply := answer(unit, fact)) is None:
                return None
            return receipts.first_answer(unit, receipts.key_of(unit, identity_of(fields)), reply)

    def _settle(self, unit: Unit, fact: Fact, fields: Fields) -> Reply | None:
        """The one transaction: claim, follower, reactions, answer."""
        key = receipts.key_of(unit, identity_of(fields))
        if not receipts.claim(unit, key):
            journal.count("pushes_repeated")
            return receipts.answer_given(unit, key)
        followers.alone(unit, fact.openid)
        if followers.is_outdated(unit, fact):
            return None
        unit.announce(fact)
        answer = self._wiring.tables.answers.get(type(fact))
        reply = answer(unit, fact) if answer is not None else None
        if reply is not None:
            receipts.keep_answer(unit, key, reply)
        return reply

    def _rendered(self, reply: Reply | None, fields: Fields, fact: Fact) -> bytes | None:
        if reply is None:
            return None
        # The event's own second, so that every delivery gets the same answer to the letter.
        at = int(fact.at.timestamp())
        return xml_of(reply, to=fact.openid, sender=fields.get("ToUserName", ""), at=at)

    def _keep(
        self,
        message: bytes,
        *,
        fault: str,
        openid: str | None = None,
        plain: PlainSignature | None = None,
    ) -> None:
        journal.count("pushes_kept", fault=fault)
        try:
            with self._wiring.unit() as unit:
                _require_own(unit, plain)
                sealed = self.envelope.seal(message)
                kept.keep(unit, fault=fault, sealed=sealed, openid=openid or _sender(message))
        except SQLAlchemyError:
            # Away, or not migrated yet: the file waits for either.
            self._spool(message)

    def _spool(self, message: bytes) -> None:
        journal.count("pushes_kept", fault=kept.NO_DATABASE)
        self.spool.keep(self.envelope.seal(message))


def _require_own(unit: Unit, plain: PlainSignature | None) -> None:
    if plain is not None:
        plain.require_own(unit)


def envelope_of(wiring: Wiring) -> Envelope:
    """The account's envelope, with the previous key while pushes may still use it."""
    settings = wiring.settings
    return Envelope(
        token=settings.wechat_token,
        appid=settings.wechat_appid,
        keys=[settings.wechat_aes_key, settings.wechat_aes_key_previous],
    )


def _sender(message: bytes) -> str | None:
    """Whom an unreadable message is about, as far as that can be made out."""
    _, _, rest = message.partition(b"<FromUserName>")
    inner, closed, _ = rest.partition(b"</FromUserName>")
    openid = inner.removeprefix(b"<![CDATA[").removesuffix(b"]]>")
    return openid.decode("ascii", "ignore")[:64] or None if closed else None


def ask_for_replay(unit: Unit) -> None:
    """The chore: when something waited for the database, have the worker deal with it."""
    spool = kept.Spool(unit.settings.data_dir)
    if spool.holds_something() or kept.waiting(unit, fault=kept.NO_DATABASE):
        request(unit, "intake.replay", key="all")


def replay_kept(desk: Desk, _deliveries: Sequence[Delivery]) -> Mapping[int, WillNever] | None:
    """The delivery: act on all that waited for the database, oldest first."""
    intake = Intake(desk.wiring)
    with intake.spool.emptied() as waiting, desk.unit() as unit:
        for at, sealed in waiting:
            kept.keep(unit, fault=kept.NO_DATABASE, sealed=sealed, openid=None, at=at)
    with desk.reading() as unit:
        rows = kept.waiting(unit, fault=kept.NO_DATABASE)
    for row in rows:
        intake.replay_or_set_aside(row)
    return None
