"""Which county a point lies in, how far the borders are, and how sure one can be.

All positions are degrees of GCJ-02, latitude first. Answers are exact with respect to the mapped
boundaries: nothing is simplified. The map ends at a generalised coast, so a point off it belongs to
the nearest county within ``coast_m`` metres.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from struct import Struct
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from config import Settings
from regions import atlas_file, boundaries, divisions
from regions.coordinates import metres_per_degree
from regions.divisions import DivisionCode
from regions.survey import (
    COLUMNS,
    EAST,
    NORTH,
    PER_DEGREE,
    PIECE_BYTES,
    ROWS,
    SOUTH,
    WEST,
    Floats,
    Integers,
    Progress,
    Survey,
    spread,
    survey,
)

FILE_NAME: Final = "atlas.bin"
#: How far to look for a border at first, in metres; most are nearer.
_FIRST_LOOK_M = 8_000.0
_TRIAL, _TRIAL_BYTES = Struct("<4i"), 16
_PIECE = Struct("<4d")
#: A cell's height, and at the equator its width, is no less than this.
_METRES_PER_CELL = 110_500.0 / PER_DEGREE


@dataclass(frozen=True, slots=True)
class Located:
    """What the atlas knows about a point.

    ``distance_to_border_m`` is to the nearest border of the division, coast included. The place is
    ``ambiguous`` where another county comes within the border band: independent maps disagree
    about a quarter of such points. ``neighbours`` are those counties with their distances, nearest
    first. ``why`` is a Chinese sentence.
    """

    division: DivisionCode | None
    distance_to_border_m: float | None
    ambiguous: bool
    neighbours: tuple[tuple[DivisionCode, float], ...]
    why: str


class Atlas:
    """A built survey, ready to answer."""

    def __init__(self, survey: Survey, *, coast_m: float, border_band_m: float) -> None:
        self.coast_m, self.border_band_m = coast_m, border_band_m
        self.survey = survey
        self._codes = tuple(map(DivisionCode, ("", *survey.codes)))
        self._numbers = np.array([0, *map(int, survey.codes)], dtype=np.int32)
        self._cells = survey.cells.data
        self._trials = survey.trials.data.cast("B")
        self._pieces = survey.pieces.data.cast("B")

    @property
    def codes(self) -> tuple[DivisionCode, ...]:
        """The counties on the map, in the order of their codes."""
        return self._codes[1:]

    def county_at(self, latitude: float, longitude: float) -> DivisionCode | None:
        """The county at this point, or the nearest within ``coast_m``; None far from any."""
        county = self._containing(latitude, longitude) or self._off_coast(latitude, longitude)
        return self._codes[county] if county else None

    def counties_at(self, latitudes: ArrayLike, longitudes: ArrayLike) -> NDArray[np.int32]:
        """:meth:`county_at` for many points at once: six-digit codes as numbers, 0 for None."""
        lats = np.asarray(latitudes, dtype=np.float64)
        lngs = np.asarray(longitudes, dtype=np.float64)
        on_map = np.flatnonzero((lats >= SOUTH) & (lats < NORTH) & (lngs >= WEST) & (lngs < EAST))
        found = np.zeros(len(lats), dtype=np.int32)
        found[on_map] = self._containing_many(lats[on_map], lngs[on_map])
        off = on_map[found[on_map] == 0]
        off = off[self._shore[_cells_at(lats[off], lngs[off])]]
        found[off] = self._nearest(lats[off], lngs[off])
        return self._numbers[found]

    def near(
        self, latitude: float, longitude: float, within_m: float
    ) -> list[tuple[DivisionCode, float]]:
        """The counties within so many metres, nearest first; the one around the point is at 0."""
        distances = self._to_borders(latitude, longitude, within_m)
        if county := self._containing(latitude, longitude):
            distances[county] = 0.0
        return self._named(distances)

    def locate(self, latitude: float, longitude: float) -> Located:
        """The county as :meth:`county_at` gives it, with how sure that is and why."""
        containing = self._containing(latitude, longitude)
        county = containing or self._off_coast(latitude, longitude)
        if not county:
            return Located(
                None, None, False, (), f"{self.coast_m:g} 米之内没有已知的行政区划，无法判断归属"
            )
        within_m = max(_FIRST_LOOK_M, self.coast_m + self.border_band_m)
        while county not in (distances := self._to_borders(latitude, longitude, within_m)):
            within_m *= 4
        own = distances.pop(county)
        least = 0.0 if containing else own
        neighbours = self._named(
            {n: metres for n, metres in distances.items() if metres - least <= self.border_band_m}
        )
        return Located(
            self._codes[county],
            own,
            bool(neighbours),
            tuple(neighbours),
            _why(self._codes[county], own, neighbours, inside=bool(containing)),
        )

    def _containing(self, latitude: float, longitude: float) -> int:
        """The number of the county around this point; 0 if there is none."""
        if not (SOUTH <= latitude < NORTH and WEST <= longitude < EAST):
            return 0
        row, column = int((latitude - SOUTH) * PER_DEGREE), int((longitude - WEST) * PER_DEGREE)
        found: int = self._cells[row * COLUMNS + column]
        while found < 0:
            start, stop, odd, even = _TRIAL.unpack_from(self._trials, -found * _TRIAL_BYTES)
            inside = False
            for south, north, east, slope in _PIECE.iter_unpack(self._pieces[start:stop]):
                if south <= latitude < north and longitude < east + (latitude - south) * slope:
                    inside = not inside
            found = odd if inside else even
        return found

    def _containing_many(self, lats: Floats, lngs: Floats) -> NDArray[np.int32]:
        """:meth:`_containing` for points on the grid: all first trials, all second ones, …"""
        trials, pieces = self.survey.trials, self.survey.pieces
        found = self.survey.cells[_cells_at(lats, lngs)]
        pending = np.flatnonzero(found < 0)
        while pending.size:
            start, stop, odd, even = trials[-found[pending]].T
            of, step = spread((stop - start) // PIECE_BYTES)
            south, north, east, slope = pieces[start[of] // PIECE_BYTES + step].T
            lat, lng = lats[pending][of], lngs[pending][of]
            crossed = (south <= lat) & (lat < north) & (lng < east + (lat - south) * slope)
            crossings = np.bincount(of[crossed], minlength=len(pending))
            found[pending] = np.where(crossings % 2 == 1, odd, even)
            pending = pending[found[pending] < 0]
        return found

    def _off_coast(self, latitude: float, longitude: float) -> int:
        """The number of the county nearest to this point outside all; 0 beyond ``coast_m``."""
        if not (SOUTH <= latitude < NORTH and WEST <= longitude < EAST):
            return 0
        row, column = int((latitude - SOUTH) * PER_DEGREE), int((longitude - WEST) * PER_DEGREE)
        if not self._shore[row * COLUMNS + column]:
            return 0
        segments, metres = self._borders_near(latitude, longitude, self.coast_m)
        if not metres.size:
            return 0
        # Of several equally near, the first, as for many points at once.
        return int(self.survey.sides[segments[metres == metres.min()].min(), 0])

    @cached_property
    def _shore(self) -> NDArray[np.bool_]:
        """The cells from which a border cell is within ``coast_m``: elsewhere nobody need look."""
        grown = (self.survey.cells < 0).reshape(ROWS, COLUMNS)
        for reach in _window(self.coast_m, NORTH):
            known, grown = grown, grown.copy()
            for step in range(1, reach + 1):
                grown[step:] |= known[:-step]
                grown[:-step] |= known[step:]
            # The second turn grows along the other axis, and turns the grid back.
            grown = grown.T
        return grown.ravel()

    def _nearest(self, lats: Floats, lngs: Floats) -> NDArray[np.int16]:
        """:meth:`_off_coast` for points on the shore: each with every segment in its window."""
        survey = self.survey
        high, wide = _window(self.coast_m, NORTH)
        rows = _rows_of(lats)[:, None, None] + np.arange(-high, high + 1)[:, None]
        columns = _columns_of(lngs)[:, None, None] + np.arange(-wide, wide + 1)
        on_map = (rows >= 0) & (rows < ROWS) & (columns >= 0) & (columns < COLUMNS)
        # The first cell lies in the open sea: no border, no segments.
        trials = -survey.cells[np.where(on_map, rows * COLUMNS + columns, 0)]
        point = np.nonzero(trials > 0)[0]
        start, stop = self._touching(trials[trials > 0])
        of, step = spread(stop - start)
        point, segment = point[of], survey.touching[start[of] + step]
        metres = _metres(survey.segments[segment], lats[point], lngs[point])
        order = np.lexsort((segment, metres, point))
        order = order[metres[order] <= self.coast_m]
        point, first = np.unique(point[order], return_index=True)
        found = np.zeros(len(lats), dtype=np.int16)
        found[point] = survey.sides[segment[order[first]], 0]
        return found

    def _to_borders(self, latitude: float, longitude: float, within_m: float) -> dict[int, float]:
        """Metres to the nearest border of each county that has one so near, nearest first."""
        segments, metres = self._borders_near(latitude, longitude, within_m)
        order = np.argsort(metres, kind="stable")
        sides = self.survey.sides[segments[order]].tolist()
        found: dict[int, float] = {}
        for counties, distance in zip(sides, metres[order].tolist(), strict=True):
            for county in counties:
                if county:
                    found.setdefault(county, distance)
        return found

    def _borders_near(
        self, latitude: float, longitude: float, within_m: float
    ) -> tuple[NDArray[np.int32], Floats]:
        """The segments within so many metres of a point, and how far each is."""
        if not (SOUTH <= latitude < NORTH and WEST <= longitude < EAST):
            return np.zeros(0, dtype=np.int32), np.zeros(0)
        high, wide = _window(within_m, latitude)
        row, column = int((latitude - SOUTH) * PER_DEGREE), int((longitude - WEST) * PER_DEGREE)
        window = self.survey.cells.reshape(ROWS, COLUMNS)[
            max(0, row - high) : row + high + 1, max(0, column - wide) : column + wide + 1
        ]
        start, stop = self._touching(-window[window < 0])
        touching = self.survey.touching
        spans = [touching[a:b] for a, b in zip(start.tolist(), stop.tolist(), strict=True)]
        segments = np.concatenate(spans) if spans else touching[:0]
        metres = _metres(self.survey.segments[segments], latitude, longitude)
        close = metres <= within_m
        return segments[close], metres[close]

    def _touching(self, trials: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Where the segments start and stop that touch the cells with these first trials."""
        return self.survey.touching_from[trials], self.survey.touching_from[trials + 1]

    def _named(self, distances: Mapping[int, float]) -> list[tuple[DivisionCode, float]]:
        nearest_first = sorted(distances.items(), key=lambda found: (found[1], found[0]))
        return [(self._codes[county], metres) for county, metres in nearest_first]


