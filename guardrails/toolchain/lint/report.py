"""All rules of lint run over a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardrails.toolchain.lint.registry import all_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.toolchain.lint.finding import Finding, Severity
    from guardrails.toolchain.lint.project import Project


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, by place."""

    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Severity | None:
        """The highest severity found, None where nothing was."""
        return max((each.severity for each in self.findings if each.severity), default=None)


def lint(project: Project, progress: Callable[[int, int], None] | None = None) -> Report:
    """Everything that the rules find in `project`.

    `progress`, if given, is called before each rule with how many have run and how many there are.
    """
    levels = project.settings.levels
    rules = [rule for rule in all_rules().values() if levels.get(rule.id, rule.severity)]
    findings: list[Finding] = []
    for done, rule in enumerate(rules):
        if progress is not None:
            progress(done, len(rules))
        findings += rule.run(project, levels.get(rule.id))
    return Report(tuple(sorted(findings, key=lambda finding: finding.order)))
