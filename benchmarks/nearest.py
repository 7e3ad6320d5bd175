"""The nearest 10 of 15,000 outlets: ours, with geopy's distances, against two plainer ways.

``python -m benchmarks.nearest [--json] [--outlets N] [--points N] [--rounds N]``. Rounds are
interleaved and figures are medians of CPU time, because machines are shared and noisy. Brute force
by geopy is so slow that it gets few points; numpy's dot product gives the ranking alone and no
geodesic distance.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
from geopy.distance import geodesic

from lightservices.outlets.models import Outlet
from lightservices.outlets.nearest import Index

COUNT = 10
#: The mainland's box: south, north, west, east, in degrees.
BOX = (18.2, 53.5, 73.5, 134.8)
#: The most brute force is given, at two seconds a point.
BRUTE_POINTS = 2

Point = tuple[float, float]
Way = Callable[[Point], list[str]]


def strewn(count: int, dice: random.Random) -> list[Outlet]:
    """Outlets crowded around some hundred towns, as real ones are."""
    towns = [_anywhere(dice) for _ in range(300)]
    places = [
        (lat + dice.gauss(0, 0.05), lng + dice.gauss(0, 0.05))
        for lat, lng in (dice.choice(towns) for _ in range(count))
    ]
    return [
        Outlet(f"SYN-{number}", "HQ", "000000", "", "", "", lat, lng, "", (), True)
        for number, (lat, lng) in enumerate(places)
    ]


def _anywhere(dice: random.Random) -> Point:
    return dice.uniform(*BOX[:2]), dice.uniform(*BOX[2:])


def ours(outlets: Sequence[Outlet]) -> Way:
    index = Index(outlets)
    return lambda point: [near.outlet.id for near in index.nearest(*point, count=COUNT)]


def by_brute_force(outlets: Sequence[Outlet]) -> Way:
    def find(point: Point) -> list[str]:
        measured = [(geodesic(point, (each.lat, each.lng)).meters, each.id) for each in outlets]
        return [name for _metres, name in sorted(measured)[:COUNT]]

    return find


def by_dot_product(outlets: Sequence[Outlet]) -> Way:
    """The least there is to do on a sphere: one product of unit vectors, and the ten largest."""
    lat, lng = np.radians([(each.lat, each.lng) for each in outlets]).T
    units = np.stack((np.cos(lat) * np.cos(lng), np.cos(lat) * np.sin(lng), np.sin(lat)), axis=1)

    def find(point: Point) -> list[str]:
        phi, lam = np.radians(point)
        here = np.array((np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)))
        near = units @ here
        few = np.argpartition(near, -COUNT)[-COUNT:]
        return [outlets[position].id for position in few[np.argsort(-near[few])]]

    return find


def measure(*, outlets: int, points: int, rounds: int) -> dict[str, float]:
    """Median CPU milliseconds a point of each way, and how often ours agrees with brute force."""
    dice = random.Random(15)
    listed = strewn(outlets, dice)
    asked = [(each.lat + 0.01, each.lng + 0.01) for each in dice.sample(listed, points)]
    ways = {
        "ours": (ours(listed), asked),
        "numpy dot product": (by_dot_product(listed), asked),
        "geopy brute force": (by_brute_force(listed), asked[:BRUTE_POINTS]),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (find, some) in ways.items():
            began = time.process_time()
            for point in some:
                find(point)
            spent[name].append((time.process_time() - began) * 1000 / len(some))
    medians = {f"{name}, ms": statistics.median(times) for name, times in spent.items()}
    own, brute = ways["ours"][0], ways["geopy brute force"][0]
    agreed = sum(own(point) == brute(point) for point in asked[:BRUTE_POINTS])
    ratios = [
        slow / fast for slow, fast in zip(spent["geopy brute force"], spent["ours"], strict=True)
    ]
    return medians | {
        "brute force / ours": statistics.median(ratios),
        "agreement with brute force": agreed / min(points, BRUTE_POINTS),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--outlets", type=int, default=15_000)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    found = measure(outlets=asked.outlets, points=asked.points, rounds=asked.rounds)
    if asked.json:
        print(json.dumps({name: round(value, 4) for name, value in found.items()}))
        return
    for name, value in found.items():
        print(f"{name:<30}{value:>12.3f}")


if __name__ == "__main__":
    main()
