"""The syntax tree of a condition, as read and as checked.

Every node knows where it stands in the source: `start` and `end` count code points. The parser
makes all nodes but the last five; the checker replaces `Name` and `Call` by four of those and fills
in `type`. A `Probe` is put in by whoever wants to watch a condition at work.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from guardrails.language.cel.types import DYN, Type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a condition; `start` and `end` are its place in the source, in code points."""

    start: int
    end: int
    type: Type = field(default=DYN, kw_only=True)

    def children(self) -> tuple[Node, ...]:
        """The nodes directly under this one, in the order of the source."""
        return tuple(
            part for field in fields(self) for part in _nodes_in(getattr(self, field.name))
        )

    def map(self, change: Callable[[Node], Node]) -> Self:
        """This node with `change` of each of its children in the child's place."""
        parts = {
            field.name: _map_nodes(getattr(self, field.name), change)
            for field in fields(self)
            if field.init
        }
        return replace(self, **parts)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A value written down, or a constant of the policies."""

    value: object


@dataclass(frozen=True, slots=True)
class Name(Node):
    """An identifier; one that begins with a dot means no variable of a macro."""

    name: str


@dataclass(frozen=True, slots=True)
class Select(Node):
    """`operand.field`."""

    operand: Node
    field: str


@dataclass(frozen=True, slots=True)
class Has(Node):
    """`has(operand.field)`."""

    operand: Node
    field: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`function(arguments)`, or `target.function(arguments)`."""

    function: str
    target: Node | None
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Operation(Node):
    """An operator with one operand (`!`, `-`) or two; `[]` is the look-up by index or key."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`&&` or `||` between two or more operands."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`condition ? chosen : otherwise`."""

    condition: Node
    chosen: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    """`[elements]`."""

    elements: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapOf(Node):
    """`{key: value}`."""

    entries: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Comprehension(Node):
    """A macro that goes through a list or map: `operand.macro(variables, where, body)`.

    `where` is the filter of those macros that have one; `body` is None in `filter` alone.
    """

    macro: str
    operand: Node
    variables: tuple[str, ...]
    where: Node | None
    body: Node | None


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """A variable of the environment; its name may hold dots."""

    name: str


@dataclass(frozen=True, slots=True)
class Local(Node):
    """A variable of the innermost comprehension around that has one of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Invoke(Node):
    """A call of the library; the first argument stands before the dot if `receiver`."""

    function: str
    receiver: bool
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Invalid(Node):
    """What has no meaning in an unchecked condition; an error when it is evaluated."""

    message: str


@dataclass(frozen=True, slots=True)
class Probe(Node):
    """`operand`, whose value goes through `watch(frame, value)`; what that returns is the value.

    It may raise `EvaluationError`. The frame is None where a decision is tried without one.
    """

    operand: Node
    watch: Callable[[Any, object], object]


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition as read: its text and its tree."""

    source: str
    root: Node


@dataclass(frozen=True, slots=True)
class Checked:
    """A condition as checked.

    `variables` are those of the environment that it reads. `selects` are the keys it reads of
    them, as (variable, key), first level only; key `*` where it reads the variable as a whole or
    under a key that only evaluation knows.
    """

    root: Node
    type: Type
    source: str
    variables: frozenset[str]
    selects: frozenset[tuple[str, str]]

    @property
    def text(self) -> str:
        """What stands in the source for the root."""
        return self.source[self.root.start : self.root.end]


def _map_nodes(value: Any, change: Callable[[Node], Node]) -> Any:
    if isinstance(value, Node):
        return change(value)
    if type(value) is tuple:
        return tuple(_map_nodes(part, change) for part in value)
    return value


def _nodes_in(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _nodes_in(part)
