"""The values that compare with a constant as a condition asks, as the engine compares them."""

from __future__ import annotations

from typing import Any, NamedTuple

from guardrails.language.cel.types import Type
from guardrails.toolchain.regions.region import (
    BOUNDS,
    NOTHING,
    PRESENT,
    Region,
    exactly,
    following,
    join,
    kinds,
    locate,
    order_of,
    stretch,
)
from guardrails.values import UInt

NUMBERS = ("int", "uint", "double")
"""The kinds that are compared with one another; where one is a double, both are made doubles."""

_ORDERED = frozenset({"bool", "string", "bytes", "timestamp", "duration", *NUMBERS})
_NUMERIC = frozenset({int, UInt, float})
_DEEP = frozenset({list, dict, Type})
_KEYS = kinds("string", "bool", *NUMBERS)


class Answers(NamedTuple):
    """The values of which something is true, and those of which it is false; others are errors."""

    true: Region
    false: Region


def compared(operator: str, value: object) -> Answers | None:
    """What a comparison with `value` answers for what stands before the operator.

    None where that depends on more than is told apart here.
    """
    if value != value:  # noqa: PLR0124 - NaN alone differs from itself
        return None
    if operator in ("==", "!="):
        if type(value) in _DEEP:
            return None
        return _told(equal_to(value), PRESENT, opposite=operator == "!=")
    ordered = ordered_with(value)
    under = below(value, inclusive=operator in ("<=", ">")) if ordered else ordered
    return _told(under & ordered, ordered, opposite=operator in (">", ">="))


def among(container: object) -> Answers | None:
    """What `in` answers for what is looked for in `container`; None as with `compared`."""
    if type(container) is dict:
        keys = [*container]
        if not all(type(key) is str for key in keys):
            return None
        return _told(exactly(*keys), _KEYS, opposite=False)
    if type(container) is not list:
        return Answers(NOTHING, NOTHING)
    if any(type(each) in _DEEP or each != each for each in container):  # noqa: PLR0124
        return None
    return _told(join(map(equal_to, container)), PRESENT, opposite=False)


def beginning(prefix: str) -> Answers:
    """What `startsWith(prefix)` answers."""
    return _told(beginning_with(prefix), kinds("string"), opposite=False)


def _told(true: Region, answered: Region, *, opposite: bool) -> Answers:
    """True for what is in `true`, false for what else is `answered`; or the `opposite`."""
    false = answered & ~true
    return Answers(false, true) if opposite else Answers(true, false)


def equal_to(value: object) -> Region:
    """The values that `==` finds equal to `value`, which is no list and no map."""
    if type(value) not in _NUMERIC:
        return exactly(value)
    return _below(value, inclusive=True) & ~_below(value, inclusive=False)


def below(value: object, *, inclusive: bool) -> Region:
    """The values that are less than `value`, which has an order; or equal, if `inclusive`."""
    if type(value) in _NUMERIC:
        return _below(value, inclusive=inclusive)
    kind, point = locate(value)
    return stretch(kind, BOUNDS[kind][0], following(kind, point) if inclusive else point)


def ordered_with(value: object) -> Region:
    """The values that have an order with `value`; none if it is of a kind without one."""
    kind, _ = locate(value)
    if kind in NUMBERS:
        return kinds(*NUMBERS)
    return kinds(kind) if kind in _ORDERED else NOTHING


def beginning_with(prefix: str) -> Region:
    """The texts that begin with `prefix`."""
    end = prefix.rstrip("\U0010ffff")
    return stretch("string", prefix, end[:-1] + chr(ord(end[-1]) + 1) if end else None)


def _below(value: Any, *, inclusive: bool) -> Region:
    """The numbers below a number, each kind compared as the language compares it."""
    return join(
        stretch(kind, BOUNDS[kind][0], _first_beyond(kind, value, inclusive=inclusive))
        for kind in NUMBERS
    )


def _first_beyond(kind: str, value: Any, *, inclusive: bool) -> int:
    """The first point of `kind` that is not below `value`; that of the end, if all are."""
    if kind == "double":
        order = order_of(float(value))
        return order + 1 if inclusive else order
    low: int
    high: int
    low, high = BOUNDS[kind]
    if type(value) is not float:
        return min(max(int(value) + inclusive, low), high)
    while low < high:  # as doubles, integers far from zero fall together: halve until it is found
        middle = (low + high) // 2
        number = float(middle)
        if number < value or (inclusive and number == value):
            low = middle + 1
        else:
            high = middle
    return low
