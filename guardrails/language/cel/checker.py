"""What a condition means: names resolved (`scope.py`), types worked out, every fault told.

Types follow the CEL specification ("Gradual Type Checking"), with records whose keys are known.
An unchecked condition, as only conformance cases have, is resolved the same way; what would be a
fault becomes an error of its evaluation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from guardrails.language.cel.calls import (
    complaint_about,
    fitting,
    refusal_of_call,
    result_of_call,
)
from guardrails.language.cel.errors import CelError, CelErrors, did_you_mean, out_of_stack
from guardrails.language.cel.library import FUNCTIONS
from guardrails.language.cel.macros import ASKING
from guardrails.language.cel.names import function_in
from guardrails.language.cel.operators import refusal, result_of, result_of_macro
from guardrails.language.cel.relations import (
    described,
    fits,
    join,
    join_all,
    parameters,
    same_kind,
    type_of,
)
from guardrails.language.cel.scope import Scope
from guardrails.language.cel.tree import (
    Call,
    Checked,
    Comprehension,
    Conditional,
    Expression,
    Has,
    Invalid,
    Invoke,
    ListOf,
    Literal,
    Logic,
    MapOf,
    Name,
    Node,
    Operation,
    Select,
)
from guardrails.language.cel.types import (
    BOOL,
    DYN,
    INT,
    STRING,
    RecordType,
    Type,
    list_of,
    map_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from guardrails.language.cel.environment import Environment


def check(
    expression: Expression,
    environment: Environment,
    *,
    condition: bool = True,
    unchecked: bool = False,
) -> Checked:
    """The typed tree of an expression; raises `CelErrors` with every fault found.

    A `condition` must be able to be true or false. If `unchecked`, nothing is refused.
    """
    scope = Scope(environment)
    checker = _Checker(expression.source, scope, unchecked=unchecked)
    try:
        root = checker.visit(expression.root)
    except RecursionError:
        raise CelErrors([out_of_stack(expression.root.start, expression.root.end)]) from None
    if condition and root.type.name not in ("bool", "dyn"):
        checker.report(root, f"a condition is true or false; this is {described(root.type)}")
    if checker.problems:
        raise CelErrors(checker.problems)
    return Checked(
        root,
        root.type,
        expression.source,
        frozenset(scope.read),
        frozenset(scope.selects),
    )


class _Checker:
    """Walks one tree and keeps the `problems` it meets."""

    __slots__ = ("_scope", "_source", "_unchecked", "problems")

    def __init__(self, source: str, scope: Scope, *, unchecked: bool) -> None:
        self._source = source
        self._scope = scope
        self._unchecked = unchecked
        self.problems: list[CelError] = []

    def visit(self, node: Node) -> Node:
        return _VISITORS[type(node)](self, node)

    def report(self, node: Node, message: str) -> None:
        self.report_at(node.start, node.end, message)

    def report_at(self, start: int, end: int, message: str) -> None:
        if not self._unchecked:
            self.problems.append(CelError(message, start, end))

    def literal(self, node: Literal) -> Node:
        return replace(node, type=type_of(node.value))

    def name(self, node: Name) -> Node:
        return self._scope.resolve(node, node.name) or self._unknown(node)

    def _unknown(self, node: Name) -> Node:
        name = node.name.removeprefix(".")
        unknown = f"unknown variable `{name}`"
        self.report(node, f"{unknown}{self._scope.meant(name)}")
        return Invalid(node.start, node.end, unknown)

    def select(self, node: Select) -> Node:
        variable = self._scope.resolve_dotted(node)
        if variable is not None:
            return variable
        operand = self._holder(node.operand, node.field)
        type_ = self._key_type(node, operand, node.field)
        return self._folded(replace(node, operand=operand, type=type_), node.field)

    def has(self, node: Has) -> Node:
        operand = self._holder(node.operand, node.field)
        self._key_type(node, operand, node.field)
        return replace(node, operand=operand, type=BOOL)

    def _holder(self, operand: Node, key: str) -> Node:
        """`operand`, of which `key` is read and, if it is a variable, nothing else."""
        if not isinstance(operand, Name) or self._scope.has_dots:
            return self.visit(operand)
        return self._scope.resolve_holder(operand, key) or self._unknown(operand)

    def _folded(self, node: Node, key: object) -> Node:
        """`node`, or the constant that it reads."""
        operand = node.children()[0]
        if not isinstance(operand, Literal):
            return node
        if type(operand.value) is dict and key in operand.value:
            return self.literal(Literal(node.start, node.end, operand.value[key]))
        return node

    def _key_type(self, node: Node, operand: Node, key: str) -> Type:
        type_ = operand.type
        if isinstance(type_, RecordType):
            known = type_.fields.get(key)
            if known is not None:
                return known
            if type_.closed:
                self._unknown_key(node, type_, key)
            return DYN
        if type_.name == "map":
            wanted, value = parameters(type_)
            if fits(STRING, wanted):
                return value
            self.report(node, f"a map whose keys are {wanted} has no key `{key}`")
        elif type_.name != "dyn":
            self.report(node, f"{described(type_)} has no key `{key}`")
        return DYN

    def _unknown_key(self, node: Node, record: RecordType, key: str) -> None:
        owner = f" of {record.of}" if record.of else ""
        advice = did_you_mean(key, record.fields)
        message = f"unknown {record.noun} `{key}`{owner}{advice}"
        start = self._source.rfind(key, node.start, node.end)
        if start < 0:  # written with escapes
            self.report(node, message)
        else:
            self.report_at(start, start + len(key), message)

    def operation(self, node: Operation) -> Node:
        if node.operator in ("[]", "in"):
            return self._look_up(node)
        operands = tuple(map(self.visit, node.operands))
        return self._operated(node, operands)

    def _operated(self, node: Operation, operands: tuple[Node, ...]) -> Node:
        types = tuple(operand.type for operand in operands)
        result = result_of(node.operator, types)
        if result is None:
            self.report(node, refusal(node.operator, types))
            result = DYN
        return replace(node, operands=operands, type=result)

    def _look_up(self, node: Operation) -> Node:
        """`map[key]` and `key in map`, where a literal key is as good as one after a dot."""
        container, key = node.operands if node.operator == "[]" else reversed(node.operands)
        if not (isinstance(key, Literal) and type(key.value) is str):
            return self._operated(node, tuple(map(self.visit, node.operands)))
        holder = self._holder(container, key.value)
        operands = (holder, self.visit(key))
        if not isinstance(holder.type, RecordType):
            ordered = operands if node.operator == "[]" else operands[::-1]
            return self._folded(self._operated(node, ordered), key.value)
        type_ = self._key_type(node, holder, key.value)
        if node.operator == "in":
            return replace(node, operands=operands[::-1], type=BOOL)
        return self._folded(replace(node, operands=operands, type=type_), key.value)

    def logic(self, node: Logic) -> Node:
        operands = tuple(map(self.visit, node.operands))
        for operand in operands:
            self._expect_bool(operand, f"`{node.operator}` joins")
        return replace(node, operands=operands, type=BOOL)

    def _expect_bool(self, node: Node, whose: str) -> None:
        if node.type.name not in ("bool", "dyn"):
            self.report(node, f"{whose} what is true or false, and this is {described(node.type)}")

    def conditional(self, node: Conditional) -> Node:
        condition = self.visit(node.condition)
        self._expect_bool(condition, "`?` asks")
        chosen, otherwise = self.visit(node.chosen), self.visit(node.otherwise)
        if not same_kind(chosen.type, otherwise.type):
            both = f"{described(chosen.type)} and {described(otherwise.type)}"
            self.report(node, f"the two results of `?` must be of one type, not {both}")
        return replace(
            node,
            condition=condition,
            chosen=chosen,
            otherwise=otherwise,
            type=join(chosen.type, otherwise.type),
        )

    def list_of(self, node: ListOf) -> Node:
        elements = tuple(map(self.visit, node.elements))
        type_ = list_of(join_all(element.type for element in elements))
        values = [element.value for element in elements if isinstance(element, Literal)]
        if len(values) == len(elements):
            return Literal(node.start, node.end, values, type=type_)
        return replace(node, elements=elements, type=type_)

    def map_of(self, node: MapOf) -> Node:
        entries = tuple((self.visit(key), self.visit(value)) for key, value in node.entries)
        for key, _ in entries:
            if key.type.name not in _KEYS:
                self.report(key, f"{described(key.type)} is no key of a map; use a string")
        keys = join_all(key.type for key, _ in entries)
        type_ = map_of(keys, join_all(value.type for _, value in entries))
        return replace(node, entries=entries, type=type_)

    def comprehension(self, node: Comprehension) -> Node:
        operand = self.visit(node.operand)
        types = self._element_types(operand, len(node.variables))
        with self._scope.inside(node.variables, types):
            where = node.where and self.visit(node.where)
            body = node.body and self.visit(node.body)
        asked = body if node.macro in ASKING else where
        if asked is not None:
            self._expect_bool(asked, f"`{node.macro}` asks")
        type_ = result_of_macro(node.macro, types, None if body is None else body.type)
        return replace(node, operand=operand, where=where, body=body, type=type_)

    def _element_types(self, operand: Node, count: int) -> tuple[Type, ...]:
        type_ = operand.type
        if type_.name not in ("list", "map", "dyn"):
            self.report(
                operand, f"only lists and maps are gone through, and this is {described(type_)}"
            )
        if type_.name == "list":
            return (INT, *parameters(type_))[-count:]
        return (parameters(type_) if type_.name == "map" else (DYN, DYN))[:count]

    def call(self, node: Call) -> Node:
        name = function_in(node)
        receiver = node.target is not None and not name
        written = (node.target, *node.arguments) if receiver else node.arguments
        arguments = tuple(self.visit(argument) for argument in written if argument is not None)
        name = name or node.function.removeprefix(".")
        candidates = FUNCTIONS.get((name, receiver, len(arguments)), ())
        overloads = candidates if self._unchecked else fitting(candidates, arguments)
        if not overloads:
            why = refusal_of_call(name, arguments, receiver=receiver, variables=self._scope.types)
            self.report(node, why)
            return Invalid(node.start, node.end, f"no function `{name}` for these operands")
        self._scope.read.update(each.reads for each in overloads if each.reads is not None)
        complaint = complaint_about(overloads, arguments)
        if complaint:
            self.report(node, complaint)
        type_ = result_of_call(overloads)
        return Invoke(node.start, node.end, name, receiver, arguments, type=type_)


_KEYS = frozenset({"dyn", "bool", "int", "uint", "string"})

_VISITORS: Mapping[type[Node], Callable[[_Checker, Any], Node]] = {
    Literal: _Checker.literal,
    Name: _Checker.name,
    Select: _Checker.select,
    Has: _Checker.has,
    Operation: _Checker.operation,
    Logic: _Checker.logic,
    Conditional: _Checker.conditional,
    ListOf: _Checker.list_of,
    MapOf: _Checker.map_of,
    Comprehension: _Checker.comprehension,
    Call: _Checker.call,
}