def current(settings: Settings) -> Atlas:
    """The atlas of this process. Built first if there is none yet, which takes some seconds."""
    return _opened(settings.data_dir, settings.coast_m, settings.border_band_m)


def build(folder: Path, *, progress: Progress = lambda _: None) -> Path:
    """Make the atlas anew from the installed boundaries and put it into this folder.

    Raises:
        BoundariesUnreadable: if they are missing or not what this program knows.
    """
    progress("读取区县边界")
    table = divisions.table()
    counties = [
        replace(boundary, code=table.current(boundary.code))
        for boundary in boundaries.read("district")
    ]
    found = survey(counties, progress=progress)
    progress("写入文件")
    folder.mkdir(parents=True, exist_ok=True)
    atlas_file.write(folder / FILE_NAME, found, source=_source())
    return folder / FILE_NAME


@cache
def _opened(folder: Path, coast_m: float, border_band_m: float) -> Atlas:
    path = folder / FILE_NAME
    found = atlas_file.read(path, source=_source())
    if found is None:
        folder.mkdir(parents=True, exist_ok=True)
        with atlas_file.only_builder(path):
            # Another process may have built it while this one waited for its turn.
            found = atlas_file.read(path, source=_source())
            if found is None:
                build(folder)
                found = atlas_file.read(path, source=_source())
    if found is None:
        raise boundaries.BoundariesUnreadable("the atlas just built cannot be read back")
    return Atlas(found, coast_m=coast_m, border_band_m=border_band_m)


