"""Which lines of Rego modules were reached, and how often, by tests in Rego and by decisions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from guardrails.language.rego.embedded import EmbeddedEngine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from guardrails.language.document import Bundle, Document, Rule
    from guardrails.language.rego.seam import Answer, Unit

TIME_LIMIT = 1.0
"""Seconds that an evaluation may take whose lines are counted, which makes it slower."""


@dataclass(frozen=True, slots=True)
class ModuleCoverage:
    """One module: how often each of its lines was reached that evaluates anything."""

    path: str
    lines: Mapping[int, int]

    @property
    def reached(self) -> int:
        """How many lines were."""
        return sum(map(bool, self.lines.values()))

    @property
    def missed(self) -> tuple[int, ...]:
        """The lines that no test reached, in order."""
        return tuple(line for line in sorted(self.lines) if not self.lines[line])

    def as_json(self) -> dict[str, Any]:
        """The module as the command line prints it."""
        return {
            "path": self.path,
            "lines": {"reached": self.reached, "all": len(self.lines)},
            "missed": list(self.missed),
        }


class LineCounts:
    """Counts the lines of the modules that policies are evaluated with, others not at all.

    `engine` tells which lines of them evaluate anything.
    """

    def __init__(self, bundle: Bundle, engine: EmbeddedEngine) -> None:
        units = dict.fromkeys(rule.module.unit for rule in bundle.rules if rule.module is not None)
        self._paths = {text.path for unit in units for text in unit.modules}
        self._known: dict[str, set[int]] = {path: set() for path in self._paths}
        self._hits: Counter[tuple[str, int]] = Counter()
        for unit in units:
            self.add(engine.watch(unit, b"{}", range(0), TIME_LIMIT).lines)

    def add(
        self,
        lines: Mapping[str, tuple[Sequence[int], Sequence[int]]],
        within: Mapping[str, frozenset[int]] | None = None,
    ) -> None:
        """Count the lines that one evaluation reached, of those `within`, if that is given."""
        for path, (hit, missed) in lines.items():
            if path in self._paths:
                self._known[path].update(hit, missed)
                asked = hit if within is None else within.get(path, frozenset()).intersection(hit)
                self._hits.update((path, line) for line in asked)

    def watch(self, bundle: Bundle) -> Bundle:
        """The same policies, whose decisions are counted where they are evaluated inside."""
        documents = tuple(self._watch_document(document) for document in bundle.documents)
        return replace(bundle, documents=documents)

    def coverage(self) -> tuple[ModuleCoverage, ...]:
        """What has been counted, by path."""
        return tuple(
            ModuleCoverage(path, {line: self._hits[path, line] for line in self._known[path]})
            for path in sorted(self._paths)
        )

    def _watch_document(self, document: Document) -> Document:
        return replace(document, rules=tuple(self._watch_rules(document.rules)))

    def _watch_rules(self, rules: Sequence[Rule]) -> Iterator[Rule]:
        for rule in rules:
            asked = rule.module
            if asked is None or not isinstance(asked.engine, EmbeddedEngine):
                yield rule
            else:
                counting = CountingEngine(asked.engine, self)
                yield replace(rule, module=replace(asked, engine=counting))


class CountingEngine:
    """Evaluates as the embedded engine does, and counts the lines that are reached."""

    def __init__(self, engine: EmbeddedEngine, counts: LineCounts) -> None:
        self._engine = engine
        self._counts = counts

    def evaluate(self, unit: Unit, action: bytes) -> Sequence[Answer]:
        """What each entry evaluates to; see `RegoEngine`."""
        seen = self._engine.watch(unit, action, range(len(unit.entries)), TIME_LIMIT)
        self._counts.add(seen.lines)
        return seen.answers

    def close(self) -> None:
        """End the engine's processes."""
        self._engine.close()
