"""An agent may run commands that nobody has thought of.

What it does
------------
Reports an `allow` rule for a tool with the trait `exec` by which a command runs that has nothing to
do with what the rule looks for: any command at all, or one that hides behind what is looked for
(`git status; curl ...`). It was tried on the rule's conditions, on the argument's schema, and on
the rules that restrict the tool. The argument is that of `kind: command`, or else one named
`command`, `script`, `code` and the like, or else each that is a text. Ruling commands out by a list
constrains nothing: the shell has more ways to say a thing than a list has lines.

Why it is bad
-------------
What runs code can do whatever the account that it runs under can: read credentials, change the
policies, reach the net. A condition about the beginning of a command says nothing about its end.

Example
-------
    version: 1
    policy: shell
    owner: it@acme.example
    tools:
      shell.run:
        traits: [exec]
        arguments:
          command: {type: string, kind: command}
        required: [command]
    rules:
      - id: git
        effect: allow
        tools: shell.run
        when: arguments.command.startsWith("git status")

Use instead
-----------
    version: 1
    policy: shell
    owner: it@acme.example
    constants:
      commands: [git status, git status --short]
    tools:
      shell.run:
        traits: [exec]
        arguments:
          command: {type: string, kind: command}
        required: [command]
    rules:
      - id: git
        effect: allow
        tools: shell.run
        when: arguments.command in constants.commands
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.toolchain.lint.bearing import in_force, restricting
from guardrails.toolchain.lint.commands import (
    ANYTHING,
    arguments_that_run,
    hidden_commands,
    reading,
    texts_sought,
    whole,
)
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Rule, Tool
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project
    from guardrails.toolchain.lint.trial import Values


class _Slip(NamedTuple):
    """A command that runs; `bare` says that any does."""

    tool: str
    argument: str
    command: str
    bare: bool


@lint_rule("unconstrained-exec", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The rules by which commands run that nobody has thought of."""
    for rule in project.bundle.rules:
        if rule.effect is not Effect.ALLOW or not in_force(project, rule):
            continue
        tools = [tool for tool in project.tools_of(rule) if "exec" in (tool.traits or ())]
        slip = next((slip for tool in tools for slip in _find(project, rule, tool)), None)
        if slip is not None:
            yield _tell(project, rule, slip)


def _tell(project: Project, rule: Rule, slip: _Slip) -> Finding:
    name = f"`arguments.{slip.argument}`" if slip.argument else "the command"
    if slip.bare:
        what = "whatever it is given" if not slip.argument else f"whatever {name} says"
        why = "an agent that is misled runs what its misleader likes"
    else:
        what = quote(slip.command)
        why = "what stands before or behind what the rule looks for runs as well"
    return project.finding(
        project.region(rule, "effect" if rule.when is None else "when"),
        f"{quote(slip.tool)} runs {what}",
        why=why,
        mend=f"compare {name} as a whole with a list of commands, by `in constants.commands`, "
        "or make it `effect: escalate` with `approval`",
    )


def _find(project: Project, rule: Rule, tool: Tool) -> Iterator[_Slip]:
    """The commands that run, for each argument the most telling."""
    arguments = arguments_that_run(project, rule, tool)
    if not arguments and tool.arguments is None and rule.when is None and rule.unless is None:
        yield _Slip(tool.name, "", "", bare=True)
    # What a budget restricts runs until it is used up.
    against = [each for each in restricting(project, tool.name, rule) if each.budget is None]
    for name in arguments:
        for command in (*ANYTHING, *hidden_commands(texts_sought(rule))):
            given: Values = reading(tool, name, command)
            if given and _runs(rule, against, given):
                yield _Slip(tool.name, name, command, bare=command in ANYTHING)
                break


def _runs(rule: Rule, against: list[Rule], given: Values) -> bool:
    """Whether `rule` allows the command and nothing that is known stops it."""
    if whole(rule.when, given, default=True) not in (True, None):
        return False
    if whole(rule.unless, given, default=False) not in (False, None):
        return False
    return not any(
        whole(other.when, given, default=True) not in (False, None)
        and whole(other.unless, given, default=False) is not True
        for other in against
    )
