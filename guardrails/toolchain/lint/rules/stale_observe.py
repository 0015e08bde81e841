"""Observing ends: a rule that only watches has a date on which it begins to bite.

What it does
------------
Reports a rule with `mode: observe`, of its own or of its document, that has no `expires` (an
error), or one further away than the setting `stale-observe`, 30 days unless changed:

    # file: guardrails.toml
    [lint]
    stale-observe = "30d"

Why it is bad
-------------
An observed rule changes no outcome. Meant for a week and forgotten for a year, it reads like a
restriction, is counted as one, and restricts nothing.

Example
-------
    version: 1
    policy: payments
    owner: finance@acme.example
    rules:
      - {id: no-refunds, effect: deny, tools: payments.refund, mode: observe}

Use instead
-----------
    version: 1
    policy: payments
    owner: finance@acme.example
    rules:
      - {id: no-refunds, effect: deny, tools: payments.refund, mode: observe, expires: 2026-06-20}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.instants import DAY
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.modules import is_warning
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project


@lint_rule("stale-observe", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The rules that observe without end, or for long."""
    longest = project.settings.stale_observe_ns
    for rule in project.whole.rules:
        if not rule.observe or is_warning(rule):
            continue
        if rule.expires is None:
            own = "mode" in rule.places
            yield project.finding(
                project.region(rule, "mode") if own else project.region(rule),
                f"the rule {quote(rule.id)} is observed without `expires`",
                why="it would never begin to bite",
                mend="add `expires:`, the date from which it is enforced",
                severity=Severity.ERROR,
            )
        elif rule.expires.ends_ns - project.now_ns > longest:
            yield project.finding(
                project.region(rule, "expires"),
                f"the rule {quote(rule.id)} is observed for another "
                f"{(rule.expires.ends_ns - project.now_ns) // (DAY * NANOSECONDS):,} days",
                why=f"until {rule.expires.text} it restricts nothing",
                mend="bring `expires` nearer, or raise `stale-observe` in guardrails.toml",
            )
