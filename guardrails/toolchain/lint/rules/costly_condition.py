"""A loop within a loop takes more work than a condition may, where lists are long.

What it does
------------
Estimates the most that a condition can take, by the engine's own charges, where every list that the
agent gives has N elements (or as many as its `maxItems` admits), and reports one that goes beyond
the bound for an N below 400. That takes a macro inside a macro (`all`, `exists`, `map` and
their kin), or `in` a list inside one.

Why it is bad
-------------
Past the bound the condition is an error: an `allow` does not match, a `deny` does. And until then
it takes its time with every call.

Example
-------
    version: 1
    policy: mail
    owner: it@acme.example
    tools:
      mail.send:
        traits: [communicate]
        arguments:
          to: {type: array, items: {type: string}, minItems: 1}
          known: {type: array, items: {type: string}}
        required: [to, known]
    rules:
      - id: known-people
        effect: allow
        tools: mail.send
        when: arguments.to.all(a, arguments.known.exists(k, a.endsWith(k)))

Use instead
-----------
    version: 1
    policy: mail
    owner: it@acme.example
    tools:
      mail.send:
        traits: [communicate]
        arguments:
          to: {type: array, items: {type: string}, minItems: 1, maxItems: 50}
          known: {type: array, items: {type: string}, maxItems: 200}
        required: [to, known]
    rules:
      - id: known-people
        effect: allow
        tools: mail.send
        when: arguments.to.all(a, arguments.known.exists(k, a.endsWith(k)))
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from guardrails.engine.facts import CONDITION_STEPS
from guardrails.language.cel.library import FUNCTIONS
from guardrails.language.cel.shape import NODES_PER_STEP
from guardrails.language.cel.tree import (
    Comprehension,
    Invoke,
    ListOf,
    Literal,
    Local,
    MapOf,
    Operation,
)
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.what_if import GIVEN
from guardrails.toolchain.regions.terms import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardrails.language.cel.tree import Node
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Clause, Project
    from guardrails.toolchain.regions.terms import Path

    Length = Callable[[Node], int]

MOST = 400
"""Elements that a list given by an agent may well have."""

_TEXTS = frozenset({"string", "bytes", "list", "dyn"})
_TRUSTED, _INNER = 100, 10
"""Elements that lists have which the host gives, and lists that are elements of others."""


@lint_rule("costly-condition", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The conditions whose work outgrows the bound while lists are still of common length."""
    for clause in project.conditions():
        root = clause.condition.checked.root
        if any(isinstance(node, Comprehension) for node in project.walk(clause.condition)):
            enough = _enough(project, clause, root)
            if enough < MOST:
                yield _finding(project, clause, root, enough)


def _enough(project: Project, clause: Clause, root: Node) -> int:
    """The greatest number of elements for which the work stays within the bound; at most `MOST`."""
    most = _limits(project, clause)

    def work(elements: int) -> int:
        return _work(root, lambda node: _length(node, elements, most))

    return bisect_right(range(1, MOST + 1), CONDITION_STEPS, key=work)


def _work(node: Node, length: Length) -> int:
    """The steps that `node` takes at most, so far as they grow with lists."""
    if isinstance(node, Comprehension):
        body = [part for part in (node.where, node.body) if part is not None]
        weight = 1 + sum(map(_nodes, body)) // NODES_PER_STEP
        inner = sum(_work(part, length) for part in body)
        return _work(node.operand, length) + length(node.operand) * (weight + inner)
    inner = sum(_work(child, length) for child in node.children())
    if isinstance(node, Operation) and node.operator == "in":
        container = node.operands[1]
        return inner + (0 if isinstance(container, Literal) else length(container))
    return inner + (1 if _is_charged(node) else 0)


def _is_charged(node: Node) -> bool:
    """Whether the engine charges a step at least for what `node` does with texts."""
    if isinstance(node, Invoke):
        overloads = FUNCTIONS.get((node.function, node.receiver, len(node.arguments)), ())
        return any(overload.charged for overload in overloads)
    return isinstance(node, Operation) and node.operator == "+" and node.type.name in _TEXTS


def _nodes(node: Node) -> int:
    return 1 + sum(map(_nodes, node.children()))


def _length(node: Node, elements: int, most: Callable[[Path], int]) -> int:
    """How many elements the list or map that `node` is has at most."""
    if isinstance(node, Literal):
        return len(node.value) if isinstance(node.value, list | dict) else 1
    if isinstance(node, ListOf):
        return len(node.elements)
    if isinstance(node, MapOf):
        return len(node.entries)
    if isinstance(node, Comprehension):
        return _length(node.operand, elements, most)
    path = path_of(node)
    if path is not None:
        return min(elements, most(path)) if path[0] in GIVEN else min(elements, _TRUSTED)
    if any(isinstance(part, Local) for part in _parts(node)):
        return min(elements, _INNER)
    return elements


def _parts(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children():
        yield from _parts(child)


def _limits(project: Project, clause: Clause) -> Callable[[Path], int]:
    """How many elements an argument can have by its schema, on any of the rule's tools."""
    tools = project.tools_of(clause.rule)

    def most(path: Path) -> int:
        if path[0] != "arguments" or len(path) != 2 or not tools:
            return MOST
        return max(_declared_most(tool.arguments, path[1]) for tool in tools)

    return most


def _declared_most(arguments: Any, name: str) -> int:
    schema = None if arguments is None else arguments.properties.get(name)
    if type(schema) is not dict:
        return MOST if arguments is None or schema is True else 0
    return int(min(schema.get("maxItems", MOST), schema.get("maxProperties", MOST)))


def _finding(project: Project, clause: Clause, root: Node, enough: int) -> Finding:
    loops = [node for node in project.walk(clause.condition) if isinstance(node, Comprehension)]
    outer = loops[0] if loops else root
    return project.finding(
        project.at(clause.condition, outer),
        f"lists of more than {enough} elements can take more work than a condition may",
        why="past the bound it is an error, and a long list is the agent's to give",
        mend="declare `maxItems` for them, or make do with one loop",
    )
