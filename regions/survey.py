"""Making an atlas: cutting county boundaries along a grid, so that one cell answers for a point.

A cell no boundary touches belongs to one county, or to none. A cell that is touched is answered by
*trials*. A trial holds all of one county's boundary within the cell as *pieces*; a ray from the
point eastwards crosses an odd number of them exactly if the point lies in the county. So that the
ray can end at the cell's eastern side, a county's stretches of that side are pieces too. Nothing is
simplified: pieces lie on the boundary's own lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regions.boundaries import BoundariesUnreadable, Boundary
from regions.coordinates import Datum, to_gcj02_many

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Progress = Callable[[str], None]

#: The grid, in degrees of GCJ-02: all of China with room for the coast around it. Thirty-seconds of
#: a degree are exact in binary, so a point and a boundary never disagree about their cell.
SOUTH, NORTH, WEST, EAST = 3.0, 54.0, 73.0, 136.0
PER_DEGREE = 32
COLUMNS = int((EAST - WEST) * PER_DEGREE)
ROWS = int((NORTH - SOUTH) * PER_DEGREE)

#: The bytes of one piece, by which trials count.
PIECE_BYTES = 4 * 8


@dataclass(frozen=True, slots=True)
class Survey:
    """What an atlas answers from. Counties are numbered from 1 in the order of ``codes``."""

    codes: tuple[str, ...]
    #: One for each cell, row by row from the south west. Positive: the whole cell is that county.
    #: 0: no county. Negative: the cell's first trial.
    cells: NDArray[np.int32]
    #: n × 4: which pieces, from and up to (in bytes), and the outcome of an odd and of an even
    #: number of crossings: like a cell, a county, none, or the next trial. Trial 0 is unused.
    trials: NDArray[np.int32]
    #: n × 4: from latitude, to latitude, longitude at the former, longitude per latitude.
    pieces: Floats
    #: n × 4: the boundaries' segments, each once: longitude, latitude, and again.
    segments: Floats
    #: n × 2 or more: the counties that a segment bounds; 0 for none.
    sides: NDArray[np.int16]
    #: Where a cell's segments start among ``touching``, by the cell's first trial.
    touching_from: NDArray[np.int32]
    #: The segments that touch a cell, cell by cell.
    touching: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Outlines:
    """All boundaries as segments, western end first, and who claims each as a boundary."""

    segments: Floats
    #: Whether a segment has one county on either side, and so nobody's land on none.
    shared: NDArray[np.bool_]
    #: Claims: the segment's index and the claiming county's number, in the order of segments.
    segment: Integers
    county: Integers


@dataclass(frozen=True, slots=True)
class _Parts:
    """The segments cut at the sides of columns, from west to east."""

    segment: Integers
    column: Integers
    #: Whether the part begins on its column's western side rather than at the segment's end.
    cut: NDArray[np.bool_]
    start: Floats
    end: Floats


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Boundary within cells, one county's at a time: cell, county, and the piece itself."""

    cell: Integers
    county: Integers
    piece: Floats


def survey(boundaries: Sequence[Boundary], *, progress: Progress = lambda _: None) -> Survey:
    """Cut these boundaries (WGS-84) along the grid; boundaries of one code make one county.

    Raises:
        BoundariesUnreadable: if one lies outside the grid.
    """
    codes = tuple(sorted({boundary.code for boundary in boundaries}))
    progress("换算坐标，合并相邻区县共用的边界")
    outlines = _outlines(boundaries, {code: number for number, code in enumerate(codes, 1)})
    progress("沿网格切分边界")
    parts = _parts(outlines.segments)
    touched_part, touched_row = _rows_between(parts.start, parts.end)
    touched_cell = touched_row * COLUMNS + parts.column[touched_part]
    touching = parts.segment[touched_part]
    drawn = _drawn(outlines, parts, touched_part, touched_cell)
    progress("填充网格")
    candidates = np.unique(_keys(drawn.cell, drawn.county))
    cells, turned, eastern = _eastern_sides(outlines, parts, candidates)
    progress("整理边界格的判定表")
    open_cells = np.unique(touched_cell[~outlines.shared[touching]])
    trials, pieces, first_trial = _trials(
        candidates, turned, _joined(drawn, eastern), cells, open_cells
    )
    border_cells = candidates // _COUNTIES
    cells[border_cells] = -first_trial
    by_cell = np.argsort(touched_cell, kind="stable")
    touches = np.bincount(-cells[touched_cell], minlength=len(trials) + 1)
    return Survey(
        codes=codes,
        cells=cells.astype(np.int32),
        trials=trials.astype(np.int32),
        pieces=pieces,
        segments=outlines.segments,
        sides=_sides(outlines),
        touching_from=(np.cumsum(touches) - touches).astype(np.int32),
        touching=touching[by_cell].astype(np.int32),
    )


