"""Equality and membership (CEL specification, "Equality").

Values of different types are unequal, except that numbers are compared as numbers; one that is a
double makes both doubles, as the conformance cases and Google's runtimes have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.faults import UNJUDGED, refused
from guardrails.language.cel.functions.signature import CHARACTERS_PER_STEP, charge
from guardrails.language.cel.relations import RUNTIME_TYPES
from guardrails.values import MapKey, UInt

if TYPE_CHECKING:
    from guardrails.language.cel.functions.signature import Budget

NUMBERS = frozenset({int, UInt, float})

_TEXTS = frozenset({str, bytes})


def equal(budget: Budget, one: Any, other: Any) -> bool:
    """Whether two values are equal, all the way down; charged by what has to be compared.

    Raises `EvaluationError` at a value that can't be judged.
    """
    kind, kind_of_other = type(one), type(other)
    if kind in NUMBERS and kind_of_other in NUMBERS:
        if kind is float or kind_of_other is float:
            return float(one) == float(other)
        return int(one) == int(other)
    if kind not in RUNTIME_TYPES or kind_of_other not in RUNTIME_TYPES:
        raise EvaluationError(UNJUDGED)
    if kind is not kind_of_other:
        return False
    if kind in _TEXTS:
        if len(one) != len(other):
            return False
        charge(budget, len(one) // CHARACTERS_PER_STEP)
    elif kind is list:
        return _equal_lists(budget, one, other)
    elif kind is dict:
        return _equal_maps(budget, one, other)
    return bool(one == other)


def _equal_lists(budget: Budget, one: list[Any], other: list[Any]) -> bool:
    if len(one) != len(other):
        return False
    charge(budget, len(one))
    return all(equal(budget, *pair) for pair in zip(one, other, strict=True))


def _equal_maps(budget: Budget, one: dict[Any, Any], other: dict[Any, Any]) -> bool:
    if len(one) != len(other):
        return False
    charge(budget, len(one))
    return all(key in other and equal(budget, value, other[key]) for key, value in one.items())


def unequal(budget: Budget, one: object, other: object) -> bool:
    """Whether two values differ."""
    return not equal(budget, one, other)


def contains(budget: Budget, element: Any, container: Any) -> bool:
    """Whether `element` equals an element of a list or a key of a map.

    An element that can't be judged is an error where no other one is equal.
    """
    if type(container) is dict:
        return key_of(element) in container
    if type(container) is not list:
        raise refused(element, container)
    if type(element) is str:
        return _contains_text(budget, element, container)
    charge(budget, len(container))
    error = None
    for each in container:
        try:
            if equal(budget, each, element):
                return True
        except EvaluationError as failure:
            error = failure
    if error is not None:
        raise error
    return False


def _contains_text(budget: Budget, text: str, container: list[Any]) -> bool:
    charge(budget, len(container) * (1 + len(text) // CHARACTERS_PER_STEP))
    if text in container:
        return True
    if not RUNTIME_TYPES.keys() >= set(map(type, container)):
        raise EvaluationError(UNJUDGED)
    return False


def key_of(value: Any) -> Any:
    """The key under which a map holds `value`: numbers that are equal are one key.

    Raises `EvaluationError` for a value that no map has as a key.
    """
    kind = type(value)
    if kind is bool:
        return MapKey(value)
    if kind is str or kind in NUMBERS:
        return value
    raise refused(value)


def value_of(key: Any) -> Any:
    """The value that stands for `key` of a map."""
    return key.value if type(key) is MapKey else key
