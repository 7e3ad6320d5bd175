"""What the platform reports by itself some time after a call: how a message fared."""

from __future__ import annotations

import threading
from typing import Final

from service.sandbox import masses, payloads
from service.sandbox.calls import Call, Json
from service.sandbox.payloads import Pushed
from service.sandbox.push import deliver
from service.sandbox.world import World

_WAIT_SECONDS: Final = 0.5


def template_settled(world: World, call: Call, answer: Json) -> None:
    """Push TEMPLATESENDJOBFINISH a moment after the answer, if such reports are switched on."""
    if not world.webhook.reports:
        return
    with world.lock:
        one = world.followers[call.word("touser")]
        status = "failed:user block" if one.muted else "success"
        fields = {"MsgID": answer["msgid"], "Status": status}
        pushed = payloads.event(
            world.gh_id, one.openid, int(world.now()), "TEMPLATESENDJOBFINISH", fields
        )

    _push_soon(world, pushed)


def mass_finished(world: World, call: Call, answer: Json) -> None:
    """Push MASSSENDJOBFINISH a moment after the answer, if such reports are switched on.

    ``FilterCount`` is how many were left after the filter, as WeChat counts it.
    """
    if not world.webhook.reports:
        return
    with world.lock:
        job = masses.job_of(world, answer["msg_id"])
        fields = {
            "MsgID": job.msg_id,
            "Status": world.limits.mass_status,
            "TotalCount": job.total,
            "FilterCount": job.ready,
            "SentCount": job.sent,
            "ErrorCount": job.failed,
        }
        pushed = payloads.event(
            world.gh_id, payloads.PUSH_SERVICE, int(world.now()), "MASSSENDJOBFINISH", fields
        )
    _push_soon(world, pushed)


def _push_soon(world: World, pushed: Pushed) -> None:
    def report() -> None:
        if not world.closing.wait(_WAIT_SECONDS):
            deliver(world, pushed)

    threading.Thread(target=report, daemon=True).start()