def spread(counts: Integers) -> tuple[Integers, Integers]:
    """Each index as often as its count says, and beside it 0, 1, … up to that count."""
    which = np.repeat(np.arange(len(counts)), counts)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)


#: Cell and county in one number, so that pairs sort and search fast.
_COUNTIES = 1 << 12


def _keys(cell: Integers, county: Integers) -> Integers:
    return cell * _COUNTIES + county


def _outlines(boundaries: Sequence[Boundary], numbers: Mapping[str, int]) -> _Outlines:
    lines, owner = [], []
    for boundary in boundaries:
        for ring in boundary.rings:
            lats, lngs = to_gcj02_many(ring[:, 1], ring[:, 0], Datum.WGS84)
            lines.append(np.column_stack([lngs, lats, np.roll(lngs, -1), np.roll(lats, -1)]))
            owner.append(np.full(len(ring), numbers[boundary.code]))
    found = np.concatenate(lines)
    _refuse_outside(found)
    # Neighbours run along a shared line in opposite directions: turn both to run eastwards.
    westward = (found[:, 0] > found[:, 2]) | (
        (found[:, 0] == found[:, 2]) & (found[:, 1] > found[:, 3])
    )
    found[westward] = found[westward][:, [2, 3, 0, 1]]
    return _claims(found, np.concatenate(owner), np.where(westward, -1, 1))


