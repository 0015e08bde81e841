"""The shape of a condition: what its code depends on, apart from the values written in it.

A shape is made of nested tuples, an operation's name first. Literals stand apart, in numbered
slots, so that rules which differ in nothing but a limit or a name share one code object.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.arithmetic import add, divide, modulo, multiply, negate, subtract
from guardrails.language.cel.library import FUNCTIONS, TABLES
from guardrails.language.cel.macros import ASKING
from guardrails.language.cel.operators import ORDERINGS
from guardrails.language.cel.tree import (
    Comprehension,
    Conditional,
    Has,
    Invalid,
    Invoke,
    ListOf,
    Literal,
    Local,
    Logic,
    MapOf,
    Node,
    Operation,
    Probe,
    Select,
    Variable,
)
from guardrails.values import UInt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Shape = tuple[Any, ...]

EXACT = 2**53
"""Below this every integer is a double, so that comparing with it needs no conversion."""

NODES_PER_STEP = 4
"""Nodes of a macro's body that one step of work may evaluate."""

_FOLDABLE: Mapping[tuple[str, int], Callable[..., object]] = {
    ("+", 2): add,
    ("-", 2): subtract,
    ("*", 2): multiply,
    ("/", 2): divide,
    ("%", 2): modulo,
    ("-", 1): negate,
}

_FOLDED = frozenset({"int", "uint", "double", "string", "bytes", "bool", "timestamp", "duration"})
"""Functions whose result for literals is worked out beforehand."""


@dataclass(slots=True)
class _Allowance:
    """The work that folding may do; a condition's own bounds are the engine's."""

    steps: int = 1_000


@dataclass(slots=True)
class Outline:
    """A condition split into its shape and what fills it.

    `slots` are the literals and library functions it uses, `places` the parts of the source that
    its errors name, as (start, end).
    """

    shape: Shape = ()
    slots: list[object] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)


def outline(root: Node) -> Outline:
    """The shape of a checked tree and what fills it."""
    outliner = _Outliner()
    result = outliner.result
    result.shape = outliner.shape(root)
    result.places = result.places or [(root.start, root.end)]
    return result


class _Outliner:
    """Walks one tree; the variables of its macros are numbered, so that their names don't count."""

    __slots__ = ("_locals", "_nodes", "result")

    def __init__(self) -> None:
        self.result = Outline()
        self._locals: dict[str, int] = {}
        self._nodes = 0

    def shape(self, node: Node) -> Shape:
        self._nodes += 1
        return _SHAPERS[type(node)](self, node)

    def slot(self, value: object) -> int:
        self.result.slots.append(value)
        return len(self.result.slots) - 1

    def place(self, node: Node) -> int:
        self.result.places.append((node.start, node.end))
        return len(self.result.places)

    def literal(self, node: Literal) -> Shape:
        return self._literal(node.value)

    def _literal(self, value: object) -> Shape:
        if value is None or type(value) is bool:
            return ("constant", value)
        return ("slot", self.slot(value), kind_of(value))

    def variable(self, node: Variable) -> Shape:
        return ("read", node.name, self.place(node))

    def local(self, node: Local) -> Shape:
        return ("local", self._locals[node.name])

    def select(self, node: Select) -> Shape:
        return ("select", self.shape(node.operand), self.slot(node.field), self.place(node))

    def has(self, node: Has) -> Shape:
        return ("has", self.shape(node.operand), self.slot(node.field), self.place(node))

    def operation(self, node: Operation) -> Shape:
        folded = _fold(node)
        if folded is not None:
            return self._literal(folded.value)
        operator = node.operator
        operands = node.operands
        if operator == "in":
            return self._membership(node)
        shapes = tuple(map(self.shape, operands))
        place = self.place(node)
        if operator in ("==", "!="):
            return ("equal", operator, *shapes, place)
        if operator in ORDERINGS:
            return ("order", operator, *shapes, place)
        if operator == "[]":
            return ("index", *shapes, place)
        if len(operands) == 1:
            return ("not" if operator == "!" else "negate", *shapes, place)
        return ("operate", operator, *shapes, place)

    def _membership(self, node: Operation) -> Shape:
        element, container = node.operands
        shape = self.shape(element)
        if isinstance(container, Literal) and type(container.value) is list:
            kinds = {kind_of(value) for value in container.value}
            slot = self.slot(container.value)
            if kinds in ({"text"}, {"number"}):
                return ("among", shape, self.slot(frozenset(container.value)), slot, *kinds,
                        self.place(node))  # fmt: skip
            return ("in", shape, ("slot", slot, "other"), self.place(node))
        return ("in", shape, self.shape(container), self.place(node))

    def logic(self, node: Logic) -> Shape:
        return ("logic", node.operator, tuple(map(self._truth, node.operands)))

    def _truth(self, node: Node) -> Shape:
        """The shape of what must be true or false."""
        return ("truth", self.shape(node), self.place(node))

    def conditional(self, node: Conditional) -> Shape:
        return ("choose", self._truth(node.condition), self.shape(node.chosen),
                self.shape(node.otherwise))  # fmt: skip

    def list_of(self, node: ListOf) -> Shape:
        return ("list", tuple(map(self.shape, node.elements)))

    def map_of(self, node: MapOf) -> Shape:
        parts = tuple(self.shape(part) for entry in node.entries for part in entry)
        return ("map", parts, self.place(node))

    def comprehension(self, node: Comprehension) -> Shape:
        operand = self.shape(node.operand)
        outer, before = self._locals, self._nodes
        numbers = tuple(range(len(outer), len(outer) + len(node.variables)))
        self._locals = {**outer, **dict(zip(node.variables, numbers, strict=True))}
        asked = node.macro in ASKING
        where = node.body if asked else node.where
        body = None if asked else node.body
        parts = (where and self._truth(where), body and self.shape(body))
        self._locals = outer
        weight = 1 + (self._nodes - before) // NODES_PER_STEP
        return ("loop", node.macro, operand, numbers, *parts, weight, self.place(node))

    def invoke(self, node: Invoke) -> Shape:
        folded = _fold(node)
        if folded is not None:
            return self._literal(folded.value)
        arguments = tuple(map(self.shape, node.arguments))
        signature = (node.function, node.receiver, len(arguments))
        overloads = FUNCTIONS[signature]
        if len(overloads) > 1:
            return ("dispatch", self.slot(TABLES[signature]), arguments, self.place(node))
        overload = overloads[0]
        literals = tuple(
            argument.value if isinstance(argument, Literal) else None for argument in node.arguments
        )
        special = overload.specialise and overload.specialise(literals)
        slot = self.slot(special or overload.implementation)
        names = tuple(parameter.name for parameter in overload.parameters)
        budget = ("frame",) if overload.charged else ()
        return ("invoke", slot, budget, names, arguments, self.place(node))

    def invalid(self, node: Invalid) -> Shape:
        return ("invalid", self.slot(node.message), self.place(node))

    def probe(self, node: Probe) -> Shape:
        self._nodes -= 1  # watching is no work of the condition's own
        return ("probe", self.slot(node.watch), self.shape(node.operand), self.place(node))


