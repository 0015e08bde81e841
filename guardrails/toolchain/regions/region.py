"""Sets of values: for each kind of value, a set on the line of that kind."""

from __future__ import annotations

import struct
from functools import reduce
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final

from guardrails.instants import DURATION_MAX, TIMESTAMP_MAX, TIMESTAMP_MIN
from guardrails.language.cel.types import Type
from guardrails.toolchain.regions.line import EMPTY, Line, complement, holds, intersect, unite
from guardrails.values import INT_MAX, INT_MIN, UINT_MAX, Duration, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


class Absent:
    """What stands in the place of a value that isn't there."""

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = Absent()
"""In the place of a value: the map that should hold it has no such key."""

_SIGN = 2**63


def order_of(number: float) -> int:
    """The place of a finite double in the order of all; 0 for zero, whatever its sign."""
    bits: int = struct.unpack("<q", struct.pack("<d", number))[0]
    return bits if bits >= 0 else -(bits + _SIGN)


def _double(order: int) -> float:
    """The double at a place of the order."""
    bits = order if order >= 0 else -order - _SIGN
    number: float = struct.unpack("<d", struct.pack("<q", bits))[0]
    return number


_GREATEST = order_of(1.7976931348623157e308)

BOUNDS: Mapping[str, tuple[Any, Any]] = {
    "null": (0, 1),
    "bool": (0, 2),
    "int": (INT_MIN, INT_MAX + 1),
    "uint": (0, UINT_MAX + 1),
    "double": (-_GREATEST, _GREATEST + 1),
    "string": ("", None),
    "bytes": (b"", None),
    "timestamp": (TIMESTAMP_MIN, TIMESTAMP_MAX + 1),
    "duration": (-DURATION_MAX, DURATION_MAX + 1),
    **dict.fromkeys(("list", "map", "type", "missing", "error"), (0, 1)),
}
"""The kinds: the lowest point of each, and the first that is none of it (None: there is none).

Of the last five nothing is told apart. `missing` is a key that is not there, `error` a value that
can't be had because what should hold it is no map. What can't be judged is none of them.
"""


class Region:
    """A set of values, never changed; `lines` has the kinds of which it holds any."""

    __slots__ = ("_hash", "lines")

    def __init__(self, lines: Mapping[str, Line]) -> None:
        self.lines = {kind: line for kind, line in lines.items() if line}
        self._hash: int | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Region) and self.lines == other.lines

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self.lines.items()))
        return self._hash

    def __bool__(self) -> bool:
        return bool(self.lines)

    def __and__(self, other: Region) -> Region:
        small, large = sorted((self.lines, other.lines), key=len)
        return Region(
            {kind: intersect(line, large[kind]) for kind, line in small.items() if kind in large}
        )

    def __or__(self, other: Region) -> Region:
        united = {kind: unite(line, other.lines.get(kind, ())) for kind, line in self.lines.items()}
        return Region({**other.lines, **united})

    def __invert__(self) -> Region:
        return Region(
            {
                kind: complement(self.lines.get(kind, EMPTY), lowest)
                for kind, (lowest, _) in BOUNDS.items()
            }
        )

    def __contains__(self, value: object) -> bool:
        kind, point = locate(value)
        return holds(self.lines.get(kind, EMPTY), point)

    def within(self, other: Region) -> bool:
        """Whether every value of it is in `other`."""
        return all(
            intersect(line, other.lines.get(kind, EMPTY)) == line
            for kind, line in self.lines.items()
        )

    def disjoint(self, other: Region) -> bool:
        """Whether no value of it is in `other`."""
        large = other.lines
        return not any(
            intersect(line, large[kind]) for kind, line in self.lines.items() if kind in large
        )

    def values(self, limit: int) -> list[object] | None:
        """All its values, if every one can be told and there are `limit` at most."""
        if not self.lines.keys() <= _TOLD:
            return None
        found: list[object] = []
        for kind, line in self.lines.items():
            for start, end in _stretches(kind, line):
                if end is None:
                    return None
                points = _points(kind, start, end, limit - len(found))
                if points is None:
                    return None
                found += (_VALUES[kind](point) for point in points)
        return found

    def sample(self) -> object:
        """Some value of it, a plain one if it can be; of lists and maps the empty one."""
        kind = next(kind for kind in BOUNDS if kind in self.lines)
        if kind not in _VALUES:
            return _EMPTIES.get(kind, MISSING)
        return _VALUES[kind](_plainest(kind, self.lines[kind]))


