"""The element of a list or map that decided a macro, and the macro's body as it was for it."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from guardrails.language.cel.tree import Comprehension, Literal, Local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from guardrails.language.cel.tree import Node

LOOKED_AT = 1000
"""Elements that are looked at: each costs a compilation of the body, some 50 µs."""

_SETTLED_BY = {"all": False, "exists": True}
"""Macros that one element settles, and the value of their body that does."""


def deciding_body(
    macro: Comprehension, outcome: object, range_: object, evaluate: Callable[[Node], object]
) -> Node | None:
    """The body of `macro` for the element that made its outcome; None where no single one did.

    None too where it is not among the first `LOOKED_AT`.
    `range_` is what the macro goes through, `evaluate` gives a node's value or what stands for
    its error.
    """
    if macro.body is None or macro.macro not in _SETTLED_BY or type(range_) not in (list, dict):
        return None
    settled = _SETTLED_BY[macro.macro]
    if type(outcome) is bool and outcome is not settled:
        return None
    for values in islice(_elements(range_, macro.variables), LOOKED_AT):
        body = bind(macro.body, values)
        found = evaluate(body)
        if found is settled if type(outcome) is bool else type(found) is not bool:
            return body
    return None


def _elements(range_: Any, variables: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """What the variables of a macro stand for, element by element."""
    if len(variables) == 1:
        return ({variables[0]: element} for element in range_)
    pairs = range_.items() if type(range_) is dict else enumerate(range_)
    return (dict(zip(variables, pair, strict=True)) for pair in pairs)


def bind(node: Node, values: Mapping[str, object]) -> Node:
    """`node` with a value in the place of every variable of a macro that `values` knows."""
    if isinstance(node, Local):
        if node.name not in values:
            return node
        return Literal(node.start, node.end, values[node.name], type=node.type)
    if isinstance(node, Comprehension):
        inner = {name: value for name, value in values.items() if name not in node.variables}
        return replace(
            node,
            operand=bind(node.operand, values),
            where=None if node.where is None else bind(node.where, inner),
            body=None if node.body is None else bind(node.body, inner),
        )
    return node.map(lambda child: bind(child, values))
