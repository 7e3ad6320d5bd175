"""The fault script: on which call of which path the platform misbehaves, and how.

Rules are tried in order and the first that fires decides. With a seed the whole script plays the
same way every time.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from service.sandbox.calls import Json

Deed = Literal["delay", "hang", "status", "errcode", "lost", "cut", "garbage", "partial"]

#: The path by which a rule speaks of pushes to the webhook instead of calls to the API.
WEBHOOK: Final = "webhook"


class FaultRefused(ValueError):
    """A fault script that cannot be played."""


@dataclass(slots=True)
class Rule:
    """One line of the script.

    Attributes:
        path: an API path, one that ends in ``*`` for all below it, or ``webhook``.
        do: ``delay`` answers late; ``hang`` never answers; ``status`` answers that HTTP status;
            ``errcode`` refuses; ``lost`` does what was asked and drops the connection; ``cut``
            drops it having done nothing; ``garbage`` answers what is not JSON; ``partial`` fails
            for some openids of a batch (45171).
        nth: fires on these matching calls only, counting from 1.
        every: fires on every so-manieth matching call.
        probability: fires with this chance.
        times: fires at most this often; 0 means without end.
        seconds: how long ``delay`` and ``hang`` last.
        effect: whether ``status`` and ``garbage`` happen after the call took effect.
    """

    path: str
    do: Deed
    nth: tuple[int, ...] = ()
    every: int = 0
    probability: float = 1.0
    times: int = 0
    seconds: float = 60.0
    status: int = 503
    errcode: int = -1
    errmsg: str = ""
    effect: bool = False
    openids: tuple[str, ...] = ()
    content_type: str = "text/html"
    body: str = "<html>502 Bad Gateway</html>"
    seen: int = field(default=0, compare=False)
    fired: int = field(default=0, compare=False)

    def covers(self, path: str) -> bool:
        """Whether the rule speaks of this path."""
        if self.path.endswith("*"):
            return path != WEBHOOK and path.startswith(self.path[:-1])
        return path == self.path

    def fires(self, chance: random.Random) -> bool:
        """Whether it misbehaves on the call counted last."""
        if self.times and self.fired >= self.times:
            return False
        if self.nth and self.seen not in self.nth:
            return False
        if self.every and self.seen % self.every:
            return False
        if self.probability < 1 and chance.random() >= self.probability:
            return False
        self.fired += 1
        return True


class FaultScript:
    """What goes wrong, in what order of precedence."""

    def __init__(self) -> None:
        self.play({})

    def play(self, script: Mapping[str, Any]) -> None:
        """Begin this script: ``{"seed": number, "rules": [{…}]}``.

        Raises:
            FaultRefused: a rule has an unknown field or a value of the wrong kind.
        """
        rules = script.get("rules", [])
        if not isinstance(rules, list):
            raise FaultRefused("rules must be a list")
        self.rules = [_rule(rule) for rule in rules]
        self.seed = script.get("seed", 0)
        # Predictable on purpose: a fault found once can be played again.
        self._chance = random.Random(self.seed)  # noqa: S311

    def decide(self, path: str) -> Rule | None:
        """The fault this call meets, if any; every rule that speaks of the path counts the call."""
        met: Rule | None = None
        for rule in self.rules:
            if rule.covers(path):
                rule.seen += 1
                if met is None and rule.fires(self._chance):
                    met = rule
        return met

    def shown(self) -> Json:
        rules = [
            {name: getattr(rule, name) for name in Rule.__dataclass_fields__} for rule in self.rules
        ]
        return {"seed": self.seed, "rules": rules}


_NUMBERS: Final = ("every", "times", "status", "errcode")


def _rule(sent: Any) -> Rule:
    if not isinstance(sent, dict) or not isinstance(sent.get("path"), str):
        raise FaultRefused("every rule needs a path")
    if sent.get("do") not in get_args(Deed):
        raise FaultRefused(f"do must be one of {', '.join(get_args(Deed))}")
    given = {name: value for name, value in sent.items() if name not in ("seen", "fired")}
    unknown = set(given) - set(Rule.__dataclass_fields__)
    if unknown:
        raise FaultRefused(f"a rule has no field {', '.join(sorted(unknown))}")
    nth = given.get("nth", ())
    given["nth"] = (nth,) if isinstance(nth, int) else tuple(nth)
    given["openids"] = tuple(given.get("openids", ()))
    if not all(isinstance(given.get(name, 0), int) for name in _NUMBERS):
        raise FaultRefused(f"{', '.join(_NUMBERS)} must be whole numbers")
    for name in ("seconds", "probability"):
        if not isinstance(given.get(name, 0), int | float):
            raise FaultRefused(f"{name} must be a number")
    return Rule(**given)
