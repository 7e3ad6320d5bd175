"""What is drawn on the map, as the lines of a text field: the form's truth, with a script or none.

A line is ``纬度, 经度``, a corner; a third number, metres, makes it a circle; an empty line begins
another ring. All positions are degrees of GCJ-02.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

#: Latitudes north of this are not in the country, longitudes west of it neither.
_NORTHERNMOST: Final = 60.0
_FEWEST: Final = 3


def drawn(typed: str) -> dict[str, Any]:
    """A shape as :mod:`regions.areas` reads it; what is no number stays as it was typed."""
    rings: list[list[Any]] = [[]]
    circles: list[dict[str, Any]] = []
    for line in typed.strip().split("\n"):
        told = [_number(part) for part in _parts(line)]
        if len(told) == 3:
            circles.append(dict(zip(("latitude", "longitude", "radius_m"), told, strict=True)))
        elif told:
            rings[-1].append(told)
        elif rings[-1]:
            rings.append([])
    return {"polygons": [ring for ring in rings if ring], "circles": circles}


def listed(shape: Any) -> str:
    """The same the other way round."""
    if not isinstance(shape, Mapping):
        return ""
    rings = [
        "\n".join(", ".join(map(str, corner)) for corner in ring)
        for ring in shape.get("polygons") or ()
    ]
    rounds = [
        f"{one.get('latitude')}, {one.get('longitude')}, {one.get('radius_m')}"
        for one in shape.get("circles") or ()
    ]
    return "\n\n".join([*rings, *(["\n".join(rounds)] if rounds else [])])


def faults(typed: str) -> Iterator[str]:
    """What cannot be meant, line by line and ring by ring, each with the way out."""
    for number, line in enumerate(typed.split("\n"), 1):
        told = [_number(part) for part in _parts(line)]
        if not told:
            continue
        if len(told) not in (2, 3) or any(isinstance(one, str) for one in told):
            yield (
                f"坐标第 {number} 行“{line.strip()[:40]}”看不懂：一行写“纬度, 经度”，"
                "圆写“纬度, 经度, 半径（米）”"
            )
        elif told[0] > _NORTHERNMOST > told[1]:
            yield f"坐标第 {number} 行好像把经度写在了前面：先写纬度，再写经度"
    for number, ring in enumerate(drawn(typed)["polygons"], 1):
        if len(ring) < _FEWEST:
            yield (
                f"第 {number} 个多边形只有 {len(ring)} 个点：至少要 {_FEWEST} 个，"
                "请接着点，或撤销这几点"
            )


def finished(typed: str) -> dict[str, Any]:
    """The shape without rings that are only begun, for whoever is still drawing."""
    found = drawn(typed)
    return found | {"polygons": [ring for ring in found["polygons"] if len(ring) >= _FEWEST]}


def _parts(line: str) -> list[str]:
    return [part for part in line.replace("，", ",").split(",") if part.strip()]


def _number(typed: str) -> Any:
    try:
        number = float(typed)
    except ValueError:
        number = math.nan
    # Whoever checks the area says that this is no number.
    return number if math.isfinite(number) else typed.strip()
