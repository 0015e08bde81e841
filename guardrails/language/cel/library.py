"""Every function that a condition can call: the conversions and the library, by name."""

from __future__ import annotations

from itertools import groupby, product
from typing import TYPE_CHECKING, Any

from guardrails.language.cel import conversions
from guardrails.language.cel.functions import OVERLOADS
from guardrails.language.cel.relations import RUNTIME_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from guardrails.language.cel.functions.signature import Overload
    from guardrails.language.cel.types import Type

    Table = Mapping[tuple[type, ...], tuple[Callable[..., Any], bool]]


def _shapes() -> Mapping[tuple[str, bool, int], tuple[Overload, ...]]:
    every = [*conversions.OVERLOADS, *(each for group in OVERLOADS.values() for each in group)]
    every.sort(key=_shape)
    return {shape: tuple(group) for shape, group in groupby(every, _shape)}


def _shape(overload: Overload) -> tuple[str, bool, int]:
    return overload.name, overload.receiver, len(overload.parameters)


FUNCTIONS = _shapes()
"""The overloads by name, by whether they are called as `x.f(..)`, and by number of operands."""


def _table(overloads: tuple[Overload, ...]) -> Table:
    """The implementation, and whether it is charged, by the exact types of the operands."""
    return {
        types: (overload.implementation, overload.charged)
        for overload in overloads
        for types in product(*map(_python_types, overload.parameters))
    }


def _python_types(parameter: Type) -> list[type]:
    every = parameter.name == "dyn"
    return [kind for kind, type_ in RUNTIME_TYPES.items() if every or type_.name == parameter.name]


TABLES: Mapping[tuple[str, bool, int], Table] = {
    shape: _table(overloads) for shape, overloads in FUNCTIONS.items() if len(overloads) > 1
}
"""What a call with several overloads means, by what `FUNCTIONS` is by and then by operands."""

NAMES = frozenset(name for name, _, _ in FUNCTIONS)
