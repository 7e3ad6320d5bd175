"""Charts as plain shapes: where bars, lines and labels stand, for a template to write as SVG.

Beside each chart stands a table with the same numbers; the chart itself is for the eye alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

WIDTH, HEIGHT = 640, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 18, 12, 26
#: How many days are named under the chart.
_LABELS: Final = 6
_LINES: Final = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; ``kind`` counts the series from 1."""

    x: float
    y: float
    width: float
    height: float
    kind: int


@dataclass(frozen=True, slots=True)
class Label:
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn, in units of the view box."""

    bars: Sequence[Bar]
    line: str
    dots: Sequence[tuple[float, float]]
    grid: Sequence[float]
    scale: Sequence[Label]
    days: Sequence[Label]
    view: str = f"0 0 {WIDTH} {HEIGHT}"
    left: int = _LEFT
    right: int = WIDTH - _RIGHT


def bars(days: Sequence[date], *series: Mapping[date, int]) -> Chart:
    """Bars by day, several series one upon the other."""
    sums = [sum(one.get(day, 0) for one in series) for day in days]
    top = _round_up(max(sums, default=0))
    slot = (WIDTH - _LEFT - _RIGHT) / max(len(days), 1)
    found: list[Bar] = []
    for place, day in enumerate(days):
        reached = 0
        for kind, one in enumerate(series, 1):
            number = one.get(day, 0)
            if number:
                reached += number
                high = _y(0, top) - _y(number, top)
                x = _LEFT + (place + 0.15) * slot
                found.append(Bar(_r(x), _r(_y(reached, top)), _r(0.7 * slot), _r(high), kind))
    return _framed(days, top, found, [])


def line(days: Sequence[date], series: Mapping[date, int]) -> Chart:
    """A line through the days there is a number for."""
    top = _round_up(max(series.values(), default=0))
    slot = (WIDTH - _LEFT - _RIGHT) / max(len(days), 1)
    dots = [
        (_r(_LEFT + (place + 0.5) * slot), _r(_y(series[day], top)))
        for place, day in enumerate(days)
        if day in series
    ]
    return _framed(days, top, [], dots)


def _framed(
    days: Sequence[date], top: int, found: Sequence[Bar], dots: Sequence[tuple[float, float]]
) -> Chart:
    steps = [top * step // _LINES for step in range(_LINES + 1)]
    slot = (WIDTH - _LEFT - _RIGHT) / max(len(days), 1)
    every = max(math.ceil(len(days) / _LABELS), 1)
    return Chart(
        bars=found,
        line=" ".join(f"{x},{y}" for x, y in dots),
        dots=dots,
        grid=[_r(_y(step, top)) for step in steps],
        scale=[Label(_LEFT - 6, _r(_y(step, top) + 4), f"{step:,}") for step in steps],
        days=[
            Label(_r(_LEFT + (place + 0.5) * slot), HEIGHT - 8, f"{day.month}/{day.day}")
            for place, day in enumerate(days)
            if (len(days) - 1 - place) % every == 0
        ],
    )


def _y(number: float, top: int) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * number / top


def _round_up(number: int) -> int:
    """The next number whose quarters are whole and easy to read."""
    if number <= _LINES:
        return _LINES
    unit = int(10 ** (len(str(number)) - 1))
    for tenths in (10, 12, 16, 20, 24, 32, 40, 60, 80, 100):
        top = tenths * unit // 10
        if number <= top and top % _LINES == 0:
            return top
    return 20 * unit


def _r(number: float) -> float:
    return round(number, 1)
