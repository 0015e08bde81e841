"""Packages of Rego -> policy documents: the rules that decide, and how each is judged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from guardrails.decision import Effect
from guardrails.language.document import Document, Rule, Span
from guardrails.language.rego.checks import problem_at
from guardrails.language.rego.data import find, write_data
from guardrails.language.rego.graph import Graph, Node, Reads
from guardrails.language.rego.metadata import Annotation
from guardrails.language.rego.seam import RegoEngine, Text, Unit
from guardrails.language.rego.unknown import UnknownData, find_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from guardrails.errors import Problem
    from guardrails.language.rego.syntax import Definition, Module, Path

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
    `watches` says that the unit has no rule but such as only watch. `digest` stands for what the
    rule says, with the rules and the data that it refers to; `unknown` is what it refers to that is
    nowhere.
    """

    engine: RegoEngine
    unit: Unit
    index: int
    reads: Reads
    unit_reads: Reads
    watches: bool
    digest: str
    unknown: tuple[UnknownData, ...] = ()


def policy_name(package: Path) -> str:
    """The name of the policy that a package is."""
    return ".".join(package[1:] if package[0] == ROOT else package)


def effect_of(path: Path) -> Effect | None:
    """The effect of a rule at that path below its package, None where it decides nothing."""
    name = path[0]
    found = _CONFTEST.fullmatch(name)
    return _EFFECTS.get(found[1] if found else name)


def cut_unit(
    graph: Graph,
    package: Path,
    names: tuple[str, ...],
    data: Text,
    sets: frozenset[str] = frozenset(),
) -> Unit:
    """A package with all that its rules reach, to be asked for the rules of those names."""
    nodes = graph.reach(graph.nodes(package))
    packages = sorted({package, *(node.package for node in nodes)})
    texts = tuple(
        Text(module.path, module.text) for each in packages for module in graph.modules[each]
    )
    digest = sha256(repr((package, names, texts, data.path)).encode()).hexdigest()
    return Unit(digest[:32], package, names, texts, data, sets)


class Builder:
    """Makes the documents of packages."""

    def __init__(
        self,
        engine: RegoEngine,
        graph: Graph,
        annotated: Mapping[str, list[Annotation]],
        data: Mapping[str, Any],
        problems: list[Problem],
    ) -> None:
        self.engine = engine
        self.graph = graph
        self.annotated = annotated
        self.documents = data
        self.data = write_data(data)
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
            nodes = self._reached(package, name)
            asked = Asked(
                self.engine,
                unit,
                index,
                reads[index],
                all_reads,
                watches,
                self._digest(nodes),
                tuple(find_unknown(self.graph, self.documents, nodes)),
            )
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
            places={**about.places, "policy": Span(modules[0].path, *modules[0].place)},
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
            if effect_of(node.path) is None:
                continue
            for module, definition in self.graph.definitions[node]:
                name = node.path[0]
                if definition.kind == "function" or len(node.path) > 1:
                    message = f"`{name}` decides, so it is a boolean or a set"
                    self.problems.append(problem_at(module, definition.place, message))
                entries.setdefault(name, []).append((module, definition))
        return dict(sorted(entries.items()))

    def _unit(self, package: Path, entries: Mapping[str, list[tuple[Module, Definition]]]) -> Unit:
        sets = (name for name, found in entries.items() if found[0][1].kind == "set")
        return cut_unit(self.graph, package, tuple(entries), self.data, frozenset(sets))

    def _reads(self, package: Path, name: str) -> Reads:
        starts = [node for node in self.graph.nodes(package) if node.path[0] == name]
        return self.graph.reads(self.graph.reach(starts))

    def _reached(self, package: Path, name: str) -> list[Node]:
        """A rule with all that it refers to, itself and through others."""
        starts = [node for node in self.graph.nodes(package) if node.path[0] == name]
        return sorted(self.graph.reach(starts))

    def _digest(self, nodes: Sequence[Node]) -> str:
        """A digest of the text of rules and of the data that they refer to."""
        texts = [each.text for node in nodes for _, each in self.graph.definitions[node]]
        paths = sorted(self.graph.documents(nodes))
        values = [(path, find(self.documents, path)) for path in paths]
        return sha256(repr((nodes, texts, values)).encode()).hexdigest()[:32]

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
        effect = effect_of((name,))
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
            places=_join_places(about, notes),
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


def _join_places(about: Annotation, notes: Sequence[Annotation]) -> dict[str, Span]:
    """Where the values stand that a rule has: of several, the first, of the rule's own."""
    places = dict(about.places)
    for note in reversed(notes):
        places.update(note.places)
    return places


def _watches(name: str) -> bool:
    return name == _WATCHES or name.startswith(f"{_WATCHES}_")


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")
