"""Arithmetic (CEL specification, "Standard definitions"): nothing wraps around, nothing converts.

Integers past 64 bits are errors, as are times out of range; doubles follow IEEE 754, division by
zero included. What a `+` builds is charged by its size before it is built.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.instants import checked_duration, checked_timestamp
from guardrails.language.cel.conversions import checked_int, checked_uint
from guardrails.language.cel.faults import refused
from guardrails.language.cel.functions.signature import charge, charge_text
from guardrails.values import Duration, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from guardrails.language.cel.functions.signature import Budget

    Operator = Callable[[Budget, Any, Any], object]


def add(budget: Budget, one: object, other: object) -> object:
    """`one + other`: a sum, or texts, bytes or lists put together."""
    operator = _SUMS.get((type(one), type(other)))
    if operator is None:
        raise refused(one, other)
    return operator(budget, one, other)


def subtract(budget: Budget, one: object, other: object) -> object:
    """`one - other`."""
    operator = _DIFFERENCES.get((type(one), type(other)))
    if operator is None:
        raise refused(one, other)
    return operator(budget, one, other)


def multiply(_: Budget, one: Any, other: Any) -> object:
    """`one * other`."""
    kind = type(one)
    if kind is type(other):
        if kind is float:
            return one * other
        if kind in _CHECKED:
            return _CHECKED[kind](int(one) * int(other))
    raise refused(one, other)


def divide(_: Budget, one: Any, other: Any) -> object:
    """`one / other`, of integers without the fraction."""
    kind = type(one)
    if kind is type(other):
        if kind is float:
            return _divide_doubles(one, other)
        if kind in _CHECKED:
            return _CHECKED[kind](_quotient(int(one), int(other)))
    raise refused(one, other)


def modulo(_: Budget, one: Any, other: Any) -> object:
    """What `one / other` leaves, with the sign of `one`."""
    kind = type(one)
    if kind is type(other) and kind in _CHECKED:
        dividend, divisor = int(one), int(other)
        quotient = _CHECKED[kind](_quotient(dividend, divisor))
        return _CHECKED[kind](dividend - divisor * int(quotient))
    raise refused(one, other)


def negate(_: Budget, value: Any) -> object:
    """`-value`."""
    if type(value) is int:
        return checked_int(-value)
    if type(value) is float:
        return -value
    raise refused(value)


def _quotient(dividend: int, divisor: int) -> int:
    if divisor == 0:
        raise EvaluationError("division by zero")
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def _divide_doubles(dividend: float, divisor: float) -> float:
    if divisor != 0:
        return dividend / divisor
    if dividend == 0 or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def _add_texts(budget: Budget, one: Any, other: Any) -> object:
    charge_text(budget, len(one) + len(other))
    return one + other


def _add_lists(budget: Budget, one: Any, other: Any) -> object:
    charge(budget, len(one) + len(other))
    return one + other


_CHECKED: Mapping[type, Callable[[int], int]] = {int: checked_int, UInt: checked_uint}

_SUMS: Mapping[tuple[type, type], Operator] = {
    (int, int): lambda _, one, other: checked_int(one + other),
    (UInt, UInt): lambda _, one, other: checked_uint(one + other),
    (float, float): lambda _, one, other: one + other,
    (str, str): _add_texts,
    (bytes, bytes): _add_texts,
    (list, list): _add_lists,
    (Timestamp, Duration): lambda _, one, other: checked_timestamp(one.ns + other.ns),
    (Duration, Timestamp): lambda _, one, other: checked_timestamp(one.ns + other.ns),
    (Duration, Duration): lambda _, one, other: checked_duration(one.ns + other.ns),
}

_DIFFERENCES: Mapping[tuple[type, type], Operator] = {
    (int, int): lambda _, one, other: checked_int(one - other),
    (UInt, UInt): lambda _, one, other: checked_uint(one - other),
    (float, float): lambda _, one, other: one - other,
    (Timestamp, Duration): lambda _, one, other: checked_timestamp(one.ns - other.ns),
    (Timestamp, Timestamp): lambda _, one, other: checked_duration(one.ns - other.ns),
    (Duration, Duration): lambda _, one, other: checked_duration(one.ns - other.ns),
}
"""By the exact types of the operands, so that whatever is not here is refused."""
