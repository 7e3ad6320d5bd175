"""Point to county: the atlas against shapely's STRtree over the same polygons, in one run.

``python -m benchmarks.locate [--json] [--points N] [--rounds N]``. Rounds are interleaved, figures
are medians of rounds in CPU time, ratios are of rounds side by side: machines are shared and noisy.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from regions import atlas_file, boundaries, divisions
from regions.atlas import Atlas
from regions.boundaries import Boundary
from regions.coordinates import Datum, to_gcj02_many
from regions.survey import survey

Points = list[tuple[float, float]]
#: What a fresh process does to tell how long an atlas takes to open and what it weighs.
_OPEN = """
import sys, time
from pathlib import Path
import numpy as np
from regions import atlas_file
from regions.atlas import Atlas

def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if "VmRSS" in line)

before, started = resident(), time.perf_counter()
survey = atlas_file.read(Path(sys.argv[1]), source="benchmark")
atlas = Atlas(survey, coast_m=3000, border_band_m=300)
atlas.county_at(31.23, 121.47)
opened = time.perf_counter() - started
random = np.random.default_rng(1)
lats, lngs = random.uniform(18, 53, 300_000), random.uniform(74, 135, 300_000)
for point in zip(lats.tolist(), lngs.tolist()):
    atlas.county_at(*point)
print(opened, (resident() - before) / 1000)
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--json", action="store_true", help="print one JSON object")
    asked.add_argument("--points", type=int, default=20_000)
    asked.add_argument("--rounds", type=int, default=7)
    given = asked.parse_args()
    figures = measure(points=given.points, rounds=given.rounds)
    print(json.dumps(figures, indent=2) if given.json else table(figures))


