"""Every restriction names the control that it serves.

What it does
------------
Reports a `deny` or `escalate` rule without `controls`, of its own or of its document. Where no
policy of the folder names any, it says so once for each document that restricts.

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
from guardrails.toolchain.lint.modules import is_module, mentions
from guardrails.toolchain.lint.registry import lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project


@lint_rule("missing-control", Severity.NOTE)
def check(project: Project) -> Iterator[Finding]:
    """The restrictions that serve no control; their documents, where none serves any."""
    rules = project.whole.rules
    named = any(rule.controls for rule in rules)
    told = set()
    for rule in rules:
        if rule.effect is Effect.ALLOW or rule.controls or rule.policy in told:
            continue
        if is_module(rule) and mentions([rule], "controls"):
            continue  # its results may name them
        if not named:
            told.add(rule.policy)
        yield project.finding(
            project.region(rule),
            f"the rule {quote(rule.id)} names no control"
            + ("" if named else ", and neither does any other"),
            why="reports on controls leave it out",
            mend="add `controls:` "
            + ("below `custom` above it" if is_module(rule) else "to the rule or to its document"),
        )
