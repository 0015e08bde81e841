"""All rules of lint run over policies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.toolchain.lint.finding import Finding, Region, Severity
from guardrails.toolchain.lint.registry import all_rules
from guardrails.toolchain.lint.suppress import split_excepted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from guardrails.errors import PolicyError, Problem
    from guardrails.toolchain.lint.project import Project
    from guardrails.toolchain.lint.registry import LintRule
    from guardrails.toolchain.lint.suppress import Excepted

    Progress = Callable[[int, int], None]

LOAD = "load"
"""What stands for a rule where policies don't load."""

_EXCEPTION = "lint-exception"


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, by place.

    `excepted` are findings that comments except, `rules` the ids of the rules that ran (none where
    the policies don't load, which is what `findings` then are), `files` how many files there were.
    """

    findings: tuple[Finding, ...]
    excepted: tuple[Excepted, ...] = ()
    rules: tuple[str, ...] = ()
    files: int = 0

    @property
    def loaded(self) -> bool:
        """Whether the policies could be loaded."""
        return not any(finding.rule == LOAD for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """0 without warnings and errors, 1 with any, 2 where the policies don't load."""
        if not self.loaded:
            return 2
        return int(self.count(Severity.ERROR) + self.count(Severity.WARNING) > 0)

    def count(self, severity: Severity) -> int:
        """How many findings are of that severity."""
        return sum(finding.severity is severity for finding in self.findings)


def report_of_load(error: PolicyError) -> Report:
    """The report where policies don't load: why they don't."""
    return Report(tuple(map(_finding_of, error.problems)))


def lint(project: Project, progress: Progress | None = None) -> Report:
    """Everything that the rules find in `project`.

    `progress`, if given, is called before each rule with how many have run and how many there are.
    """
    levels = project.settings.levels
    rules = {id_: rule for id_, rule in all_rules().items() if levels.get(id_, rule.severity)}
    found: list[Finding] = []
    for done, (id_, rule) in enumerate(rules.items()):
        if progress is not None:
            progress(done, len(rules))
        found += rule.run(project, levels.get(id_))
    in_force = [each for each in project.allowances if each.in_force(project.now_ns)]
    standing, excepted = split_excepted(found, in_force)
    if _EXCEPTION in rules:
        standing += _find_unused(project, rules, excepted)
    return Report(tuple(sort(standing)), tuple(excepted), tuple(rules))


def sort(findings: Iterable[Finding]) -> list[Finding]:
    """The findings by place, each once."""
    return sorted(dict.fromkeys(findings), key=lambda finding: finding.order)


def _find_unused(
    project: Project, rules: dict[str, LintRule], excepted: Iterable[Excepted]
) -> Iterator[Finding]:
    """A finding for each rule that a comment excepts, and that finds nothing there."""
    used = {(each.allowance.region, each.finding.rule) for each in excepted}
    level = project.settings.levels.get(_EXCEPTION) or rules[_EXCEPTION].severity
    for allowance in project.allowances:
        for id_ in allowance.ids if allowance.in_force(project.now_ns) else ():
            if id_ in rules and (allowance.region, id_) not in used:
                finding = project.finding(
                    allowance.region,
                    f"this exception from {quote(id_)} excepts nothing",
                    why="it would hide the next fault of this kind",
                    mend="remove it",
                )
                yield replace(finding, rule=_EXCEPTION, severity=level)


def _finding_of(problem: Problem) -> Finding:
    """A fault of loading as a finding."""
    region = Region(problem.path)
    if problem.line:
        width = max(problem.excerpt.count("^"), 1)
        end = problem.column + width
        region = Region(problem.path, problem.line, problem.column, problem.line, end)
    return Finding(
        region, problem.message, "", "", problem.excerpt, rule=LOAD, severity=Severity.ERROR
    )
