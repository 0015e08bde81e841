"""Sets of points on a line, as the points where membership begins and ends.

A set is a sorted tuple of points: what lies from the first (included) to the second (excluded) is
in it, then from the third to the fourth, and so on; after a last one without a partner everything
is. Every line used here is a discrete order: each point has one that follows it, so that half-open
stretches can say everything. Integers do, doubles do by their number in the order, and the text
that follows `s` is `s` with a NUL character behind.
"""

from __future__ import annotations

from typing import Any

Line = tuple[Any, ...]

EMPTY: Line = ()


def intersect(one: Line, other: Line) -> Line:
    """The points that are in both."""
    if one == other or not other:
        return other
    return _merge(one, other, both=True) if one else EMPTY


def unite(one: Line, other: Line) -> Line:
    """The points that are in either."""
    if one == other or not one:
        return other
    return _merge(one, other, both=False) if other else one


def complement(line: Line, lowest: Any) -> Line:
    """The points from `lowest` on that are not in `line`."""
    return line[1:] if line and line[0] == lowest else (lowest, *line)


def holds(line: Line, point: Any) -> bool:
    """Whether `point` is in `line`."""
    return sum(1 for each in line if each <= point) % 2 == 1


def _merge(one: Line, other: Line, *, both: bool) -> Line:
    merged: list[Any] = []
    inside = [False, False]
    within = False
    at = [0, 0]
    lines = (one, other)
    while at[0] < len(one) or at[1] < len(other):
        side = _next_side(lines, at)
        point = lines[side][at[side]]
        inside[side] = not inside[side]
        at[side] += 1
        now = all(inside) if both else any(inside)
        if now is not within:
            within = now
            if merged and merged[-1] == point:
                merged.pop()
            else:
                merged.append(point)
    return tuple(merged)


def _next_side(lines: tuple[Line, Line], at: list[int]) -> int:
    """Which of the two lines has the next point."""
    if at[0] == len(lines[0]):
        return 1
    return int(at[1] < len(lines[1]) and lines[1][at[1]] < lines[0][at[0]])
