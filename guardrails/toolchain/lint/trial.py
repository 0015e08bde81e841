"""Conditions tried with a value in the place of something they read, by the engine's own code.

What else they read stays unknown, so an answer holds whatever that may be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from guardrails.engine.facts import CONDITION_STEPS
from guardrails.errors import EvaluationError
from guardrails.language.cel.compiler import compile_condition
from guardrails.language.cel.errors import CelError
from guardrails.language.cel.tree import (
    Checked,
    Comprehension,
    Conditional,
    Has,
    ListOf,
    Literal,
    Local,
    Logic,
    Operation,
    Select,
    Variable,
)
from guardrails.toolchain.elements import bind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.language.cel.tree import Node

Source = tuple[str, ...]
"""What a condition reads, as a path: `("arguments", "to")`."""

Values = dict[Source, object]
"""What stands for what is read."""


class Failed:
    """The outcome of a condition that has no value."""


FAILED: Final = Failed()

Outcome = bool | Failed | None
"""What a condition comes to; None where that depends on what is unknown."""


@dataclass(slots=True)
class Budget:
    """The work that a condition may still do."""

    steps: int = CONDITION_STEPS


def source_of(node: Node) -> Source | None:
    """What `node` reads: a variable, or what stands under names in one; None for anything else."""
    if isinstance(node, Variable):
        return tuple(node.name.split("."))
    name: object = None
    if isinstance(node, Select):
        name, under = node.field, node.operand
    elif isinstance(node, Operation) and node.operator == "[]":
        under, key = node.operands
        name = key.value if isinstance(key, Literal) else None
    if type(name) is not str:
        return None
    source = source_of(under)
    return None if source is None else (*source, name)


def put(node: Node, values: Values) -> Node:
    """`node` with values in the place of what it reads."""
    if isinstance(node, Has):
        above = source_of(node.operand)
        if above is not None and (*above, node.field) in values:
            return Literal(node.start, node.end, value=True, type=node.type)
    source = source_of(node)
    if source is not None and source in values:
        return Literal(node.start, node.end, values[source], type=node.type)
    return node.map(lambda child: put(child, values))


def is_closed(node: Node, bound: frozenset[str] = frozenset()) -> bool:
    """Whether `node` reads nothing that is unknown."""
    if isinstance(node, Variable):
        return False
    if isinstance(node, Local):
        return node.name in bound
    if isinstance(node, Comprehension):
        inner = bound | frozenset(node.variables)
        parts = (part for part in (node.where, node.body) if part is not None)
        return is_closed(node.operand, bound) and all(is_closed(part, inner) for part in parts)
    return all(is_closed(child, bound) for child in node.children())


def value_of(node: Node, source: str) -> object:
    """The value of a closed node of the condition `source`; `FAILED` where it has none."""
    checked = Checked(node, node.type, source, frozenset(), frozenset())
    try:
        return compile_condition(checked)({}, Budget())
    except (EvaluationError, CelError):
        return FAILED


def outcome_of(node: Node, source: str) -> Outcome:
    """What `node`, a part of the condition `source`, comes to whatever the unknown may be."""
    if isinstance(node, Logic):
        return _join(node.operator, (outcome_of(each, source) for each in node.operands))
    if isinstance(node, Operation) and node.operator == "!":
        outcome = outcome_of(node.operands[0], source)
        return not outcome if type(outcome) is bool else outcome
    if isinstance(node, Conditional):
        return _choose(node, source)
    if isinstance(node, Comprehension) and (operands := _unrolled(node)) is not None:
        operator = "&&" if node.macro == "all" else "||"
        return _join(operator, (outcome_of(each, source) for each in operands))
    if not is_closed(node):
        return None
    value = value_of(node, source)
    return value if type(value) is bool else FAILED


def elements_of(node: Node) -> list[object] | None:
    """The elements of a list that is written down or a constant; None for anything else."""
    if isinstance(node, ListOf):
        values = [each.value for each in node.elements if isinstance(each, Literal)]
        return values if len(values) == len(node.elements) else None
    return node.value if isinstance(node, Literal) and type(node.value) is list else None


def _unrolled(node: Comprehension) -> list[Node] | None:
    """The body of `all` or `exists` over a list that is known, for each element.

    None where the macro has a value as it stands, or is another.
    """
    elements = elements_of(node.operand)
    if elements is None or node.macro not in ("all", "exists") or len(node.variables) != 1:
        return None
    if node.body is None or node.where is not None or is_closed(node):
        return None
    return [bind(node.body, {node.variables[0]: element}) for element in elements]


def _join(operator: str, outcomes: Iterable[Outcome]) -> Outcome:
    """`&&` or `||` of outcomes: one side settles it, even beside an error, as CEL has it."""
    settling = operator == "||"
    joined: Outcome = not settling
    for outcome in outcomes:
        if outcome is settling:
            return settling
        if outcome is None or joined is None:
            joined = None
        elif isinstance(outcome, Failed):
            joined = FAILED
    return joined


def _choose(node: Conditional, source: str) -> Outcome:
    condition = outcome_of(node.condition, source)
    if isinstance(condition, Failed):
        return FAILED
    chosen, otherwise = (outcome_of(each, source) for each in (node.chosen, node.otherwise))
    if condition is None:  # it may be an error, too
        return FAILED if chosen is otherwise is FAILED else None
    return chosen if condition else otherwise


def bindings(root: Node) -> Mapping[int, Comprehension]:
    """For each variable of a macro in `root`, by the id of its node, the macro that binds it."""
    found: dict[int, Comprehension] = {}
    _bind_locals(root, {}, found)
    return found


def _bind_locals(
    node: Node, scope: dict[str, Comprehension], found: dict[int, Comprehension]
) -> None:
    if isinstance(node, Local):
        if node.name in scope:
            found[id(node)] = scope[node.name]
        return
    if isinstance(node, Comprehension):
        _bind_locals(node.operand, scope, found)
        inner = {**scope, **dict.fromkeys(node.variables, node)}
        for part in (node.where, node.body):
            if part is not None:
                _bind_locals(part, inner, found)
        return
    for child in node.children():
        _bind_locals(child, scope, found)
