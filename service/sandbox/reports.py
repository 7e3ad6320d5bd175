"""What the platform reports by itself some time after a call: how a message fared."""

from __future__ import annotations

import threading
from typing import Final

from service.sandbox import payloads
from service.sandbox.calls import Call, Json
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

    def report() -> None:
        if not world.closing.wait(_WAIT_SECONDS):
            deliver(world, pushed)

    threading.Thread(target=report, daemon=True).start()
