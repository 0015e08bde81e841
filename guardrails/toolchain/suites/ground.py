"""Whether any test notices a mutant: by the cases that concern it alone.

A changed rule is first asked for itself what it says of a case, which takes microseconds. Only
where that is not what the rule said before, the case is decided anew.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from guardrails.action import is_tool_name
from guardrails.engine import PolicySet
from guardrails.engine.index import RuleIndex
from guardrails.engine.rule import CompiledRule, compile_rule, rule_conditions
from guardrails.toolchain.case import Case as Reading
from guardrails.toolchain.case import read_case
from guardrails.toolchain.explain import BEFORE_RULES
from guardrails.toolchain.suites.run import find_mismatches, passes, play, suspends

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardrails.decision import Decision
    from guardrails.engine.rule import Outcome
    from guardrails.language.document import Bundle, Rule
    from guardrails.toolchain.suites.mutants import Mutant
    from guardrails.toolchain.suites.run import Mismatch
    from guardrails.toolchain.suites.suite import Case, Step

    Outcomes = list[Outcome]


class OutOfTime(Exception):  # noqa: N818 - it never leaves this package
    """The time to try mutants is up."""


class Ground:
    """The policies as they stand, the cases that all pass on them, and which concern which rule.

    `now_ns` is the time where a case fixes none, `deadline` when the time is up, as `monotonic`
    tells it.
    """

    def __init__(self, bundle: Bundle, cases: Sequence[Case], now_ns: int, deadline: float) -> None:
        self._bundle = bundle
        self._cases = cases
        self._now_ns = now_ns
        self._deadline = deadline
        self._compiled = {rule.name: compile_rule(rule) for rule in bundle.rules}
        self._numbers: dict[str, list[int]] = defaultdict(list)
        self._together: dict[str, set[str]] = defaultdict(set)
        for number, each in enumerate(cases):
            tools = {step.action.tool for step in each.steps}
            for tool in tools:
                self._numbers[tool].append(number)
                self._together[tool] |= tools
        index = RuleIndex(self._compiled.values(), bundle.tools)
        self._concerning = {tool: _concerning(index, tool) for tool in self._numbers}
        self._tools: dict[str, set[str]] = defaultdict(set)
        for tool, rules in self._concerning.items():
            for rule in rules:
                self._tools[rule.name].add(tool)
        policies = PolicySet(bundle)
        self._read = [_read(policies, each, now_ns) for each in cases]
        self._said: tuple[str, dict[int, Outcomes]] = ("", {})

    def holds(self, mutant: Mutant) -> bool:
        """Whether what the mutant changes is here: a suite may be judged by other policies."""
        return mutant.tool is not None or mutant.name in self._compiled

    def notices(self, mutant: Mutant) -> bool:
        """Whether a case fails on the mutant; raises OutOfTime."""
        after = None if mutant.after is None else compile_rule(mutant.after)
        selected = self._selected(mutant, after)
        tools = selected | self._tools[mutant.name] | ({mutant.name} & self._numbers.keys())
        mutated: PolicySet | None = None
        for number in sorted({number for tool in tools for number in self._numbers[tool]}):
            self._check_time()
            if mutant.tool is None and not self._differs(number, mutant.name, after, selected):
                continue
            mutated = mutated or self._mutated(mutant, after, tools)
            if not self._passes(mutated, number):
                return True
        return False

    def _passes(self, mutated: PolicySet, number: int) -> bool:
        """Whether a case passes on mutated policies; a single action has been read before."""
        case = self._cases[number]
        spending = len(case.steps) > 1 and any(step.plan.budgeted for step in self._read[number])
        if case.opening is not None or spending:
            return passes(mutated, case, self._now_ns)
        return not any(
            _mismatches(step, mutated, read)
            for step, read in zip(case.steps, self._read[number], strict=False)
        )

    def _check_time(self) -> None:
        if monotonic() > self._deadline:
            raise OutOfTime

    def _selected(self, mutant: Mutant, after: CompiledRule | None) -> set[str]:
        """The tools that a changed rule concerns, as far as cases call them."""
        if after is None or not mutant.selects_otherwise:
            return set() if after is None else self._tools[mutant.name]
        index = RuleIndex([after], self._bundle.tools)
        return {tool for tool in self._numbers if _concerning(index, tool)}

    def _differs(
        self, number: int, name: str, after: CompiledRule | None, selected: set[str]
    ) -> bool:
        """Whether a rule says anything else of a case than before, now that it is `after`.

        `selected` are the tools that it concerns. A rule may make a tool that nobody declared one
        that can be allowed, whether it matches or not: there it always may.
        """
        read = self._read[number]
        if any(step.plan.declared is None for step in read):
            return True
        before = self._compiled[name]
        if before.budget is not None:
            return True  # what earlier steps have spent may be otherwise, too
        if after is not None and after.rule.suspends is not before.rule.suspends:
            return True
        if self._cases[number].opening is not None and _looks_back(before):
            return True  # the session is at its end by now, not at the step
        if self._said[0] != name:
            self._said = (name, {})
        said = self._said[1]
        if number not in said:
            said[number] = _outcomes(before, self._tools[name], read)
        return _outcomes(after, selected, read) != said[number]

    def _mutated(
        self, mutant: Mutant, after: CompiledRule | None, tools: Iterable[str]
    ) -> PolicySet:
        """The mutant's policies, less the rules that no case of `tools` has to do with."""
        called = {each for tool in tools for each in self._together[tool]}
        rules = {rule.name: rule for tool in called for rule in self._concerning[tool]}
        if mutant.tool is None:
            compiled = [self._compiled[name] for name in rules if name != mutant.name]
            return PolicySet(self._bundle, compiled if after is None else [*compiled, after])
        bundle = self._bundle
        bundle = replace(bundle, tools={**bundle.tools, mutant.name: mutant.tool})
        return PolicySet(bundle, self._compiled.values())


def decide(policies: PolicySet, read: Reading) -> Decision:
    """The decision over an action that has been read already, of a tool by any policies."""
    return policies.plan(read.tool).decide(read.values, read.circumstances)


def _mismatches(step: Step, policies: PolicySet, read: Reading) -> list[Mismatch]:
    decision = decide(policies, read)
    stops = suspends(policies, read.tool, decision)
    return find_mismatches(step.expected, decision, suspends=stops)


def _read(policies: PolicySet, case: Case, now_ns: int) -> tuple[Reading, ...]:
    """The steps of a case as the engine reads them, less those refused before any rule is read."""
    return tuple(
        read_case(policies, played.action, played.facts)
        for played in play(policies, case, now_ns)
        if played.decision.code not in BEFORE_RULES
    )


def _outcomes(rule: CompiledRule | None, selected: set[str], steps: Iterable[Reading]) -> Outcomes:
    """What `rule` says of each step, and of each member of a delegation, for those tools."""
    return [
        None
        if rule is None or step.tool not in selected
        else rule.judge(step.values, step.frame(member))
        for step in steps
        for member in step.circumstances.chain or (None,)
    ]


def _looks_back(compiled: CompiledRule) -> bool:
    """Whether what a rule says depends on what happened in the session before."""
    rule = compiled.rule
    return bool(rule.after or rule.not_before) or any(
        "session" in condition.checked.variables for condition in rule_conditions(rule)
    )


def _concerning(index: RuleIndex, tool: str) -> tuple[Rule, ...]:
    if not is_tool_name(tool):
        return ()
    return tuple(compiled.rule for compiled in index.concerning(tool))
