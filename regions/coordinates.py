"""Positions on the ground: which datum they are in, the way to GCJ-02, and metres per degree.

GCJ-02 is the program's one internal datum. Conversion goes towards it only. Positions are degrees,
latitude first. The shift is the publicly known approximation that map software has used since it
appeared in *eviltransform*; it applies inside a rectangle around China, Hong Kong and Macau
included, and leaves everything outside alone.
"""

from __future__ import annotations

import enum
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Semi-major axis in metres and squared eccentricity of the shift's ellipsoid, Krasovsky's.
_AXIS, _ECCENTRICITY = 6378245.0, 0.00669342162296594323
#: The rectangle in which the shift applies: south, north, west, east.
_SHIFTED = (0.8293, 55.8271, 72.004, 137.8347)
#: BD-09 turns and stretches GCJ-02 by waves of this frequency and moves it by these degrees.
_BAIDU_WAVE, _BAIDU_NORTH, _BAIDU_EAST = math.pi * 3000.0 / 180.0, 0.006, 0.0065


class Datum(enum.Enum):
    """What a pair of degrees means."""

    WGS84 = "wgs84"  #: satellites, browsers
    GCJ02 = "gcj02"  #: Tencent, Amap, everything inside WeChat
    BD09 = "bd09"  #: Baidu


def to_gcj02(latitude: float, longitude: float, datum: Datum) -> tuple[float, float]:
    """One position in degrees of ``datum`` as degrees of GCJ-02.

    From BD-09 the result is within a millimetre of the exact inverse.
    """
    if datum is Datum.GCJ02:
        return latitude, longitude
    if datum is Datum.BD09:
        north, east = _from_baidu(latitude, longitude, math)
        return float(north), float(east)
    south, north_end, west, east_end = _SHIFTED
    if not (south <= latitude <= north_end and west <= longitude <= east_end):
        return latitude, longitude
    north, east = _shift(latitude, longitude, math)
    return latitude + north, longitude + east


def to_gcj02_many(
    latitudes: ArrayLike, longitudes: ArrayLike, datum: Datum
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same for arrays of degrees, equal in result to :func:`to_gcj02` point by point."""
    lats = np.asarray(latitudes, dtype=np.float64)
    lngs = np.asarray(longitudes, dtype=np.float64)
    if datum is Datum.GCJ02:
        return lats, lngs
    if datum is Datum.BD09:
        return _from_baidu(lats, lngs, np)
    south, north_end, west, east_end = _SHIFTED
    inside = (lats >= south) & (lats <= north_end) & (lngs >= west) & (lngs <= east_end)
    # Far outside, the formula has no meaning and may overflow: ask it about a harmless place.
    north, east = _shift(np.where(inside, lats, 35.0), np.where(inside, lngs, 105.0), np)
    return np.where(inside, lats + north, lats), np.where(inside, lngs + east, lngs)


def metres_per_degree(latitude: Any, maths: Any = math) -> tuple[Any, Any]:
    """How many metres a degree of latitude and one of longitude measure here, on WGS-84.

    One latitude, or an array of them with numpy as ``maths``. The series is the one of 47 CFR
    73.208, good to 0.01 %.
    """
    angle = latitude * (math.pi / 180.0)
    cos = maths.cos
    north = 111132.09 - 566.05 * cos(2 * angle) + 1.20 * cos(4 * angle)
    east = 111415.13 * cos(angle) - 94.55 * cos(3 * angle) + 0.12 * cos(5 * angle)
    return north, east


def _shift(latitude: Any, longitude: Any, maths: Any) -> tuple[Any, Any]:
    """How many degrees north and east GCJ-02 lies of WGS-84; ``maths`` is math or numpy."""
    y, x = latitude - 35.0, longitude - 105.0
    pi, sin, sqrt = math.pi, maths.sin, maths.sqrt
    shared = 20.0 * sin(6.0 * pi * x) + 20.0 * sin(2.0 * pi * x)
    root = 0.1 * sqrt(abs(x))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 2.0 * root
    north += 2.0 / 3.0 * (shared + 20.0 * sin(pi * y) + 40.0 * sin(pi * y / 3.0))
    north += 2.0 / 3.0 * (160.0 * sin(pi * y / 12.0) + 320.0 * sin(pi * y / 30.0))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + root
    east += 2.0 / 3.0 * (shared + 20.0 * sin(pi * x) + 40.0 * sin(pi * x / 3.0))
    east += 2.0 / 3.0 * (150.0 * sin(pi * x / 12.0) + 300.0 * sin(pi * x / 30.0))
    angle = latitude * (pi / 180.0)
    flattening = 1.0 - _ECCENTRICITY * sin(angle) ** 2
    stretch = sqrt(flattening)
    north *= 180.0 * flattening * stretch / (_AXIS * (1.0 - _ECCENTRICITY) * pi)
    east *= 180.0 * stretch / (_AXIS * maths.cos(angle) * pi)
    return north, east


def _to_baidu(latitude: Any, longitude: Any, maths: Any) -> tuple[Any, Any]:
    """GCJ-02 as BD-09, which is how the latter is defined."""
    radius = maths.sqrt(longitude * longitude + latitude * latitude)
    radius = radius + 0.00002 * maths.sin(latitude * _BAIDU_WAVE)
    turn = 0.000003 * maths.cos(longitude * _BAIDU_WAVE)
    atan2 = math.atan2 if maths is math else np.arctan2
    angle = atan2(latitude, longitude) + turn
    return radius * maths.sin(angle) + _BAIDU_NORTH, radius * maths.cos(angle) + _BAIDU_EAST


def _from_baidu(latitude: Any, longitude: Any, maths: Any) -> tuple[Any, Any]:
    """BD-09 as GCJ-02: start near, then take away what is still wrong.

    The forward formula hardly stretches, so every round leaves less than a fiftieth of the error:
    some metres at the start are less than a millimetre after four rounds.
    """
    north, east = latitude - _BAIDU_NORTH, longitude - _BAIDU_EAST
    for _ in range(4):
        there_north, there_east = _to_baidu(north, east, maths)
        north, east = north + (latitude - there_north), east + (longitude - there_east)
    return north, east