def _source() -> str:
    """What an atlas is made from: the boundaries, and the codes that have been superseded."""
    renamed = sorted(divisions.table().successors.items())
    return f"{boundaries.source()}; {' '.join(f'{old}>{new}' for old, new in renamed)}"


def _why(
    county: DivisionCode,
    own: float,
    neighbours: Sequence[tuple[DivisionCode, float]],
    *,
    inside: bool,
) -> str:
    label = divisions.table().label
    if inside:
        why = f"位于{label(county)}，距边界约 {own:.0f} 米"
    else:
        why = f"在已知边界之外约 {own:.0f} 米，归入最近的{label(county)}"
    if neighbours:
        others = "、".join(label(code) for code, _metres in neighbours)
        why += f"；附近还有{others}，归属不能完全确定"
    return why


def _window(within_m: float, latitude: float) -> tuple[int, int]:
    """How many cells north or south, and east or west, so many metres may reach."""
    high = math.ceil(within_m / _METRES_PER_CELL)
    # The window's far end may lie further from the equator, where cells are narrower.
    far = min(NORTH, latitude + high / PER_DEGREE)
    return high, math.ceil(within_m / (_METRES_PER_CELL * math.cos(math.radians(far))))


def _metres(segments: Floats, lats: Floats | float, lngs: Floats | float) -> Floats:
    """How far segments are from a point, or each from its own, on the plane at the point."""
    x1, y1, x2, y2 = segments.T
    north, east = metres_per_degree(lats, np)
    along, up = (x2 - x1) * east, (y2 - y1) * north
    aside, away = (lngs - x1) * east, (lats - y1) * north
    share = np.clip((aside * along + away * up) / (along * along + up * up), 0.0, 1.0)
    aside, away = aside - share * along, away - share * up
    # Meridians draw together: east and west are measured half-way to the border.
    narrowing = 1.0 + np.tan(np.radians(lats)) * np.radians(away / north) / 2.0
    distance: Floats = np.hypot(aside * narrowing, away)
    return distance


def _cells_at(lats: Floats, lngs: Floats) -> Integers:
    return _rows_of(lats) * COLUMNS + _columns_of(lngs)


def _rows_of(lats: Floats) -> Integers:
    return ((lats - SOUTH) * PER_DEGREE).astype(np.int64)


def _columns_of(lngs: Floats) -> Integers:
    return ((lngs - WEST) * PER_DEGREE).astype(np.int64)
