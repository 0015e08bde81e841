"""Why a condition came out as it did: the parts that decided, and the values under them.

Each part is compiled and evaluated by itself, with a fresh allowance of work, so that what is
told is what the engine's own code computes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.compiler import compile_condition
from guardrails.language.cel.tree import (
    Checked,
    Comprehension,
    Conditional,
    Has,
    ListOf,
    Literal,
    Local,
    Logic,
    MapOf,
    Operation,
    Select,
    Variable,
)
from guardrails.toolchain.elements import deciding_body
from guardrails.toolchain.notation import notate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardrails.engine.facts import Frame
    from guardrails.language.cel.tree import Node


_NAMED = re.compile(r"(?!(true|false|null)\b)[A-Za-z_]\w*(\.|\Z)")
"""The text of a value that has a name: a constant, or a variable of a macro."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A part under a deciding one: its text, and its value or the error that it gave instead."""

    source: str
    value: str | None
    error: str | None

    def as_json(self) -> dict[str, Any]:
        """The operand as the command line prints it; the value in the notation of conditions."""
        return {"source": self.source, "value": self.value, "error": self.error}


@dataclass(frozen=True, slots=True)
class Reason:
    """A part of a condition that decided its outcome, with the operands it was computed from.

    `start` and `end` are its place in the condition, in code points.
    """

    start: int
    end: int
    source: str
    value: str | None
    error: str | None
    operands: tuple[Operand, ...]

    def as_json(self) -> dict[str, Any]:
        """The reason as the command line prints it."""
        return {
            "source": self.source,
            "start": self.start,
            "end": self.end,
            "value": self.value,
            "error": self.error,
            "operands": [operand.as_json() for operand in self.operands],
        }


@dataclass(frozen=True, slots=True)
class Fault:
    """The error that a part gave in place of a value."""

    message: str


class Inquiry:
    """One condition, looked into for one action."""

    __slots__ = ("_checked", "_frame", "_seen", "_values")

    def __init__(
        self, checked: Checked, values: dict[str, Any], frame: Callable[[], Frame]
    ) -> None:
        self._checked = checked
        self._values = values
        self._frame = frame
        self._seen: dict[int, tuple[Node, object]] = {}

    def outcome(self) -> object:
        """The value of the condition as a whole, or its `Fault`."""
        return self._evaluate(self._checked.root)

    def reasons(self) -> tuple[Reason, ...]:
        """The parts that decided, in the order of the source."""
        root = self._checked.root
        deciding = {(node.start, node.end): node for node in self._deciding(root)}
        if not deciding and isinstance(self._evaluate(root), Fault):
            deciding[root.start, root.end] = root  # the parts together were too much work
        return tuple(self._tell(deciding[place]) for place in sorted(deciding))

    def _evaluate(self, node: Node) -> object:
        if id(node) not in self._seen:
            self._seen[id(node)] = node, self._compute(node)  # held, so that its id stays its own
        return self._seen[id(node)][1]

    def _compute(self, node: Node) -> object:
        whole = self._checked
        part = Checked(node, node.type, whole.source, whole.variables, whole.selects)
        try:
            return compile_condition(part)(self._values, self._frame())
        except EvaluationError as error:
            return Fault(str(error))

    def _deciding(self, node: Node) -> Iterator[Node]:
        match node:
            case Logic(operator=operator, operands=operands):
                for operand in self._decisive(
                    operands, self._evaluate(node), settles=operator == "||"
                ):
                    yield from self._deciding(operand)
            case Operation(operator="!", operands=(operand,)):
                yield from self._deciding(operand)
            case Conditional(condition=condition, chosen=chosen, otherwise=otherwise):
                yield from self._deciding(condition)
                choice = self._evaluate(condition)
                if type(choice) is bool:
                    yield from self._deciding(chosen if choice else otherwise)
            case Comprehension():
                yield node
                yield from self._deciding_element(node)
            case Literal():
                return
            case _:
                yield node

    def _deciding_element(self, node: Comprehension) -> Iterator[Node]:
        outcome, range_ = self._evaluate(node), self._evaluate(node.operand)
        body = deciding_body(node, outcome, range_, self._evaluate)
        if body is not None:
            yield from self._deciding(body)

    def _decisive(
        self, operands: tuple[Node, ...], outcome: object, *, settles: bool
    ) -> list[Node]:
        """The operands of `&&` or `||` that made the outcome; the value `settles` it alone."""
        values = [(operand, self._evaluate(operand)) for operand in operands]
        if outcome is settles:
            return [operand for operand, value in values if value is settles]
        if type(outcome) is bool:
            return list(operands)
        return [operand for operand, value in values if type(value) is not bool]

    def _tell(self, node: Node) -> Reason:
        value = self._evaluate(node)
        told, error = _tell_value(value)
        shown = {self._text(part): part for part in self._parts(node)}
        operands = [Operand(text, *_tell_value(self._evaluate(shown[text]))) for text in shown]
        return Reason(
            node.start,
            node.end,
            self._text(node),
            told,
            error,
            tuple(operand for operand in operands if operand.error is None or not error),
        )

    def _parts(self, node: Node) -> Iterator[Node]:
        """The operands worth telling: what is read, and what is computed from it."""
        if _is_path(node):
            yield node
            return
        if isinstance(node, Has):
            if not isinstance(node.operand, Variable):
                yield node.operand
            return
        children = (node.operand,) if isinstance(node, Comprehension) else node.children()
        for child in children:
            if isinstance(child, Literal):
                if _NAMED.match(self._text(child)):
                    yield child
                continue
            if not isinstance(child, ListOf | MapOf | Local) and not _is_path(child):
                yield child
            yield from self._parts(child)

    def _text(self, node: Node) -> str:
        return self._checked.source[node.start : node.end]


def _is_path(node: Node) -> bool:
    """Whether `node` only looks something up in a variable: `subject.attributes.team`."""
    while isinstance(node, Select):
        node = node.operand
    return isinstance(node, Variable)


def _tell_value(value: object) -> tuple[str | None, str | None]:
    return (None, value.message) if isinstance(value, Fault) else (notate(value), None)