def kinds(*names: str) -> Region:
    """All values of those kinds."""
    return Region({name: (BOUNDS[name][0],) for name in names})


def locate(value: object) -> tuple[str, Any]:
    """The kind of a value and its point on the line of that kind."""
    kind = type(value)
    if kind is float:
        return "double", order_of(value)  # type: ignore[arg-type]
    if kind in (Timestamp, Duration):
        return kind.__name__.lower(), value.ns  # type: ignore[attr-defined]
    return _KINDS[kind], value if kind in _PLAIN else 0


def exactly(*values: object) -> Region:
    """The values that are of the same type as one of `values`, and equal to it."""
    return join(stretch(*_single(*locate(value))) for value in values)


def join(regions: Iterable[Region]) -> Region:
    """The values that are in any of `regions`."""
    return reduce(Region.__or__, regions, NOTHING)


def stretch(kind: str, start: Any, end: Any) -> Region:
    """The values of `kind` from point `start` to before `end`; None for no end."""
    if end is not None and not start < end:
        return NOTHING
    beyond = BOUNDS[kind][1]
    open_ = end is None or (beyond is not None and end >= beyond)
    return Region({kind: (start,) if open_ else (start, end)})


def _single(kind: str, point: Any) -> tuple[str, Any, Any]:
    return kind, point, following(kind, point)


def following(kind: str, point: Any) -> Any:
    """The point after `point` on the line of `kind`."""
    if kind == "string":
        return point + "\0"
    return point + b"\0" if kind == "bytes" else point + 1


def _stretches(kind: str, line: Line) -> Iterator[tuple[Any, Any]]:
    """The stretches of a line as (start, end); an end that is None for one without."""
    ends = (*line[1::2], BOUNDS[kind][1])
    yield from zip(line[::2], ends, strict=False)


def _points(kind: str, start: Any, end: Any, limit: int) -> list[Any] | None:
    """The points from `start` to before `end`; None for more than `limit`."""
    points: list[Any] = []
    while start != end:
        if len(points) == limit:
            return None
        points.append(start)
        start = following(kind, start)
    return points


def _plainest(kind: str, line: Line) -> Any:
    """A point of the line that reads well: for numbers a whole one near zero."""
    stretches = list(_stretches(kind, line))
    if kind == "double":
        return min((_whole(*each) for each in stretches), key=lambda order: (abs(order), -order))
    if kind in ("int", "uint", "duration"):
        return min((min(max(0, start), end - 1) for start, end in stretches), key=abs)
    return stretches[0][0]


def _whole(start: int, end: int) -> int:
    """The place of a whole number within a stretch of doubles, or of some other."""
    first, last = _double(start), _double(end - 1)
    if first <= 0 <= last:
        return 0
    near = ceil(first) if first > 0 else floor(last)
    return order_of(float(near)) if first <= near <= last else (start if first > 0 else end - 1)


_KINDS: Mapping[type, str] = {
    type(None): "null",
    bool: "bool",
    int: "int",
    UInt: "uint",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    Type: "type",
    Absent: "missing",
}
_PLAIN = frozenset({bool, int, UInt, str, bytes})
_VALUES: Mapping[str, Callable[[Any], object]] = {
    "null": lambda _: None,
    "bool": bool,
    "int": int,
    "uint": UInt,
    "double": _double,
    "string": str,
    "bytes": bytes,
    "timestamp": Timestamp,
    "duration": Duration,
    "missing": lambda _: MISSING,
}
_TOLD = _VALUES.keys()
_EMPTIES: Mapping[str, object] = {"list": [], "map": {}}

NOTHING = Region({})
EVERYTHING = kinds(*BOUNDS)
TRUE, FALSE = Region({"bool": (1,)}), Region({"bool": (0, 1)})
ABSENT = kinds("missing", "error")
ERROR = kinds("error")
PRESENT = ~ABSENT
"""Whatever there is."""


def value_at(kind: str, point: Any) -> object:
    """The value at a point of the line of a kind whose values are told apart."""
    return _VALUES[kind](point)
