"""A condition reads an argument that only some of the rule's tools have.

What it does
------------
Reports a condition that reads an argument, or a kind of argument, which one of the tools that the
rule concerns has not declared, where that alone can make the condition fail for calls of that tool.
Tools that declare no arguments at all may have any.

Why it is bad
-------------
For the tools without the argument the condition is always an error: an `allow` never matches, a
`deny` or `escalate` always does, an exception never excepts. A new tool under a pattern changes
what is refused without anybody having written it.

Example
-------
    version: 1
    policy: files
    owner: it@acme.example
    tools:
      files.read:
        traits: [read]
        arguments:
          path: {type: string}
        required: [path]
      files.move:
        traits: [write]
        arguments:
          source: {type: string}
          target: {type: string}
        required: [source, target]
    rules:
      - id: the-office
        effect: allow
        tools: files.*
        when: path_within(arguments.path, "/office")

Use instead
-----------
    version: 1
    policy: files
    owner: it@acme.example
    tools:
      files.read:
        traits: [read]
        arguments:
          path: {type: string}
        required: [path]
      files.move:
        traits: [write]
        arguments:
          source: {type: string}
          target: {type: string}
        required: [source, target]
    rules:
      - id: read-in-the-office
        effect: allow
        tools: files.read
        when: path_within(arguments.path, "/office")
      - id: move-in-the-office
        effect: allow
        tools: files.move
        when: path_within(arguments.source, "/office") && path_within(arguments.target, "/office")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.what_if import fails_without, reads
from guardrails.toolchain.regions.region import MISSING
from guardrails.toolchain.regions.terms import name_of_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Clause, Project
    from guardrails.toolchain.lint.what_if import Read
    from guardrails.toolchain.regions.terms import Path

_TOLD = 3
"""How many tools a message names."""


@lint_rule("partial-argument", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The conditions that fail on some tools, for those have not what is read."""
    for clause in project.conditions():
        tools = project.reach.tools(clause.rule)
        for read in reads(project, clause):
            if len(read.path) != 2:
                continue
            lacking = [tool for tool in tools if project.reach.world(tool).lacks(read.path)]
            failing = [
                tool
                for tool in lacking
                if _is_evaluated(project, clause, tool, read.path)
                and fails_without(project, clause, tool, read.path)
            ]
            if failing and len(lacking) < len(tools):
                yield _finding(project, clause, read, failing)


def _is_evaluated(project: Project, clause: Clause, tool: str, path: Path) -> bool:
    """Whether a clause counts without what stands at `path`: a budget does only with its `when`."""
    when = clause.rule.when
    if when is None or clause.key == "when":
        return True
    outcomes = project.reach.outcomes(when.checked.root, tool, {path: MISSING})
    return project.reach.possible(tool, outcomes.true) or project.reach.possible(
        tool, outcomes.error
    )


def _finding(project: Project, clause: Clause, read: Read, tools: list[str]) -> Finding:
    name = name_of_path(read.path)
    shown = ", ".join(map(quote, tools[:_TOLD]))
    more = f" and {len(tools) - _TOLD} more" if len(tools) > _TOLD else ""
    have = "has" if len(tools) == 1 else "have"
    return project.finding(
        project.at(clause.condition, read.node),
        f"{shown}{more} {have} no `{name}`",
        why=f"there the condition always fails, and {_consequence(clause)}",
        mend=f"ask `has({name})` first, or write a rule for the tools that have it",
    )


def _consequence(clause: Clause) -> str:
    """What the rule does when this condition of it fails."""
    if clause.rule.effect is Effect.ALLOW:
        return "the rule allows nothing"
    if clause.key != "when":
        return "the exception never holds"
    return f"the rule would {clause.rule.effect} every call"
