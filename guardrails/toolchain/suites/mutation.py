"""Suites tried on mutants of the policies: a mutant that no test notices shows what none tests.

Each mutant is judged by the cases that concern it alone, over the rules that concern their tools,
until one fails.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from guardrails.action import is_tool_name
from guardrails.engine import PolicySet
from guardrails.engine.index import RuleIndex
from guardrails.engine.rule import CompiledRule
from guardrails.toolchain.suites.mutants import mutants_of
from guardrails.toolchain.suites.run import passes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from guardrails.language.document import Bundle, Rule
    from guardrails.toolchain.suites.mutants import Mutant
    from guardrails.toolchain.suites.run import CaseResult
    from guardrails.toolchain.suites.suite import Case


@dataclass(frozen=True, slots=True)
class Mutation:
    """What became of the mutants; `untried` counts those that there was no time for."""

    killed: int
    survivors: tuple[Mutant, ...]
    untried: int = 0

    @property
    def tried(self) -> int:
        """How many mutants the tests were run on."""
        return self.killed + len(self.survivors)

    def as_json(self) -> dict[str, Any]:
        """The outcome as the command line prints it."""
        return {
            "tried": self.tried,
            "killed": self.killed,
            "untried": self.untried,
            "survivors": [mutant.as_json() for mutant in self.survivors],
        }


def try_mutants(
    bundle: Bundle,
    results: Iterable[CaseResult],
    now_ns: int,
    seconds: float,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Mutation:
    """What became of every mutant of `bundle`; `results` are of cases that all pass on it.

    `seconds` is how long mutants are tried. `progress` is told how many have been, of how many.
    """
    deadline = monotonic() + seconds
    ground = _Ground(bundle, tuple(results), now_ns, deadline)
    mutants = tuple(mutants_of(bundle))
    survivors: list[Mutant] = []
    for done, mutant in enumerate(mutants):
        progress(done, len(mutants))
        killed = ground.kills(mutant)
        if killed is None:
            return Mutation(done - len(survivors), tuple(survivors), len(mutants) - done)
        if not killed:
            survivors.append(mutant)
    return Mutation(len(mutants) - len(survivors), tuple(survivors))


@dataclass(slots=True)
class _Ground:
    """The policies as they stand, and which cases each rule and tool concern."""

    bundle: Bundle
    results: tuple[CaseResult, ...]
    now_ns: int
    deadline: float
    _compiled: list[CompiledRule] = field(init=False)
    _concerning: dict[str, tuple[Rule, ...]] = field(init=False)
    _cases: dict[str, list[int]] = field(init=False)
    _tools: dict[str, set[str]] = field(init=False)
    _telling: dict[str, set[int]] = field(init=False)

    def __post_init__(self) -> None:
        """Note which cases call which tools, which rules concern those, and where they matched."""
        self._compiled = [CompiledRule(rule) for rule in self.bundle.rules]
        index = RuleIndex(self._compiled, self.bundle.tools)
        self._cases = defaultdict(list)
        self._telling = defaultdict(set)
        for number, result in enumerate(self.results):
            for tool in _tools_in(result.case):
                self._cases[tool].append(number)
            for step in result.steps:
                for match in step.decision.matches:
                    self._telling[match.rule].add(number)
        self._concerning = {tool: _concerning(index, tool) for tool in self._cases}
        self._tools = defaultdict(set)
        for tool, rules in self._concerning.items():
            for rule in rules:
                self._tools[rule.name].add(tool)

    def kills(self, mutant: Mutant) -> bool | None:
        """Whether a case fails on the mutant; None where there was no time to tell."""
        tools = self._affected(mutant)
        numbers = {number for tool in tools for number in self._cases[tool]}
        telling = self._telling[mutant.name]
        cases = [
            self.results[number].case
            for number in sorted(numbers, key=lambda each: (each not in telling, each))
        ]
        if monotonic() > self.deadline:
            return None
        policies = PolicySet(self._mutated(mutant, cases))
        for case in cases:
            if not passes(policies, case, self.now_ns):
                return True
            if monotonic() > self.deadline:
                return None
        return False

    def _affected(self, mutant: Mutant) -> set[str]:
        """The tools of cases whose decisions the mutant may change."""
        if mutant.tool is not None:
            return {mutant.name} & self._cases.keys()
        tools = self._tools[mutant.name]
        if mutant.after is None or not mutant.selects_otherwise:
            return tools
        index = RuleIndex([CompiledRule(mutant.after)], self.bundle.tools)
        return tools | {tool for tool in self._cases if _concerning(index, tool)}

    def _mutated(self, mutant: Mutant, cases: Sequence[Case]) -> Bundle:
        """The mutant's policies, less the rules that concern no tool of `cases`."""
        bundle = self.bundle
        called = {tool for case in cases for tool in _tools_in(case)}
        rules = {rule.name: rule for tool in called for rule in self._concerning[tool]}
        if mutant.tool is not None:
            bundle = replace(bundle, tools={**bundle.tools, mutant.name: mutant.tool})
            index = RuleIndex(self._compiled, bundle.tools)
            rules |= {rule.name: rule for rule in _concerning(index, mutant.name)}
        else:
            rules.pop(mutant.name, None)
        found = [*rules.values(), *([mutant.after] if mutant.after is not None else ())]
        document = replace(bundle.documents[0], rules=tuple(found))
        return replace(bundle, documents=(document,))


def _tools_in(case: Case) -> set[str]:
    return {step.action.tool for step in case.steps}


def _concerning(index: RuleIndex, tool: str) -> tuple[Rule, ...]:
    if not is_tool_name(tool):
        return ()
    return tuple(compiled.rule for compiled in index.concerning(tool))
