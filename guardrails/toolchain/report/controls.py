"""Which control is served by which rule and test, and where the holes are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from guardrails.decision import Effect
from guardrails.engine import PolicySet
from guardrails.toolchain.packs import PACKS
from guardrails.toolchain.report.frameworks import FRAMEWORKS, OTHER, framework_of
from guardrails.toolchain.suites.rego import PASSED, Sources
from guardrails.toolchain.suites.run import run_cases

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from guardrails.language.document import Bundle, Rule
    from guardrails.toolchain.suites.rego import RegoResult
    from guardrails.toolchain.suites.run import CaseResult
    from guardrails.toolchain.suites.suite import Suite


class Status(StrEnum):
    """How well a control is served.

    `served`: by a rule in force that a test which passes has reached. `untested`: by rules in force
    that none has. `watched`: by rules alone that only observe, or allow and have expired. `open`:
    by no rule.
    """

    SERVED = "served"
    UNTESTED = "untested"
    WATCHED = "watched"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A rule, whether it is in force, and the tests that pass and reach it."""

    rule: Rule
    in_force: bool
    tests: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The rule as the command line prints it."""
        return {
            "rule": self.rule.name,
            "effect": str(self.rule.effect),
            "severity": self.rule.severity,
            "place": self.rule.span._asdict(),
            "in_force": self.in_force,
            "tests": list(self.tests),
        }


@dataclass(frozen=True, slots=True)
class Control:
    """A control with the rules that name it."""

    name: str
    title: str
    rules: tuple[Evidence, ...]

    @property
    def status(self) -> Status:
        """How well it is served."""
        if not self.rules:
            return Status.OPEN
        forcing = [each for each in self.rules if each.in_force]
        if not forcing:
            return Status.WATCHED
        return Status.SERVED if any(each.tests for each in forcing) else Status.UNTESTED

    def as_json(self) -> dict[str, Any]:
        """The control as the command line prints it."""
        return {
            "control": self.name,
            "title": self.title,
            "status": str(self.status),
            "rules": [each.as_json() for each in self.rules],
        }


@dataclass(frozen=True, slots=True)
class Section:
    """A framework with its controls."""

    title: str
    controls: tuple[Control, ...]

    def count(self, status: Status) -> int:
        """How many of its controls are served so."""
        return sum(control.status is status for control in self.controls)


@dataclass(frozen=True, slots=True)
class ControlReport:
    """Policies held against controls.

    `untested` are rules in force that no test reaches, `unassigned` those that restrict and name
    no control, `failed` the titles of tests that fail, `absent` the packs that are not there.
    """

    revision: str
    made_ns: int
    sections: tuple[Section, ...]
    untested: tuple[Rule, ...]
    unassigned: tuple[Rule, ...]
    failed: tuple[str, ...]
    absent: tuple[str, ...]
    tests: int

    @property
    def exit_code(self) -> int:
        """1 where a test fails, or a control that a rule names is not served; else 0."""
        wanting = (Status.UNTESTED, Status.WATCHED)
        holes = any(section.count(status) for section in self.sections for status in wanting)
        return int(bool(self.failed) or holes)

    def as_json(self) -> dict[str, Any]:
        """The report as the command line prints it."""
        return {
            "revision": self.revision,
            "frameworks": [
                {"title": each.title, "controls": [one.as_json() for one in each.controls]}
                for each in self.sections
            ],
            "rules_without_test": [rule.name for rule in self.untested],
            "rules_without_control": [rule.name for rule in self.unassigned],
            "failing_tests": list(self.failed),
            "packs_not_in_force": list(self.absent),
        }


def report_controls(
    bundle: Bundle,
    suites: Sequence[Suite],
    now_ns: int,
    in_rego: Sequence[RegoResult] = (),
) -> ControlReport:
    """What the policies and their tests serve, at a time in nanoseconds since 1970.

    The tests are run, but for those `in_rego`, which have been. A framework is listed as a whole if
    a rule names one of its controls.
    """
    cases = tuple(case for suite in suites for case in suite.cases)
    results = run_cases(PolicySet(bundle), cases, now_ns) if cases else ()
    reached = _reached(results, Sources(bundle))
    for each in in_rego:
        for name in each.test.reaches if each.outcome == PASSED else ():
            reached[name][each.test.title] = None
    evidence = {
        rule.name: Evidence(rule, _in_force(rule, now_ns), tuple(reached[rule.name]))
        for rule in bundle.rules
    }
    present = {document.policy for document in bundle.documents}
    return ControlReport(
        revision=bundle.revision,
        made_ns=now_ns,
        sections=tuple(_sections(evidence.values())),
        untested=tuple(each.rule for each in evidence.values() if each.in_force and not each.tests),
        unassigned=tuple(
            rule for rule in bundle.rules if rule.effect is not Effect.ALLOW and not rule.controls
        ),
        failed=(
            *(each.case.title for each in results if each.failure is not None),
            *(each.test.title for each in in_rego if each.failed),
        ),
        absent=tuple(name for name in PACKS if name not in present),
        tests=len(cases) + len(in_rego),
    )


def _reached(results: Iterable[CaseResult], sources: Sources) -> dict[str, dict[str, None]]:
    """The titles of tests that pass, by the full names of the rules that they reach."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for result in results:
        if result.failure is not None:
            continue
        title = f"{result.case.suite}: {result.case.name.partition(' [')[0]}"
        for step in result.steps:
            decision = step.decision
            for name in (
                *(name for match in decision.matches for name in sources.of(match)),
                *(used.rule for used in decision.exceptions),
            ):
                found[name][title] = None
    return found


def _in_force(rule: Rule, now_ns: int) -> bool:
    """Whether a rule does what it says: one that observes doesn't, nor a sanction that ended."""
    ended = rule.expires is not None and rule.expires.passed(now_ns)
    if rule.effect is Effect.ALLOW:
        return not rule.observe and not ended
    return not rule.observe or ended


def _sections(evidence: Iterable[Evidence]) -> Iterator[Section]:
    rules: dict[str, list[Evidence]] = defaultdict(list)
    for each in evidence:
        for control in each.rule.controls:
            rules[control].append(each)
    for framework in FRAMEWORKS:
        own = sorted(name for name in rules if framework_of(name) is framework)
        if own:
            names = dict.fromkeys([*framework.controls, *own])
            yield Section(
                framework.title,
                tuple(
                    Control(name, framework.controls.get(name, ""), tuple(rules.get(name, ())))
                    for name in names
                ),
            )
    others = sorted(name for name in rules if framework_of(name) is None)
    if others:
        yield Section(OTHER, tuple(Control(name, "", tuple(rules[name])) for name in others))
