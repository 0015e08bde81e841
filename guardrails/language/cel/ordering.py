"""Ordering (CEL specification, "Ordering"), with one deviation: NaN has no order, so is an error.

Texts are ordered by code points, bytes by bytes, `false` before `true`, numbers of all types as
numbers; one that is a double makes both doubles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.equality import NUMBERS
from guardrails.language.cel.faults import refused
from guardrails.language.cel.functions.signature import CHARACTERS_PER_STEP, charge
from guardrails.values import Duration, Timestamp

if TYPE_CHECKING:
    from guardrails.language.cel.functions.signature import Budget

_ORDERED = frozenset({bool, str, bytes})
_TIMES = frozenset({Timestamp, Duration})


def _ordered(budget: Budget, one: Any, other: Any) -> tuple[Any, Any]:
    """Two values that Python orders as CEL orders `one` and `other`."""
    kind, kind_of_other = type(one), type(other)
    if kind in NUMBERS and kind_of_other in NUMBERS:
        if kind is not float and kind_of_other is not float:
            return one, other
        one, other = float(one), float(other)
        if one != one or other != other:  # noqa: PLR0124 - NaN alone differs from itself
            raise unordered()
        return one, other
    if kind is kind_of_other and kind in _ORDERED:
        if kind is not bool:
            charge(budget, min(len(one), len(other)) // CHARACTERS_PER_STEP)
        return one, other
    if kind is kind_of_other and kind in _TIMES:
        return one.ns, other.ns
    raise refused(one, other)


def unordered() -> EvaluationError:
    """The error of ordering what has no order."""
    return EvaluationError("NaN has no order")


def less(budget: Budget, one: object, other: object) -> bool:
    """Whether `one < other`."""
    first, second = _ordered(budget, one, other)
    return bool(first < second)


def less_equal(budget: Budget, one: object, other: object) -> bool:
    """Whether `one <= other`."""
    first, second = _ordered(budget, one, other)
    return bool(first <= second)


def greater(budget: Budget, one: object, other: object) -> bool:
    """Whether `one > other`."""
    first, second = _ordered(budget, one, other)
    return bool(first > second)


def greater_equal(budget: Budget, one: object, other: object) -> bool:
    """Whether `one >= other`."""
    first, second = _ordered(budget, one, other)
    return bool(first >= second)
