"""Rego modules -> policies: read, checked, and cut into the units that an engine is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardrails.language.rego.builder import ROOT, Builder, effect_of
from guardrails.language.rego.checks import (
    check_functions,
    check_recursion,
    problem_at,
)
from guardrails.language.rego.data import overlaps, read_data
from guardrails.language.rego.graph import Graph, Node
from guardrails.language.rego.metadata import read_annotations
from guardrails.language.rego.parsing import parse_modules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from guardrails.errors import Problem
    from guardrails.language.document import Document
    from guardrails.language.folder import File
    from guardrails.language.rego.embedded import EmbeddedEngine
    from guardrails.language.rego.seam import RegoEngine
    from guardrails.language.rego.syntax import Path


@dataclass(frozen=True, slots=True)
class Rego:
    """What there is to load: files, constants, the packages that decide, and how to evaluate.

    `parser` reads modules and `engine` evaluates units; they may be one.
    """

    modules: Sequence[File]
    data: Sequence[File]
    constants: Mapping[str, Any]
    packages: tuple[str, ...]
    parser: EmbeddedEngine
    engine: RegoEngine


def read_modules(rego: Rego, problems: list[Problem]) -> tuple[Document, ...]:
    """The policies in Rego modules; with problems, which are added, they are not whole."""
    before = len(problems)
    read = parse_modules(rego.parser, rego.modules, problems)
    modules = [
        (each.module, read_annotations(each.source, each.module.place.line, problems))
        for each in read
    ]
    data = read_data(rego.data, rego.constants, problems)
    if len(problems) > before:
        return ()
    graph = Graph([module for module, _ in modules])
    problems += _check(graph, rego, data)
    annotated = {module.path: annotations for module, annotations in modules}
    builder = Builder(rego.engine, graph, annotated, data, problems)
    return tuple(map(builder.build, find_policies(graph, rego.packages)))


def _check(graph: Graph, rego: Rego, data: Mapping[str, Any]) -> Iterator[Problem]:
    yield from check_functions(graph, builtins=rego.engine is rego.parser)
    cycle = check_recursion(graph)
    if cycle is not None:
        yield cycle
    policies = set(find_policies(graph, rego.packages))
    reached = graph.reach(node for package in policies for node in graph.nodes(package))
    for package, modules in graph.modules.items():
        if overlaps(data, package):
            message = "a data file has what this package would: move one of them"
            yield problem_at(modules[0], modules[0].place, message)
        if package not in policies:
            yield from _check_lost(graph, package, reached)


def _check_lost(graph: Graph, package: Path, reached: set[Node]) -> Iterator[Problem]:
    """The problems of rules that look like policy in a package that is none."""
    name = ".".join(package)
    for node in graph.nodes(package):
        if effect_of(node.path) is not None and node not in reached:
            module, definition = graph.definitions[node][0]
            message = (
                f"`{node.path[0]}` would decide nothing: package `{name}` is no policy; name it"
                f" below `{ROOT}`, or list it under `packages` in `[rego]` of guardrails.toml"
            )
            yield problem_at(module, definition.place, message)


def find_policies(graph: Graph, named: tuple[str, ...]) -> Iterator[Path]:
    """The packages that are policies."""
    for package in sorted(graph.modules):
        if (package[0] == ROOT and len(package) > 1) or ".".join(package) in named:
            yield package
