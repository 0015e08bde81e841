"""Where policies name the controls they serve, every restriction names one.

What it does
------------
Reports a `deny` or `escalate` rule without `controls`, of its own or of its document, in policies
in which other rules have some. Policies that name no control at all are left alone.

Why it is bad
-------------
The report on controls counts what serves each. A restriction that names none is missing there: the
auditor sees a gap that isn't one, and nobody sees which control it was written for.

Example
-------
    version: 1
    policy: payments
    owner: finance@acme.example
    rules:
      - {id: no-transfers, effect: deny, tools: payments.transfer, controls: [OWASP-ASI02]}
      - {id: no-refunds, effect: deny, tools: payments.refund}

Use instead
-----------
    version: 1
    policy: payments
    owner: finance@acme.example
    controls: [OWASP-ASI02]
    rules:
      - {id: no-transfers, effect: deny, tools: payments.transfer}
      - {id: no-refunds, effect: deny, tools: payments.refund}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project


@lint_rule("missing-control", Severity.NOTE)
def check(project: Project) -> Iterator[Finding]:
    """The restrictions that serve no control, where others do."""
    rules = project.bundle.rules
    if not any(rule.controls for rule in rules):
        return
    for rule in rules:
        if rule.effect is not Effect.ALLOW and not rule.controls:
            yield project.finding(
                project.region(rule),
                f"the rule {quote(rule.id)} names no control",
                why="reports on controls leave it out",
                mend="add `controls:` to the rule or to its document",
            )
