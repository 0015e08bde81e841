"""An exception from lint gives its reason, and goes when it is no longer needed.

What it does
------------
Reports a comment `# lint: allow[...]` that gives no reason, names no rule or an unknown one, has
passed its `until`, can't be read, or excepts nothing that lint finds.

Why it is bad
-------------
Such a comment stands where somebody decided to live with a fault. Without a reason nobody can judge
whether that still holds; one that excepts nothing today hides the next fault of its kind.

Example
-------
    version: 1
    policy: mail
    owner: it@acme.example
    rules:
      - id: colleagues
        effect: allow
        tools: mail.send
        # lint: allow[unanchored-pattern]
        when: arguments.to.matches("@acme[.]example$")

Use instead
-----------
    version: 1
    policy: mail
    owner: it@acme.example
    rules:
      - id: colleagues
        effect: allow
        tools: mail.send
        # lint: allow[unanchored-pattern] the mail server refuses odd senders, until 2027-01-08
        when: arguments.to.matches("@acme[.]example$")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.language.cel.errors import did_you_mean
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import all_rules, lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project

_FORM = "write `# lint: allow[rule-id] the reason, until 2027-01-08`; `until` may be left out"


@lint_rule("lint-exception", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The comments that except nothing, whatever lint finds."""
    for allowance in project.allowances:
        region = allowance.region
        if allowance.fault:
            yield project.finding(
                region,
                f"this exception from lint does not count: {allowance.fault}",
                why="nobody can judge later whether it still holds",
                mend=_FORM,
            )
        elif allowance.until is not None and allowance.until.passed(project.now_ns):
            yield project.finding(
                region,
                f"this exception from lint ended on {allowance.until.text}",
                why="what it excepted was to be mended by then",
                mend="mend what it excepts and remove the comment, or set a later date",
            )
        for id_ in allowance.ids:
            if id_ not in all_rules():
                hint = did_you_mean(id_, all_rules())
                yield project.finding(
                    region,
                    f"this exception from lint names an unknown rule {quote(id_)}",
                    why="it excepts nothing",
                    mend=hint.removeprefix("; ") or "the rules are listed in docs/lint",
                )