def measure(*, points: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        counties, provinces = _counties(), boundaries.read("province")
        path = Path(folder) / "counties"
        started = time.perf_counter()
        atlas = _atlas(counties, path)
        built = time.perf_counter() - started
        few = _atlas(provinces, Path(folder) / "provinces")
        tree = _tree(counties)
        anywhere, borders, coast = _points(atlas, points)
        opened, megabytes = _opened(path)
        single = _interleaved(
            rounds,
            {
                "atlas, on land": lambda: _singly(atlas, anywhere),
                "atlas, near borders": lambda: _singly(atlas, borders),
                "atlas, off the coast": lambda: _singly(atlas, coast),
                "atlas of 34 provinces, on land": lambda: _singly(few, anywhere),
                "STRtree, on land": lambda: _singly_in_tree(tree, anywhere[: points // 10]),
                "STRtree, near borders": lambda: _singly_in_tree(tree, borders[: points // 10]),
            },
        )
        batch = _interleaved(
            rounds,
            {
                "atlas, on land": lambda: _at_once(atlas, anywhere),
                "atlas, near borders": lambda: _at_once(atlas, borders),
                "STRtree, on land": lambda: _at_once_in_tree(tree, anywhere),
                "STRtree, near borders": lambda: _at_once_in_tree(tree, borders),
            },
        )
        return {
            "polygons": len(counties),
            "points": points,
            "build_seconds": built,
            "open_seconds": opened,
            "memory_megabytes": megabytes,
            "file_megabytes": path.stat().st_size / 1e6,
            "single_microseconds": _medians(single),
            "batch_microseconds": _medians(batch),
            "ratios": {
                "single against STRtree, on land": _ratio(single, "STRtree, on land"),
                "single against STRtree, near borders": _ratio(single, "STRtree, near borders"),
                "batch against STRtree, on land": _ratio(batch, "STRtree, on land"),
                "batch against STRtree, near borders": _ratio(batch, "STRtree, near borders"),
                "2,891 polygons against 34": statistics.median(
                    many / few
                    for many, few in zip(
                        single["atlas, on land"],
                        single["atlas of 34 provinces, on land"],
                        strict=True,
                    )
                ),
            },
        }


def table(figures: dict[str, Any]) -> str:
    lines = [
        f"{figures['polygons']} polygons, {figures['points']} points; built in "
        f"{figures['build_seconds']:.1f} s, opened in {figures['open_seconds'] * 1000:.0f} ms, "
        f"{figures['memory_megabytes']:.0f} MB resident, file {figures['file_megabytes']:.0f} MB",
    ]
    for title, kind in (("one at a time", "single"), ("all at once", "batch")):
        lines.append(f"\n{title}, microseconds a point")
        lines += [
            f"  {name:<32}{value:8.2f}" for name, value in figures[f"{kind}_microseconds"].items()
        ]
    lines.append("\nratios")
    lines += [f"  {name:<40}{value:8.1f} x" for name, value in figures["ratios"].items()]
    return "\n".join(lines)


def _counties() -> list[Boundary]:
    current = divisions.table().current
    return [replace(found, code=current(found.code)) for found in boundaries.read("district")]


def _atlas(found: Sequence[Boundary], path: Path) -> Atlas:
    """Built, written and mapped back, as the program uses it."""
    atlas_file.write(path, survey(found), source="benchmark")
    read_back = atlas_file.read(path, source="benchmark")
    assert read_back is not None
    return Atlas(read_back, coast_m=3000, border_band_m=300)


def _tree(found: Sequence[Boundary]) -> shapely.STRtree:
    return shapely.STRtree([_polygon(boundary) for boundary in found])


def _polygon(boundary: Boundary) -> shapely.Geometry:
    """Land lies on the left of every ring, so rings that turn right are holes."""
    lands: list[shapely.Geometry] = []
    holes: list[shapely.Geometry] = []
    for ring in boundary.rings:
        lats, lngs = to_gcj02_many(ring[:, 1], ring[:, 0], Datum.WGS84)
        linear = shapely.linearrings(lngs, lats)
        (lands if shapely.is_ccw(linear) else holes).append(
            shapely.make_valid(shapely.polygons(linear))
        )
    return shapely.difference(shapely.union_all(lands), shapely.union_all(holes))


def _points(atlas: Atlas, count: int) -> tuple[Points, Points, Points]:
    """Points on land, points within some hundred metres of a border, points off the coast."""
    random = np.random.default_rng(20261122)
    lats, lngs = random.uniform(18, 53.5, count * 4), random.uniform(73.5, 135, count * 4)
    ashore = Atlas(atlas.survey, coast_m=1, border_band_m=1)
    mine = ashore.counties_at(lats, lngs)
    wet = np.flatnonzero((mine == 0) & (atlas.counties_at(lats, lngs) != 0))
    land = np.flatnonzero(mine)[:count]
    by_lat, by_lng, mine = lats[land], lngs[land], mine[land]
    other_lat, other_lng = random.permuted(by_lat), random.permuted(by_lng)
    # Halving the way to a point elsewhere, always keeping to one's own county, ends at its border.
    for _ in range(14):
        lat, lng = (by_lat + other_lat) / 2, (by_lng + other_lng) / 2
        same = ashore.counties_at(lat, lng) == mine
        by_lat, other_lat = np.where(same, lat, by_lat), np.where(same, other_lat, lat)
        by_lng, other_lng = np.where(same, lng, by_lng), np.where(same, other_lng, lng)
    return (
        _pairs(lats[land], lngs[land]),
        _pairs(by_lat, by_lng),
        _pairs(lats[wet], lngs[wet]),
    )


def _pairs(lats: Any, lngs: Any) -> Points:
    return list(zip(lats.tolist(), lngs.tolist(), strict=True))


def _opened(path: Path) -> tuple[float, float]:
    """Seconds until a fresh process has its first answer, and its growth in MB after many."""
    said = subprocess.run(
        [sys.executable, "-c", _OPEN, str(path)], check=True, capture_output=True, text=True
    )
    seconds, megabytes = map(float, said.stdout.split())
    return seconds, megabytes


def _singly(atlas: Atlas, points: Points) -> float:
    ask = atlas.county_at
    started = time.process_time()
    for latitude, longitude in points:
        ask(latitude, longitude)
    return (time.process_time() - started) / len(points) * 1e6


def _singly_in_tree(tree: shapely.STRtree, points: Points) -> float:
    ask, make = tree.query, shapely.Point
    started = time.process_time()
    for latitude, longitude in points:
        ask(make(longitude, latitude), predicate="intersects")
    return (time.process_time() - started) / len(points) * 1e6


def _at_once(atlas: Atlas, points: Points) -> float:
    lats, lngs = np.array(points).T
    started = time.process_time()
    atlas.counties_at(lats, lngs)
    return (time.process_time() - started) / len(points) * 1e6


def _at_once_in_tree(tree: shapely.STRtree, points: Points) -> float:
    lats, lngs = np.array(points).T
    started = time.process_time()
    tree.query(shapely.points(lngs, lats), predicate="intersects")
    return (time.process_time() - started) / len(points) * 1e6


def _interleaved(
    rounds: int, contestants: dict[str, Callable[[], float]]
) -> dict[str, list[float]]:
    """Every contestant in every round; a first round only warms up."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, run in contestants.items():
            microseconds = run()
            if turn:
                taken[name].append(microseconds)
    return taken


def _medians(taken: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(rounds) for name, rounds in taken.items()}


def _ratio(taken: dict[str, list[float]], other: str) -> float:
    ours = other.replace("STRtree", "atlas")
    return statistics.median(
        theirs / mine for theirs, mine in zip(taken[other], taken[ours], strict=True)
    )


if __name__ == "__main__":
    main()
