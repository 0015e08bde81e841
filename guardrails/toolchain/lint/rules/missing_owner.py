"""Somebody answers for every policy.

What it does
------------
Reports a document without `owner`, and a Rego module without `owner` or `authors`.

Why it is bad
-------------
When a rule gets in the way at night, or an exception is asked for, people look for whoever may
decide. A policy that nobody owns is either never changed or changed by anybody.

Example
-------
    version: 1
    policy: payments
    rules:
      - {id: no-transfers, effect: deny, tools: payments.transfer}

Use instead
-----------
    version: 1
    policy: payments
    owner: finance-compliance@acme.example
    rules:
      - {id: no-transfers, effect: deny, tools: payments.transfer}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.modules import is_module
from guardrails.toolchain.lint.registry import lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project


@lint_rule("missing-owner", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The documents that nobody owns."""
    for document in project.whole.documents:
        if not document.owner.strip():
            yield project.finding(
                project.region(document),
                f"the policy {quote(document.policy)} has no `owner`",
                why="nobody is named who may change it or grant an exception",
                mend="add `owner:` with a team's address"
                + (", below `custom` above `package`" if is_module(document) else ""),
            )
