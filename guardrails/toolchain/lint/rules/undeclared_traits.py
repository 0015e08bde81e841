"""A tool whose traits nobody has declared counts as having every one.

What it does
------------
Reports a declared tool without `traits` that a rule names, exactly or by a pattern.

Why it is bad
-------------
What a tool can touch being unknown, every `deny` and `escalate` by trait concerns it, and no
`allow` by trait does: it is refused for reasons that have nothing to do with it. Packs, which speak
of traits alone, can't treat it properly.

Example
-------
    version: 1
    policy: crm
    owner: sales-it@acme.example
    tools:
      crm.find:
        arguments: {name: {type: string}}
    rules:
      - {id: look-up, effect: allow, tools: crm.find}

Use instead
-----------
    version: 1
    policy: crm
    owner: sales-it@acme.example
    tools:
      crm.find:
        traits: [read]
        arguments: {name: {type: string}}
    rules:
      - {id: look-up, effect: allow, tools: crm.find}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.toolchain.lint.bearing import listed
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.tools.manifest import guess_traits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project


@lint_rule("undeclared-traits", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The tools that rules name and nobody has said what they can touch."""
    for tool in project.bundle.tools.values():
        if tool.traits is not None:
            continue
        naming = [rule for rule in project.reach.rules(tool.name) if rule.tools is not None]
        if naming:
            guessed = ", ".join(guess_traits(tool.name))
            example = f"; the name suggests `traits: [{guessed}]`" if guessed else ""
            yield project.finding(
                project.region(tool),
                f"{quote(tool.name)} is declared without `traits`, and "
                f"{listed(rule.name for rule in naming)} "
                f"{'names' if len(naming) == 1 else 'name'} it",
                why="it counts as having every trait, so every rule that restricts one hits it",
                mend=f"declare what it can touch{example}",
            )
