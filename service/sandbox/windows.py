"""When and how often the account may write to a follower who did not just ask.

Source: the platform's table for customer-service messages. How windows that overlap combine is
documented nowhere; here each counts for itself and the one that ends first is used first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from service.sandbox.calls import Json, Refused

if TYPE_CHECKING:
    from service.sandbox.limits import Limits

#: What opens a window. LOCATION and VIEW open none.
Trigger = Literal["message", "click", "follow", "scan"]


@dataclass(slots=True)
class Window:
    """Until when, and how many messages are left in it."""

    ends: float
    left: int


class Windows:
    """The windows one follower opened."""

    def __init__(self) -> None:
        self._open: dict[Trigger, Window] = {}
        #: When the follower last did anything, and whether "is typing" is shown to them.
        self.heard = 0.0
        self.typing = False

    def open(self, trigger: Trigger, now: float, limits: Limits) -> None:
        """The follower did something that lets the account write for a while."""
        sends = {
            "message": limits.message_sends,
            "click": limits.click_sends,
            "follow": limits.follow_sends,
            "scan": limits.scan_sends,
        }[trigger]
        is_message = trigger == "message"
        lasts = limits.message_hours * 3600 if is_message else limits.short_window_seconds
        self._open[trigger] = Window(now + lasts, sends)
        self.heard = now

    def use(self, now: float) -> None:
        """Count one message.

        Raises:
            Refused: 45015 no window is open, 45047 every open one is used up.
        """
        still = sorted((one for one in self._open.values() if one.ends > now), key=_ends)
        if not still:
            raise Refused(45015)
        usable = [one for one in still if one.left]
        if not usable:
            raise Refused(45047)
        usable[0].left -= 1
        self.typing = False

    def close(self) -> None:
        """The follower left."""
        self._open.clear()

    def shown(self, now: float) -> Json:
        return {
            trigger: {"left": window.left, "seconds": round(window.ends - now)}
            for trigger, window in self._open.items()
            if window.ends > now
        }


def _ends(window: Window) -> float:
    return window.ends
