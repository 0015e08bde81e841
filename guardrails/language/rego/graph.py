"""What the rules of all modules refer to: other rules, the action, built-in functions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from guardrails.language.rego.syntax import Definition, Module, Path, Reference

WHOLE = "*"
"""Stands for every part of the action, or every fact of its context: which is computed."""


class Node(NamedTuple):
    """A rule: its package, and its path below that."""

    package: Path
    path: Path


@dataclass(frozen=True, slots=True)
class Reads:
    """What rules read of the action: its parts (`subject`), and facts of its `context`."""

    parts: frozenset[str]
    facts: frozenset[str]


class Graph:
    """The rules of all modules and what each refers to.

    A variable that a rule binds somewhere may be another rule's name elsewhere in it. What is read
    is taken for more rather than less: there such a name is the rule too. For recursion it isn't.
    """

    def __init__(self, modules: Sequence[Module]) -> None:
        self.modules: dict[Path, list[Module]] = defaultdict(list)
        self.definitions: dict[Node, list[tuple[Module, Definition]]] = defaultdict(list)
        self._nodes: dict[Path, list[Node]] = defaultdict(list)
        self._below: dict[Path, list[Path]] = defaultdict(list)
        self._named: dict[tuple[Path, str], list[Node]] = defaultdict(list)
        for module in modules:
            if module.package not in self.modules:
                for end in range(len(module.package)):
                    self._below[module.package[:end]].append(module.package)
            self.modules[module.package].append(module)
            for definition in module.definitions:
                node = Node(module.package, definition.path)
                if node not in self.definitions:
                    self._nodes[module.package].append(node)
                    self._named[module.package, definition.path[0]].append(node)
                self.definitions[node].append((module, definition))

    def nodes(self, package: Path) -> tuple[Node, ...]:
        """The rules of a package."""
        return tuple(self._nodes.get(package, ()))

    def path_of(self, module: Module, reference: Reference) -> Path:
        """What a reference means below `data` or `input`; () where it is neither."""
        first = reference.path[0]
        if first in ("data", "input"):
            return reference.path
        if first in module.imports:
            return module.imports[first] + reference.path[1:]
        if (module.package, first) in self._named:
            return ("data", *module.package, *reference.path)
        return ()

    def targets(self, path: Path) -> Iterator[Node]:
        """The rules that a path below `data` refers to, each in whole or in part."""
        path = path[1:]
        for end in range(len(path)):
            package, rest = path[:end], path[end:]
            for node in self._named.get((package, rest[0]), ()):
                shorter = min(len(rest), len(node.path))
                if node.path[:shorter] == rest[:shorter]:
                    yield node
        inside = [path] if path in self.modules else []
        for package in (*inside, *self._below.get(path, ())):
            yield from self.nodes(package)

    def functions(self, path: Path) -> Iterator[Node]:
        """The functions among the rules that a path below `data` refers to."""
        for node in self.targets(path) if path[:1] == ("data",) else ():
            if any(definition.kind == "function" for _, definition in self.definitions[node]):
                yield node

    def edges(self, node: Node, *, strict: bool) -> Iterator[Node]:
        """The rules that a rule refers to; `strict`: names that it binds are its variables."""
        for module, definition in self.definitions[node]:
            for reference in definition.references:
                if strict and reference.path[0] in definition.bound:
                    continue
                path = self.path_of(module, reference)
                if path[:1] == ("data",):
                    yield from self.targets(path)

    def reach(self, starts: Iterable[Node]) -> set[Node]:
        """Those rules and every one that they refer to."""
        found: set[Node] = set()
        waiting = list(starts)
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += self.edges(node, strict=False)
        return found

    def holds(self, path: Path) -> bool:
        """Whether a package or a rule stands at a path below `data`, or below or above it."""
        return path in self.modules or path in self._below or any(self.targets(("data", *path)))

    def below(self, path: Path) -> set[str]:
        """The names of packages and rules that stand right below a path below `data`."""
        packages = (package[len(path)] for package in self._below.get(path, ()))
        return {*packages, *(node.path[0] for node in self.nodes(path))}

    def documents(self, nodes: Iterable[Node]) -> set[Path]:
        """The paths below `data` that those rules refer to and where no rule is."""
        return {
            path[1:]
            for node in nodes
            for module, definition in self.definitions[node]
            for reference in definition.references
            if (path := self.path_of(module, reference))[:1] == ("data",)
            and not any(self.targets(path))
        }

    def reads(self, nodes: Iterable[Node]) -> Reads:
        """What those rules read of the action, themselves."""
        parts: set[str] = set()
        facts: set[str] = set()
        for node in nodes:
            for module, definition in self.definitions[node]:
                for reference in definition.references:
                    path = self.path_of(module, reference)
                    if path[:1] == ("input",):
                        parts.add(path[1] if len(path) > 1 else WHOLE)
                        if path[1:2] in ((), ("context",)):
                            facts.add(path[2] if len(path) > 2 else WHOLE)
        return Reads(frozenset(parts), frozenset(facts))

    def cycle(self) -> tuple[Node, ...]:
        """Rules of which each refers to the next and the last to the first; () where none do."""
        done: set[Node] = set()
        for start in list(self.definitions):
            trail: dict[Node, None] = {}
            stack = [(start, self.edges(start, strict=True))]
            trail[start] = None
            while stack:
                node, edges = stack[-1]
                found = next((each for each in edges if each not in done), None)
                if found is None:
                    stack.pop()
                    del trail[node]
                    done.add(node)
                elif found in trail:
                    names = list(trail)
                    return tuple(names[names.index(found) :])
                else:
                    trail[found] = None
                    stack.append((found, self.edges(found, strict=True)))
            done.add(start)
        return ()
