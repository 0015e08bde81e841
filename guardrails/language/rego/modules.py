"""Rego modules -> policies: read, checked, and cut into the units that an engine is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from guardrails.decision import Effect
from guardrails.language.document import Document, Rule, Span
from guardrails.language.rego.checks import (
    check_functions,
    check_nesting,
    check_recursion,
    problem_at,
)
from guardrails.language.rego.data import overlaps, read_data, write_data
from guardrails.language.rego.graph import Graph, Node, Reads
from guardrails.language.rego.metadata import Annotation, read_annotations
from guardrails.language.rego.seam import ParseFailure, RegoEngine, Text, Unit
from guardrails.language.rego.syntax import read_tree
from guardrails.language.yaml_reader import decode
from guardrails.language.yaml_tree import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from guardrails.errors import Problem
    from guardrails.language.folder import File
    from guardrails.language.rego.embedded import EmbeddedEngine
    from guardrails.language.rego.syntax import Definition, Module, Path
    from guardrails.language.source import Source

ROOT = "guardrails"
"""The package below which every package is a policy."""

_EFFECTS = {
    "allow": Effect.ALLOW,
    "escalate": Effect.ESCALATE,
    "deny": Effect.DENY,
    "violation": Effect.DENY,
    "warn": Effect.DENY,
}
_CONFTEST = re.compile(r"(deny|violation|warn)_[A-Za-z0-9_]+")
"""Conftest takes rules of these names too (https://www.conftest.dev/#usage)."""

_WATCHES = "warn"
_ALL = ("*",)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a rule of a module is judged by: its place in the answers over a unit.

    `reads` is what the rule reads of the action, `unit_reads` what all rules of the unit do.
    `watches` says that the unit has no rule but such as only watch.
    """

    engine: RegoEngine
    unit: Unit
    index: int
    reads: Reads
    unit_reads: Reads
    watches: bool


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
    read = [_read_module(rego.parser, file, problems) for file in rego.modules]
    modules = [each for each in read if each is not None]
    data = read_data(rego.data, rego.constants, problems)
    if len(problems) > before:
        return ()
    graph = Graph([module for module, _ in modules])
    problems += _check(graph, rego, data)
    annotated = {module.path: annotations for module, annotations in modules}
    builder = _Builder(rego, graph, annotated, write_data(data), problems)
    return tuple(map(builder.build, _policies(graph, rego.packages)))


def _read_module(
    parser: EmbeddedEngine, file: File, problems: list[Problem]
) -> tuple[Module, list[Annotation]] | None:
    try:
        source = decode(file.path, file.data)
    except Fault as fault:
        problems.append(fault.problem)
        return None
    deep = check_nesting(source)
    if deep is not None:
        problems.append(deep)
        return None
    try:
        tree = parser.parse(file.path, source.text)
    except ParseFailure as failure:
        problems.append(_tell(source, failure))
        return None
    module = read_tree(file.path, source.text, tree)
    return module, read_annotations(source, module.place.line, problems)


def _tell(source: Source, failure: ParseFailure) -> Problem:
    if failure.line:
        return source.problem(failure.line, failure.column, failure.message)
    return source.problem_of_file(failure.message)


def _check(graph: Graph, rego: Rego, data: Mapping[str, Any]) -> Iterator[Problem]:
    yield from check_functions(graph, builtins=rego.engine is rego.parser)
    cycle = check_recursion(graph)
    if cycle is not None:
        yield cycle
    policies = set(_policies(graph, rego.packages))
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
        if _effect_of(node.path) is not None and node not in reached:
            module, definition = graph.definitions[node][0]
            message = (
                f"`{node.path[0]}` would decide nothing: package `{name}` is no policy; name it"
                f" below `{ROOT}`, or list it under `packages` in `[rego]` of guardrails.toml"
            )
            yield problem_at(module, definition.place, message)


def _policies(graph: Graph, named: tuple[str, ...]) -> Iterator[Path]:
    """The packages that are policies."""
    for package in sorted(graph.modules):
        if (package[0] == ROOT and len(package) > 1) or ".".join(package) in named:
            yield package


def policy_name(package: Path) -> str:
    """The name of the policy that a package is."""
    return ".".join(package[1:] if package[0] == ROOT else package)


def _effect_of(path: Path) -> Effect | None:
    name = path[0]
    found = _CONFTEST.fullmatch(name)
    return _EFFECTS.get(found[1] if found else name)


class _Builder:
    """Makes the documents of packages."""

    def __init__(
        self,
        rego: Rego,
        graph: Graph,
        annotated: Mapping[str, list[Annotation]],
        data: Text,
        problems: list[Problem],
    ) -> None:
        self.rego = rego
        self.graph = graph
        self.annotated = annotated
        self.data = data
        self.problems = problems

    def build(self, package: Path) -> Document:
        """The policy that a package is."""
        modules = self.graph.modules[package]
        about = self._about(package)
        entries = self._entries(package)
        unit = self._unit(package, entries)
        reads = [self._reads(package, name) for name in entries]
        all_reads = Reads(
            frozenset().union(*(each.parts for each in reads)),
            frozenset().union(*(each.facts for each in reads)),
        )
        watches = about.mode == "observe" or all(map(_watches, entries))
        rules = []
        for index, (name, found) in enumerate(entries.items()):
            asked = Asked(self.rego.engine, unit, index, reads[index], all_reads, watches)
            rules.append(self._rule(policy_name(package), name, found, about, asked))
        return Document(
            path=modules[0].path,
            policy=policy_name(package),
            description=about.description or about.title,
            owner=about.owner,
            controls=about.controls,
            constants={},
            tools=(),
            rules=tuple(rules),
            places={},
        )

    def _about(self, package: Path) -> Annotation:
        """The annotation of a package; a second one is a problem."""
        found = [
            (module, each)
            for module in self.graph.modules[package]
            for each in self.annotated[module.path]
            if each.line == module.place.line
        ]
        for module, _ in found[1:]:
            message = f"package `{'.'.join(package)}` is annotated in another file already"
            self.problems.append(problem_at(module, module.place, message))
        return found[0][1] if found else Annotation(0)

    def _entries(self, package: Path) -> dict[str, list[tuple[Module, Definition]]]:
        """The rules of a package that decide, by name, with their definitions."""
        entries: dict[str, list[tuple[Module, Definition]]] = {}
        for node in self.graph.nodes(package):
            if _effect_of(node.path) is None:
                continue
            for module, definition in self.graph.definitions[node]:
                name = node.path[0]
                if definition.kind == "function" or len(node.path) > 1:
                    message = f"`{name}` decides, so it is a boolean or a set"
                    self.problems.append(problem_at(module, definition.place, message))
                entries.setdefault(name, []).append((module, definition))
        return dict(sorted(entries.items()))

    def _unit(self, package: Path, entries: Mapping[str, list[tuple[Module, Definition]]]) -> Unit:
        names = tuple(entries)
        nodes = self.graph.reach(self.graph.nodes(package))
        packages = sorted({package, *(node.package for node in nodes)})
        texts = tuple(
            Text(module.path, module.text)
            for each in packages
            for module in self.graph.modules[each]
        )
        digest = sha256(repr((package, names, texts, self.data.path)).encode()).hexdigest()
        sets = (name for name, found in entries.items() if found[0][1].kind == "set")
        return Unit(digest[:32], package, names, texts, self.data, frozenset(sets))

    def _reads(self, package: Path, name: str) -> Reads:
        starts = [node for node in self.graph.nodes(package) if node.path[0] == name]
        return self.graph.reads(self.graph.reach(starts))

    def _rule(
        self,
        policy: str,
        name: str,
        found: Iterable[tuple[Module, Definition]],
        about: Annotation,
        asked: Asked,
    ) -> Rule:
        definitions = list(found)
        module, first = definitions[0]
        notes = [
            each
            for module, definition in definitions
            for each in self.annotated[module.path]
            if each.line == definition.place.line
        ]
        effect = _effect_of((name,))
        assert effect is not None
        approval = self._approval(notes, about, effect, module, first)
        controls = (*about.controls, *(each for note in notes for each in note.controls))
        mode = _first(note.mode for note in notes) or about.mode
        return Rule(
            policy=policy,
            id=name,
            effect=effect,
            tools=about.tools or (None if about.traits else _ALL),
            traits=about.traits,
            subjects=None,
            when=None,
            unless=None,
            approval=approval,
            budget=None,
            review=None,
            message=_first(note.message for note in notes),
            description=_first(note.description or note.title for note in notes),
            controls=tuple(dict.fromkeys(controls)),
            severity=_first(note.severity for note in notes) or about.severity,
            observe=_watches(name) or mode == "observe",
            expires=None
            if _watches(name)
            else next((note.expires for note in (*notes, about) if note.expires), None),
            span=Span(module.path, first.place.line, first.place.column),
            places={},
            module=asked,
        )

    def _approval(
        self,
        notes: Sequence[Annotation],
        about: Annotation,
        effect: Effect,
        module: Module,
        first: Definition,
    ) -> Any:
        """The terms that annotations give; several that differ are a problem."""
        given = [note.approval for note in notes if note.approval is not None]
        if given and effect is not Effect.ESCALATE:
            message = "`approval` goes with `escalate` only"
            self.problems.append(problem_at(module, first.place, message))
        if any(each != given[0] for each in given[1:]):
            message = "definitions of one rule differ in `approval`; give each result its own"
            self.problems.append(problem_at(module, first.place, message))
        if effect is not Effect.ESCALATE:
            return None
        return given[0] if given else about.approval


def _watches(name: str) -> bool:
    return name == _WATCHES or name.startswith(f"{_WATCHES}_")


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")
