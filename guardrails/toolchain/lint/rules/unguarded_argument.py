"""A condition that reads an argument which a call may leave out fails when it is left out.

What it does
------------
Reports a condition that reads a declared argument, or a key of one, that is not `required`, where
its absence alone can make the condition fail: no `has(...)` beside it decides first.

Why it is bad
-------------
What is missing is an error, never false. An `allow` then does not match, a `deny` or `escalate`
does, and an exception does not except: a call without the argument is refused, for a reason that
nobody wrote down.

Example
-------
    version: 1
    policy: git
    owner: web@acme.example
    tools:
      git.push:
        traits: [write]
        arguments:
          branch: {type: string}
          force: {type: boolean}
        required: [branch]
    rules:
      - {id: push, effect: allow, tools: git.push}
      - {id: no-force, effect: deny, tools: git.push, when: arguments.force}

Use instead
-----------
    version: 1
    policy: git
    owner: web@acme.example
    tools:
      git.push:
        traits: [write]
        arguments:
          branch: {type: string}
          force: {type: boolean}
        required: [branch]
    rules:
      - {id: push, effect: allow, tools: git.push}
      - id: no-force
        effect: deny
        tools: git.push
        when: has(arguments.force) && arguments.force
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.what_if import fails_without, reads
from guardrails.toolchain.regions.terms import name_of_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Clause, Project
    from guardrails.toolchain.lint.what_if import Read


@lint_rule("unguarded-argument", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The conditions that fail where something is left out that may be."""
    for clause in project.conditions():
        missed: list[Read] = []
        for read in sorted(reads(project, clause), key=lambda each: len(each.path)):
            if any(read.path[: len(each.path)] == each.path for each in missed):
                continue
            for tool in project.reach.tools(clause.rule):
                if project.reach.world(tool).optional(read.path) and fails_without(
                    project, clause, tool, read.path
                ):
                    missed.append(read)
                    yield _finding(project, clause, read, tool)
                    break


def _finding(project: Project, clause: Clause, read: Read, tool: str) -> Finding:
    name = name_of_path(read.path)
    holder = f"`{tool}`" if len(read.path) == 2 else f"`{name_of_path(read.path[:-1])}`"
    return project.finding(
        project.at(clause.condition, read.node),
        f"`{name}` is read as if it were there, and {holder} does not require it",
        why=f"without it the condition fails, and {_consequence(clause)}",
        mend=f"ask `has({name})` first, or list it under `required`",
    )


def _consequence(clause: Clause) -> str:
    """What the rule does when this condition of it fails."""
    effect = clause.rule.effect
    if effect is Effect.ALLOW:
        return "the rule does not allow the call"
    if clause.key == "when":
        return f"the rule {'denies' if effect is Effect.DENY else 'escalates'} the call"
    return "the exception does not hold"
