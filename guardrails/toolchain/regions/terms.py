"""What a condition reads: paths such as `arguments.to`, and names by which terms are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guardrails.language.cel.functions import origins, session
from guardrails.language.cel.tree import (
    Comprehension,
    Conditional,
    Has,
    Invoke,
    Literal,
    Local,
    Logic,
    Operation,
    Select,
    Variable,
)
from guardrails.toolchain.notation import notate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.cel.tree import Node

Path = tuple[str, ...]
"""A variable and the keys that lead from it: `("arguments", "to")`."""

FIXED = frozenset({"tool", "traits", "constants"})
"""Variables that have one value for all calls of one tool."""

REMEMBERING = frozenset(each.name for each in (*origins.OVERLOADS, *session.OVERLOADS))
"""Functions that ask the session, whatever they are called with."""


class Mention(NamedTuple):
    """A path that a part of a condition reads; `needed` says that it fails without its value."""

    path: Path
    needed: bool


def path_of(node: Node) -> Path | None:
    """The path that `node` is, None for anything else."""
    if isinstance(node, Variable):
        return None if node.name in FIXED else (node.name,)
    if isinstance(node, Select):
        return _extended(path_of(node.operand), node.field)
    if isinstance(node, Operation) and node.operator == "[]":
        container, key = node.operands
        if isinstance(key, Literal) and type(key.value) is str:
            return _extended(path_of(container), key.value)
    return None


def _extended(path: Path | None, key: str) -> Path | None:
    return None if path is None else (*path, key)


def asked_for(node: Node) -> Path | None:
    """The path of which `node` asks whether anything stands there, by `has` or `"key" in map`."""
    if isinstance(node, Has):
        return _extended(path_of(node.operand), node.field)
    if isinstance(node, Operation) and node.operator == "in":
        key, container = node.operands
        if isinstance(key, Literal) and type(key.value) is str and container.type.name == "map":
            return _extended(path_of(container), key.value)
    return None


def mentions(node: Node, *, needed: bool = True) -> Iterator[Mention]:
    """The paths that `node` reads, the longest only; `needed` says that `node` is evaluated.

    One that is only asked for is never needed.
    """
    path, asked = path_of(node), asked_for(node)
    if path is not None:
        yield Mention(path, needed)
    elif asked is not None:
        yield Mention(asked, needed=False)
    else:
        if asks_session(node):
            yield Mention(("session",), needed)
        first, others = _evaluated(node)
        for child in first:
            yield from mentions(child, needed=needed)
        for child in others:
            yield from mentions(child, needed=False)


def _evaluated(node: Node) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """The parts of `node` that are evaluated whenever it is, and those that may not be."""
    children = node.children()
    if isinstance(node, Comprehension | Conditional):
        return children[:1], children[1:]
    return ((), children) if isinstance(node, Logic) else (children, ())


def asks_session(node: Node) -> bool:
    """Whether `node` calls a function that asks what happened in the session."""
    return isinstance(node, Invoke) and node.function in REMEMBERING


def is_fixed(node: Node) -> bool:
    """Whether `node` has one value for all calls of one tool."""
    if isinstance(node, Variable):
        return node.name in FIXED
    if asks_session(node):
        return False
    return not isinstance(node, Local) and all(map(is_fixed, node.children()))


def name_of(node: Node) -> str:
    """A text that two parts of conditions share only if they mean the same."""
    path = path_of(node)
    if path is not None:
        return name_of_path(path)
    if isinstance(node, Literal):
        return f"{type(node.value).__name__} {node.value!r}"
    own = [
        str(getattr(node, key))
        for key in ("name", "field", "function", "receiver", "operator", "macro", "variables")
        if hasattr(node, key)
    ]
    return f"{type(node).__name__}({', '.join([*own, *map(name_of, node.children())])})"


def name_of_path(path: Path) -> str:
    """The name of a path as conditions write it."""
    first, *keys = path
    return first + "".join(f".{key}" if key.isidentifier() else f"[{notate(key)}]" for key in keys)
