"""The names that a condition can use where it stands, and which of them it has used."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from guardrails.language.cel.names import dotted, meant
from guardrails.language.cel.relations import DENOTED
from guardrails.language.cel.tree import Literal, Local, Name, Node, Select, Variable
from guardrails.language.cel.types import TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from guardrails.language.cel.environment import Environment
    from guardrails.language.cel.types import Type


class Scope:
    """Variables with their `types`, and those of the macros around.

    `read` are the variables that were used, `selects` the keys that were read of each; `*` stands
    for all of them.
    """

    __slots__ = ("_constants", "_locals", "has_dots", "read", "selects", "types")

    def __init__(self, environment: Environment) -> None:
        self.types = environment.variables
        self.has_dots = any("." in name for name in environment.variables)
        self.read: set[str] = set()
        self.selects: set[tuple[str, str]] = set()
        self._constants = environment.constants
        self._locals: dict[str, Type] = {}

    @contextmanager
    def inside(self, variables: Iterable[str], types: Iterable[Type]) -> Iterator[None]:
        """Let a macro's `variables` hide others of their names."""
        outer = self._locals
        self._locals = {**outer, **dict(zip(variables, types, strict=True))}
        yield
        self._locals = outer

    def resolve(self, node: Node, name: str, *, whole: bool = True) -> Node | None:
        """What `name` stands for; a variable counts as read as a `whole` unless told otherwise."""
        if name in self._locals:
            return Local(node.start, node.end, name, type=self._locals[name])
        name = name.removeprefix(".")
        type_ = self.types.get(name)
        if type_ is None:
            denoted = DENOTED.get(name)
            return None if denoted is None else Literal(node.start, node.end, denoted, type=TYPE)
        self.read.add(name)
        if whole:
            self.selects.add((name, "*"))
        if name == "constants":
            return Literal(node.start, node.end, dict(self._constants), type=type_)
        return Variable(node.start, node.end, name, type=type_)

    def resolve_holder(self, node: Name, key: str) -> Node | None:
        """What `node` stands for, of which `key` is read and, if it is a variable, nothing else."""
        found = self.resolve(node, node.name, whole=False)
        if found is not None and not isinstance(found, Local):
            read = "*" if found.type.name == "list" else key
            self.selects.add((node.name.removeprefix("."), read))
        return found

    def resolve_dotted(self, node: Select) -> Node | None:
        """The variable or type that a chain of names stands for as a whole, or None."""
        first: Node = node
        while isinstance(first, Select):
            first = first.operand
        if not isinstance(first, Name) or first.name in self._locals:
            return None
        if not self.has_dots and first.name in self.types:
            return None
        return self.resolve(node, dotted(node))

    def meant(self, name: str) -> str:
        """What the unknown variable `name` was probably meant to be, to follow its error."""
        return meant(name, self.types, self._locals)
