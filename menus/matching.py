"""Which of two sets goes with which so that the whole is worth most; nothing else is known here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

_FAR: Final = 1 << 62


def matched(worth: Mapping[tuple[int, str], int]) -> dict[int, str]:
    """Pairs of a number and a name, each used once, whose worth together is the greatest.

    Args:
        worth: what a pair is worth, at least 1; pairs that are left out are not formed. Equal
            choices are made by order of numbers and names.
    """
    found: dict[int, str] = {}
    for numbers, names in _parts(worth):
        table = [[worth.get((number, name), 0) for name in names] for number in numbers]
        for number, place in zip(numbers, _best(table), strict=True):
            if place is not None and (number, names[place]) in worth:
                found[number] = names[place]
    return found


def _parts(worth: Mapping[tuple[int, str], int]) -> list[tuple[list[int], list[str]]]:
    """The pairs in parts that have nothing to do with each other: mostly one number, one name."""
    names_of: defaultdict[int, set[str]] = defaultdict(set)
    numbers_of: defaultdict[str, set[int]] = defaultdict(set)
    for number, name in worth:
        names_of[number].add(name)
        numbers_of[name].add(number)
    parts = []
    left = set(names_of)
    while left:
        numbers, names, edge = set[int](), set[str](), {min(left)}
        while edge:
            numbers |= edge
            names |= set().union(*(names_of[number] for number in edge))
            edge = set().union(*(numbers_of[name] for name in names)) - numbers
        left -= numbers
        parts.append((sorted(numbers), sorted(names)))
    return parts


def _best(table: Sequence[Sequence[int]]) -> list[int | None]:
    """For each row its column, so that the sum is greatest: the Hungarian method, O(n²·m)."""
    rows, columns = len(table), len(table[0])
    width = max(rows, columns)
    # Costs are padded with worthless columns so that every row finds one.
    cost = [[-row[place] if place < columns else 0 for place in range(width)] for row in table]
    row_price, column_price = [0] * (rows + 1), [0] * (width + 1)
    row_at = [0] * (width + 1)
    for row in range(1, rows + 1):
        _place(row, cost, row_price, column_price, row_at)
    chosen: list[int | None] = [None] * rows
    for place in range(1, columns + 1):
        if row_at[place]:
            chosen[row_at[place] - 1] = place - 1
    return chosen


def _place(
    row: int,
    cost: Sequence[Sequence[int]],
    row_price: list[int],
    column_price: list[int],
    row_at: list[int],
) -> None:
    """Find a column for one more row, moving others along the cheapest path."""
    width = len(row_at) - 1
    row_at[0], here = row, 0
    least, came_from, seen = [_FAR] * (width + 1), [0] * (width + 1), [False] * (width + 1)
    while row_at[here]:
        seen[here] = True
        present, step, then = row_at[here], _FAR, 0
        for place in range(1, width + 1):
            if seen[place]:
                continue
            price = cost[present - 1][place - 1] - row_price[present] - column_price[place]
            if price < least[place]:
                least[place], came_from[place] = price, here
            if least[place] < step:
                step, then = least[place], place
        for place in range(width + 1):
            if seen[place]:
                row_price[row_at[place]] += step
                column_price[place] -= step
            else:
                least[place] -= step
        here = then
    while here:
        row_at[here] = row_at[came_from[here]]
        here = came_from[here]
