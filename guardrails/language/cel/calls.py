"""Which overload of the library a call means, or why it means none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.language.cel import foreign_words
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.cel.library import FUNCTIONS, NAMES
from guardrails.language.cel.macros import USAGE
from guardrails.language.cel.relations import described, fits
from guardrails.language.cel.tree import Literal
from guardrails.language.cel.types import DYN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardrails.language.cel.functions.signature import Overload
    from guardrails.language.cel.tree import Node
    from guardrails.language.cel.types import Type


def fitting(candidates: Iterable[Overload], arguments: Sequence[Node]) -> tuple[Overload, ...]:
    """Those of `candidates` that take arguments of these types."""
    types = [argument.type for argument in arguments]
    return tuple(overload for overload in candidates if all(map(fits, types, overload.parameters)))


def result_of_call(overloads: Sequence[Overload]) -> Type:
    """The type that a call gives which may mean any of `overloads`."""
    first = overloads[0].result
    return first if all(overload.result == first for overload in overloads) else DYN


def complaint_about(overloads: Iterable[Overload], arguments: Iterable[Node]) -> str | None:
    """What an overload finds wrong with the literals among `arguments`, or None."""
    literals = tuple(
        argument.value if isinstance(argument, Literal) else None for argument in arguments
    )
    for overload in overloads:
        complaint = overload.check_literals and overload.check_literals(literals)
        if complaint:
            return complaint
    return None


def refusal_of_call(
    name: str, arguments: Sequence[Node], *, receiver: bool, variables: Iterable[str]
) -> str:
    """Why no function `name` takes `arguments`, the first of them before the dot if `receiver`."""
    candidates = FUNCTIONS.get((name, receiver, len(arguments)))
    if candidates:
        given = " and ".join(described(argument.type) for argument in arguments)
        return f"`{name}` does not take {given or 'nothing'}; it takes {_taken(candidates)}"
    if name in USAGE:
        return f"`{name}` is written `{USAGE[name]}`"
    if name in NAMES:
        return f"`{name}` is called as {_forms(name)}"
    if name in variables:
        return f"`{name}` is a variable; write it without `()`"
    if name in foreign_words.FUNCTIONS:
        return f"unknown function `{name}`; did you mean `{foreign_words.FUNCTIONS[name]}`?"
    return f"unknown function `{name}`{did_you_mean(name, (*NAMES, *USAGE))}"


def _taken(candidates: Iterable[Overload]) -> str:
    ways = (
        " and ".join(described(parameter) for parameter in overload.parameters)
        for overload in candidates
    )
    return ", or ".join(dict.fromkeys(ways))


def _forms(name: str) -> str:
    forms = []
    for known, receiver, count in sorted(FUNCTIONS, key=lambda shape: shape[1:]):
        if known == name:
            places = ", ".join("xyzuv"[receiver:count])
            forms.append(f"`x.{name}({places})`" if receiver else f"`{name}({places})`")
    return " or ".join(forms)
