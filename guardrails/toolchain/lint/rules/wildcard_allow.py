"""An `allow` with a wildcard sanctions tools that nobody has seen yet.

What it does
------------
Reports a pattern in the `tools` of an `allow` rule that has no `traits`.

Why it is bad
-------------
Who declares `crm.delete_all` next year doesn't read every rule, and `crm.*` allows it that day.
With `traits` beside the pattern, a tool is covered only if all it can touch is listed there.

Example
-------
    version: 1
    policy: crm
    owner: sales-it@acme.example
    tools:
      crm.find: {traits: [read]}
      crm.history: {traits: [read]}
    rules:
      - id: look-up
        effect: allow
        tools: "crm.*"

Use instead
-----------
    version: 1
    policy: crm
    owner: sales-it@acme.example
    tools:
      crm.find: {traits: [read]}
      crm.history: {traits: [read]}
    rules:
      - id: look-up
        effect: allow
        tools: "crm.*"
        traits: [read]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.language.document import TRAITS
from guardrails.language.pattern import Pattern
from guardrails.toolchain.lint.bearing import listed
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Tool
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project


@lint_rule("wildcard-allow", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The patterns of `allow` rules that no traits bound."""
    for rule in project.bundle.rules:
        if rule.effect is not Effect.ALLOW or rule.traits is not None:
            continue
        for index, text in enumerate(rule.tools or ()):
            pattern = Pattern(text)
            if pattern.exact:
                continue
            tools = [each for each in project.tools_of(rule) if pattern.matches(each.name)]
            today = listed(tool.name for tool in tools)
            every = "every tool there is" if set(text) == {"*"} else "every tool so named"
            yield project.finding(
                project.region(rule, "tools", index),
                f"{quote(text)} allows {every}{f' (today {today})' if today else ''}",
                why="a tool that is declared later is allowed before anyone has judged it",
                mend=_mend(tools),
            )


def _mend(tools: list[Tool]) -> str:
    held = {trait for tool in tools for trait in tool.traits or ()}
    if not tools or any(tool.traits is None for tool in tools):
        return "name the tools, or add `traits` that bound what they can touch"
    traits = ", ".join(trait for trait in TRAITS if trait in held)
    return f"name the tools, or add `traits: [{traits}]`, which is all that today's can touch"
