"""Which rules bear on a tool now, and what they look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.engine.rule import rule_conditions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from guardrails.language.document import Rule
    from guardrails.toolchain.lint.project import Project

_SHOWN = 3


def in_force(project: Project, rule: Rule) -> bool:
    """Whether `rule` can change an outcome.

    Past its `expires` an `allow` is gone, and what only watched restricts.
    """
    ended = rule.expires is not None and rule.expires.passed(project.now_ns)
    if rule.effect is Effect.ALLOW:
        return not rule.observe and not ended
    return not rule.observe or ended


def allowing(project: Project, tool: str) -> Iterator[Rule]:
    """The rules in force that allow calls of `tool`."""
    for rule in project.reach.rules(tool):
        if rule.effect is Effect.ALLOW and in_force(project, rule):
            yield rule


def restricting(project: Project, tool: str, allowed_by: Rule) -> Iterator[Rule]:
    """The rules in force that escalate or deny calls of `tool` for those whom one rule allows.

    Those of Rego modules are among them, for whomever they may be.
    """
    for rule in (*project.reach.rules(tool), *project.asking(tool)):
        same = rule.subjects in (None, allowed_by.subjects)
        if same and rule.effect is not Effect.ALLOW and in_force(project, rule):
            yield rule


def reads(rule: Rule, *variables: str) -> bool:
    """Whether a condition of `rule`, or a module, reads any of these variables."""
    if rule.module is not None:
        return not rule.module.reads.parts.isdisjoint((*variables, "*"))
    return any(
        not condition.checked.variables.isdisjoint(variables) for condition in rule_conditions(rule)
    )


def listed(names: Iterable[str]) -> str:
    """Names in backticks, the first few of many: `a`, `b`, `c` and 4 more."""
    known = list(names)
    shown = ", ".join(f"`{name}`" for name in known[:_SHOWN])
    return f"{shown} and {len(known) - _SHOWN} more" if len(known) > _SHOWN else shown