def kind_of(value: object) -> str:
    """What code may presume of a literal: `text`, a `number` below `EXACT`, or `other`."""
    kind = type(value)
    if kind is str:
        return "text"
    if kind in (int, UInt, float) and -EXACT < value < EXACT:  # type: ignore[operator]
        return "number"
    return "other"


def _fold(node: Node) -> Literal | None:
    """The literal that `node` amounts to, if all its operands are literals and it has a value."""
    if isinstance(node, Literal):
        return node
    if isinstance(node, Operation) and (node.operator, len(node.operands)) in _FOLDABLE:
        operator = _FOLDABLE[node.operator, len(node.operands)]
        return _computed(node, node.operands, lambda *values: operator(_Allowance(), *values))
    if isinstance(node, Invoke) and node.function in _FOLDED:
        table = TABLES[node.function, False, 1]
        return _computed(node, node.arguments, lambda value: _called(table, value))
    return None


def _called(table: Mapping[tuple[type, ...], tuple[Any, bool]], value: object) -> object:
    implementation, charged = table[(type(value),)]
    return implementation(_Allowance(), value) if charged else implementation(value)


def _computed(
    node: Node, operands: tuple[Node, ...], compute: Callable[..., object]
) -> Literal | None:
    values = []
    for operand in operands:
        folded = _fold(operand)
        if folded is None:
            return None
        values.append(folded.value)
    try:
        value = compute(*values)
    except (EvaluationError, KeyError):
        return None
    return Literal(node.start, node.end, value)


_SHAPERS: Mapping[type[Node], Callable[[_Outliner, Any], Shape]] = {
    Literal: _Outliner.literal,
    Variable: _Outliner.variable,
    Local: _Outliner.local,
    Select: _Outliner.select,
    Has: _Outliner.has,
    Operation: _Outliner.operation,
    Logic: _Outliner.logic,
    Conditional: _Outliner.conditional,
    ListOf: _Outliner.list_of,
    MapOf: _Outliner.map_of,
    Comprehension: _Outliner.comprehension,
    Invoke: _Outliner.invoke,
    Invalid: _Outliner.invalid,
    Probe: _Outliner.probe,
}
