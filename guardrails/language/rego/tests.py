"""The tests in Rego (`*_test.rego`): their `test_` rules, each with what it takes to evaluate it.

As under `opa test`, a rule `test_x` is a test and `todo_test_x` one that is skipped; the modules of
tests join those of the policies, so that they may share a package.
(https://www.openpolicyagent.org/docs/policy-testing)
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guardrails.language.document import Span
from guardrails.language.rego.builder import cut_unit, effect_of, policy_name
from guardrails.language.rego.checks import check_functions, check_recursion, problem_at
from guardrails.language.rego.data import overlaps, read_data, write_data
from guardrails.language.rego.graph import Graph, Node
from guardrails.language.rego.modules import find_policies
from guardrails.language.rego.parsing import parse_modules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from guardrails.errors import Problem
    from guardrails.language.folder import File, Folder
    from guardrails.language.rego.embedded import EmbeddedEngine
    from guardrails.language.rego.seam import Text, Unit
    from guardrails.language.rego.syntax import Definition, Module

_TEST, _TODO = "test_", "todo_"


@dataclass(frozen=True, slots=True)
class RegoTest:
    """One test: a rule that is to be true. `index` is its place among the entries of `unit`.

    `skipped` says that its name begins with `todo_`. `reaches` are the full names of the rules of
    policies that it refers to, itself or through others, `lines` those of all such rules by file:
    the engine evaluates whole packages where one is imported, which no test is for.
    """

    package: str
    name: str
    span: Span
    skipped: bool
    reaches: frozenset[str]
    lines: Mapping[str, frozenset[int]] = field(repr=False)
    unit: Unit = field(repr=False)
    index: int

    @property
    def title(self) -> str:
        """The package and the rule, as they are shown."""
        return f"{self.package}.{self.name}"


def read_tests(
    folder: Folder,
    files: Sequence[File],
    constants: Mapping[str, Any],
    packages: tuple[str, ...],
    parser: EmbeddedEngine,
) -> tuple[tuple[RegoTest, ...], list[Problem]]:
    """The tests in `files`, of the modules in `folder`, and every problem in those files.

    `packages` are policies besides those below `guardrails`. Of faults in the modules that are
    tested loading tells.
    """
    found: list[Problem] = []
    modules = [each.module for each in parse_modules(parser, (*folder.modules, *files), found)]
    data = read_data(folder.data, constants, found)
    paths = {file.path for file in files}
    problems = [problem for problem in found if problem.path in paths]
    if found:
        return (), problems
    reader = _Reader(Graph(modules), packages, paths, write_data(data))
    problems += reader.check(data)
    return tuple(reader.read()), problems


class _Reader:
    """Reads the tests of modules that have been parsed."""

    def __init__(
        self, graph: Graph, packages: tuple[str, ...], files: set[str], data: Text
    ) -> None:
        self.graph = graph
        self.data = data
        self.files = files
        modules = [module for found in graph.modules.values() for module in found]
        tests = (module for module in modules if module.path in files)
        self.packages = list(dict.fromkeys(module.package for module in tests))
        tested = [module for module in modules if module.path not in files]
        self.policies = set(find_policies(Graph(tested), packages))

    def check(self, data: Mapping[str, Any]) -> Iterator[Problem]:
        """What is wrong with the modules of tests."""
        yield from check_functions(self.graph, builtins=True)
        cycle = check_recursion(self.graph)
        if cycle is not None:
            yield cycle
        for package in self.packages:
            if overlaps(data, package):
                module = self.graph.modules[package][0]
                message = "a data file has what this package would: move one of them"
                yield problem_at(module, module.place, message)
        for node, definitions in self.graph.definitions.items():
            for module, definition in definitions:
                if module.path in self.files:
                    yield from self._check(node, module, definition)

    def _check(self, node: Node, module: Module, definition: Definition) -> Iterator[Problem]:
        name = node.path[0]
        whole = definition.kind == "value" and len(node.path) == 1 and not definition.computed
        if _is_test(name) and not whole:
            message = f"`{name}` is no test: one is a rule that is true, `{name} if {{ ... }}`"
            yield problem_at(module, definition.place, message)

    def read(self) -> Iterator[RegoTest]:
        """The tests, by file and place."""
        for package in self.packages:
            nodes = [node for node in self.graph.nodes(package) if self._holds(node)]
            names = tuple(node.path[0] for node in nodes)
            unit = cut_unit(self.graph, package, names, self.data)
            for index, node in enumerate(nodes):
                yield self._test(node, unit, index)

    def _holds(self, node: Node) -> bool:
        module, _ = self.graph.definitions[node][0]
        return _is_test(node.path[0]) and module.path in self.files

    def _test(self, node: Node, unit: Unit, index: int) -> RegoTest:
        module, definition = self.graph.definitions[node][0]
        name = node.path[0]
        reach = self.graph.reach([node])
        return RegoTest(
            package=".".join(node.package),
            name=name,
            span=Span(module.path, definition.place.line, definition.place.column),
            skipped=name.startswith(_TODO),
            reaches=frozenset(self._reached(reach)),
            lines=self._lines(reach),
            unit=unit,
            index=index,
        )

    def _reached(self, nodes: Iterable[Node]) -> Iterator[str]:
        for found in nodes:
            if found.package in self.policies and effect_of(found.path) is not None:
                yield f"{policy_name(found.package)}/{found.path[0]}"

    def _lines(self, nodes: Iterable[Node]) -> dict[str, frozenset[int]]:
        """The lines of the definitions of rules, by file."""
        found: dict[str, set[int]] = defaultdict(set)
        for node in nodes:
            for module, definition in self.graph.definitions[node]:
                found[module.path].update(_lines_of(module, definition))
        return {path: frozenset(lines) for path, lines in found.items()}


def _lines_of(module: Module, definition: Definition) -> range:
    """The lines from a definition to the next one."""
    first = definition.place.line
    later = (each.place.line for each in module.definitions if each.place.line > first)
    return range(first, min(later, default=module.text.count("\n") + 2))


def _is_test(name: str) -> bool:
    return name.removeprefix(_TODO).startswith(_TEST)
