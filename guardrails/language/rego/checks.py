"""What is refused of modules when they are loaded, though the engine would take it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.language.rego.builtins import refusal
from guardrails.language.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.errors import Problem
    from guardrails.language.rego.graph import Graph
    from guardrails.language.rego.syntax import Definition, Module, Place, Reference

MAX_NESTING = 10
"""How deep brackets may nest: the engine's parser takes twice the time for each level."""

_WALK = "walk"
"""A function that is a relation: with its result as second argument it is evaluated right."""

_TOKENS = re.compile(r'"(?:[^"\\\n]|\\.)*"?|`[^`]*`?|#[^\n]*|([\[{(])|([\]})])')


def check_nesting(source: Source) -> Problem | None:
    """The problem of a module that nests deeper than the parser bears."""
    depth = 0
    for token in _TOKENS.finditer(source.text):
        if token[1]:
            depth += 1
            if depth > MAX_NESTING:
                before = source.text[: token.start()]
                line, column = before.count("\n") + 1, token.start() - (before.rfind("\n") + 1) + 1
                message = (
                    f"brackets nest deeper than {MAX_NESTING}; name a part in a rule of its own"
                )
                return source.problem(line, column, message)
        elif token[2]:
            depth -= 1
    return None


def check_functions(graph: Graph, *, builtins: bool) -> Iterator[Problem]:
    """The problems of functions that don't exist or can't be called.

    `builtins` says that those of the embedded engine are meant; another engine has its own.
    """
    for modules in graph.modules.values():
        for module in modules:
            for definition in module.definitions:
                yield from _check_definition(graph, module, definition, builtins=builtins)


def _check_definition(
    graph: Graph, module: Module, definition: Definition, *, builtins: bool
) -> Iterator[Problem]:
    if builtins and definition.computed and definition.kind == "set":
        message = "the embedded engine finds nothing in a set whose name is computed"
        yield problem_at(module, definition.place, message)
    for reference in definition.references:
        reason = _refuse_call(graph, module, reference, builtins=builtins)
        if reference.called and reason:
            yield problem_at(module, reference.place, reason)


def _refuse_call(graph: Graph, module: Module, reference: Reference, *, builtins: bool) -> str:
    """Why what is referred to can't be called; "" if it can.

    A rule that has the name of a built-in function, or of what stands before its dot, is none.
    """
    name = ".".join(reference.path)
    path = graph.path_of(module, reference)
    if any(("data", *node.package, *node.path) == path for node in graph.functions(path)):
        return ""
    if reference.path[0] in ("data", *module.imports):
        return f"unknown function `{name}`"
    if name == _WALK and reference.arguments == 1 and builtins:
        return "the embedded engine finds nothing by `walk(x)`; write `walk(x, [path, value])`"
    return refusal(name) if builtins else ""


def check_recursion(graph: Graph) -> Problem | None:
    """The problem of rules that need their own values."""
    cycle = graph.cycle()
    if not cycle:
        return None
    module, definition = graph.definitions[cycle[0]][0]
    names = [".".join((*node.package, *node.path)) for node in (*cycle, cycle[0])]
    told = " needs ".join(f"`{name}`" for name in names)
    return problem_at(module, definition.place, f"recursion: {told}")


def problem_at(module: Module, place: Place, message: str) -> Problem:
    """A problem at a place of a module."""
    return Source(module.path, module.text).problem(place.line, place.column, message)
