"""Mass messages by list: keys that are known for a day, four a month for each follower, the report.

Source: the platform's page on mass sending. Only text is played.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from service.clock import shanghai
from service.sandbox.calls import OK, Call, Json, Refused
from service.sandbox.messages import CLIENT_ID_BYTES, TEXT_BYTES
from service.sandbox.tags import is_openid

if TYPE_CHECKING:
    from service.sandbox.world import Follower, World

#: What is reported of a mass message that WeChat lets through.
SUCCESS: Final = "send success"
_LEAST: Final = 2
_MOST: Final = 10_000
_KNOWN_SECONDS: Final = 86_400
#: A key that comes again sooner is told to wait.
_APART_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Job:
    """One mass message: how many it was for, how many were left, and how many got it."""

    msg_id: int
    at: float
    total: int
    ready: int
    sent: int

    @property
    def failed(self) -> int:
        """Those that were left and did not get it."""
        return self.ready - self.sent


class Masses:
    """The jobs by their keys, and what each follower got this calendar month."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.got: Counter[str] = Counter()
        self._month = ""

    def turn(self, now: float) -> None:
        """Forget last month's counts, Shanghai time."""
        month = f"{shanghai(datetime.fromtimestamp(now, UTC)):%Y-%m}"
        if month != self._month:
            self._month = month
            self.got.clear()

    def check(self, key: str, now: float) -> None:
        """Let a key pass that is new.

        Raises:
            Refused: 45066 it came within a minute, 45065 within a day, with the number it had.
        """
        before = self.jobs.get(key)
        if before is None or now - before.at >= _KNOWN_SECONDS:
            return
        if now - before.at < _APART_SECONDS:
            raise Refused(45066)
        raise Refused(45065, msg_id=before.msg_id)


def send(world: World, call: Call) -> Json:
    """``POST /cgi-bin/message/mass/send``."""
    if world.limits.mass_waits_for_admin:
        raise Refused(89504)
    openids, words = _list(call), _words(call)
    masses = world.masses
    masses.turn(call.at)
    key = _key(call, openids, words)
    masses.check(key, call.at)
    there = [world.followers[openid] for openid in openids if _follows(world, openid)]
    gone = len(openids) - len(there)
    ready = [one for one in there if _may_get(world, one)]
    is_let_through = world.limits.mass_status == SUCCESS
    number = world.next_number()
    for one in ready if is_let_through else ():
        masses.got[one.openid] += 1
        world.say(one, "account", kind="text", content={"content": words}, through="mass")
    # Whoever does not follow any more counts as an error, and not as filtered.
    sent = len(ready) if is_let_through else 0
    masses.jobs[key] = Job(number, call.at, len(openids), len(ready) + gone, sent)
    return {**OK, "errmsg": "send job submission success", "msg_id": number, "msg_data_id": number}


def job_of(world: World, msg_id: int) -> Job:
    """The job with this number."""
    return next(job for job in world.masses.jobs.values() if job.msg_id == msg_id)


def _may_get(world: World, one: Follower) -> bool:
    return not (
        one.muted or one.barred or world.masses.got[one.openid] >= world.limits.mass_a_month
    )


def _follows(world: World, openid: str) -> bool:
    one = world.followers.get(openid)
    return one is not None and one.subscribed


def _list(call: Call) -> Sequence[str]:
    sent: Any = call.body.get("touser")
    if not isinstance(sent, list) or len(set(map(str, sent))) < _LEAST:
        raise Refused(40130)
    if len(sent) > _MOST:
        raise Refused(40032)
    if not all(is_openid(openid) for openid in sent):
        raise Refused(40003)
    return list(dict.fromkeys(sent))


def _words(call: Call) -> str:
    if call.word("msgtype") != "text":
        raise Refused(40008)
    text = call.body.get("text")
    words = text.get("content") if isinstance(text, dict) else None
    if not isinstance(words, str) or not words.strip():
        raise Refused(44004)
    if len(words.encode()) > TEXT_BYTES:
        raise Refused(45002)
    return words


def _key(call: Call, openids: Sequence[str], words: str) -> str:
    """The caller's key; without one WeChat takes a digest of the list and the content."""
    key = call.word("clientmsgid")
    if len(key.encode()) > CLIENT_ID_BYTES:
        raise Refused(45067)
    return key or hashlib.sha256(json.dumps([list(openids), words]).encode()).hexdigest()
