"""A constant that no condition reads is a limit or a list that limits nothing.

What it does
------------
Reports a constant that no condition of any document reads. Where one reads `constants` as a whole,
or under a key that is only known while deciding, every constant counts as read.

Why it is bad
-------------
Whoever lowers `daily_limit` believes to have lowered the limit. Often the condition was rewritten
with a number of its own, and the two have drifted apart.

Example
-------
    version: 1
    policy: payments
    owner: finance@acme.example
    constants: {limit: 500}
    rules:
      - {id: small, effect: allow, tools: pay, when: arguments.amount <= 900}

Use instead
-----------
    version: 1
    policy: payments
    owner: finance@acme.example
    constants: {limit: 500}
    rules:
      - {id: small, effect: allow, tools: pay, when: arguments.amount <= constants.limit}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.modules import mentions
from guardrails.toolchain.lint.registry import lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project


@lint_rule("unused-constant", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The constants that nobody reads."""
    read = {
        key
        for clause in project.conditions()
        for variable, key in clause.condition.checked.selects
        if variable == "constants"
    }
    if "*" in read:
        return
    for document in project.bundle.documents:
        for name in document.constants:
            if name not in read and not mentions(project.module_rules, name, data=False):
                use = quote(f"constants.{name}")
                yield project.finding(
                    project.region(document, "constants", name, of_key=True),
                    f"no condition reads the constant {quote(name)}",
                    why="changing it changes nothing",
                    mend=f"read it as {use} where it was meant, or remove it",
                )