def _claims(lines: Floats, owner: Integers, direction: Integers) -> _Outlines:
    """Each line once, with those who claim it as a boundary.

    A county that runs along a line both ways has land on both sides: no boundary. Two counties
    that run along it the same way both claim the same land, as happens with some islets.
    """
    unique, line = np.unique(lines, axis=0, return_inverse=True)
    claims, of = np.unique(_keys(line, owner), return_inverse=True)
    direction = np.sign(np.bincount(of, weights=direction)).astype(np.int64)
    has_length = (unique[:, :2] != unique[:, 2:]).any(axis=1)
    kept = (direction != 0) & has_length[claims // _COUNTIES]
    claims, direction = claims[kept], direction[kept]
    used, segment = np.unique(claims // _COUNTIES, return_inverse=True)
    both_ways = np.bincount(segment, weights=direction) == 0
    shared = both_ways & (np.bincount(segment) == 2)
    return _Outlines(unique[used], shared, segment, claims % _COUNTIES)


def _refuse_outside(lines: Floats) -> None:
    lngs, lats = lines[:, 0], lines[:, 1]
    if lngs.min() < WEST or lngs.max() >= EAST or lats.min() < SOUTH or lats.max() >= NORTH:
        raise BoundariesUnreadable("a boundary lies outside the grid")


def _parts(segments: Floats) -> _Parts:
    x1, y1, x2, y2 = segments.T
    first, last = _column(x1), _column(x2)
    of, step = spread(last - first + 1)
    column = first[of] + step
    cut = step > 0
    start, end = y1[of], y2[of]
    start[cut] = _latitude_at(column[cut], segments[of[cut]])
    goes_on = column < last[of]
    end[goes_on] = _latitude_at(column[goes_on] + 1, segments[of[goes_on]])
    return _Parts(of, column, cut, start, end)


def _latitude_at(line: Integers, segments: Floats) -> Floats:
    """Where segments cross the western side of a column; the same number for whoever asks."""
    x1, y1, x2, y2 = segments.T
    crossing = y1 + (WEST + line / PER_DEGREE - x1) * (y2 - y1) / (x2 - x1)
    within: Floats = np.clip(crossing, np.minimum(y1, y2), np.maximum(y1, y2))
    return within


def _rows_between(start: Floats, end: Floats) -> tuple[Integers, Integers]:
    """The rows each stretch of latitude touches: the stretch's index, the row."""
    lowest = _row(np.minimum(start, end))
    of, step = spread(_row(np.maximum(start, end)) - lowest + 1)
    return of, lowest[of] + step


def _drawn(
    outlines: _Outlines, parts: _Parts, touched_part: Integers, touched_cell: Integers
) -> _Pieces:
    """The boundary itself as pieces: every claimant's copy of every part in every cell."""
    x1, y1, x2, y2 = outlines.segments[parts.segment[touched_part]].T
    start, end = parts.start[touched_part], parts.end[touched_part]
    south, north = np.minimum(start, end), np.maximum(start, end)
    # A level piece is never crossed, whatever its slope; it only makes its cell a border cell.
    slope = np.divide(x2 - x1, y2 - y1, out=np.zeros_like(x1), where=y1 != y2)
    piece = np.column_stack([south, north, x1 + (south - y1) * slope, slope])
    touches = np.bincount(parts.segment[touched_part], minlength=len(outlines.segments))
    claim, step = spread(touches[outlines.segment])
    touch = (np.cumsum(touches) - touches)[outlines.segment][claim] + step
    return _Pieces(touched_cell[touch], outlines.county[claim], piece[touch])


def _eastern_sides(
    outlines: _Outlines, parts: _Parts, candidates: Integers
) -> tuple[Integers, NDArray[np.bool_], _Pieces]:
    """What the sides between columns tell.

    Returns the county of every cell that it fills without touching it; for every candidate whether
    the cell's whole eastern side is its own; and the partial stretches of eastern sides as pieces.
    """
    county, line, south, north = _stretches(outlines, parts)
    of, row = _rows_between(south, north)
    cell, county = row * COLUMNS + line[of] - 1, county[of]
    south, north = south[of], north[of]
    whole = (south <= SOUTH + row / PER_DEGREE) & (north >= SOUTH + (row + 1) / PER_DEGREE)
    at = np.searchsorted(candidates, _keys(cell, county))
    touched = candidates[np.minimum(at, len(candidates) - 1)] == _keys(cell, county)
    cells = np.zeros(ROWS * COLUMNS, dtype=np.int64)
    cells[cell[whole & ~touched]] = county[whole & ~touched]
    turned = np.bincount(at[whole & touched], minlength=len(candidates)) % 2 == 1
    east = WEST + line[of] / PER_DEGREE
    piece = np.column_stack([south, north, east, np.zeros_like(east)])
    partial = touched & ~whole
    return cells, turned, _Pieces(cell[partial], county[partial], piece[partial])


def _stretches(outlines: _Outlines, parts: _Parts) -> tuple[Integers, Integers, Floats, Floats]:
    """Where the sides between columns lie in a county: county, column east of it, from, to."""
    cuts = np.flatnonzero(parts.cut)
    per_segment = np.bincount(parts.segment[cuts], minlength=len(outlines.segments))
    claim, step = spread(per_segment[outlines.segment])
    cut = cuts[(np.cumsum(per_segment) - per_segment)[outlines.segment][claim] + step]
    county, line, latitude = outlines.county[claim], parts.column[cut], parts.start[cut]
    order = np.lexsort((latitude, line, county))
    county, line, latitude = county[order], line[order], latitude[order]
    # A closed outline crosses a line an even number of times: in, out, in, out.
    return county[::2], line[::2], latitude[::2], latitude[1::2]


def _trials(
    candidates: Integers,
    turned: NDArray[np.bool_],
    pieces: _Pieces,
    cells: Integers,
    open_cells: Integers,
) -> tuple[Integers, Floats, Integers]:
    """The trials, their pieces, and for every candidate its cell's first trial."""
    of = np.searchsorted(candidates, _keys(pieces.cell, pieces.county))
    counts = np.bincount(of, minlength=len(candidates))
    cell = candidates // _COUNTIES
    order = np.lexsort((counts, cell))
    cell, county = cell[order], (candidates % _COUNTIES)[order]
    last = np.append(cell[1:] != cell[:-1], True)
    first = np.append(True, last[:-1])
    # Where every line has a county on either side, whoever is not in the others is in the last
    # one, the one with the most pieces, which then needs no trial.
    spared = last & ~first & ~np.isin(cell, open_cells) & (cells[cell] == 0)
    kept = ~spared
    number = np.cumsum(kept)
    follows = np.append(county[1:] * spared[1:], 0) - np.append(kept[1:] * (number[1:]), 0)
    even = np.where(last, cells[cell], follows)
    odd, even = np.where(turned[order], even, county), np.where(turned[order], county, even)
    stops = np.cumsum(counts[order] * kept) * PIECE_BYTES
    starts = stops - counts[order] * PIECE_BYTES
    trials = np.column_stack([starts, stops, odd, even])[kept]
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    wanted = kept[place[of]]
    by_trial = np.argsort(place[of][wanted], kind="stable")
    first_number = number[first][np.cumsum(first) - 1]
    return (
        np.concatenate([np.zeros((1, 4), dtype=np.int64), trials]),
        pieces.piece[wanted][by_trial],
        first_number[place],
    )


def _joined(drawn: _Pieces, eastern: _Pieces) -> _Pieces:
    """All pieces that a ray can cross within their cell."""
    cell = np.concatenate([drawn.cell, eastern.cell])
    county = np.concatenate([drawn.county, eastern.county])
    piece = np.concatenate([drawn.piece, eastern.piece])
    floor = SOUTH + cell // COLUMNS / PER_DEGREE
    crossable = (piece[:, 0] < piece[:, 1]) & (piece[:, 1] > floor)
    return _Pieces(cell[crossable], county[crossable], piece[crossable])


def _sides(outlines: _Outlines) -> NDArray[np.int16]:
    claims = np.bincount(outlines.segment)
    segment, rank = spread(claims)
    sides = np.zeros((len(claims), claims.max()), dtype=np.int16)
    sides[segment, rank] = outlines.county
    return sides


def _column(longitude: Floats) -> Integers:
    return np.floor((longitude - WEST) * PER_DEGREE).astype(np.int64)


def _row(latitude: Floats) -> Integers:
    return np.floor((latitude - SOUTH) * PER_DEGREE).astype(np.int64)
