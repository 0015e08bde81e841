"""A tool that no rule can ever let run.

What it does
------------
Reports a declared tool that no `allow` or `escalate` rule reaches, if no `deny` names it either:
naming it there says that it is meant. With `--tools MODULE` it also reports a decorated function
whose tool nobody declares and no rule names.

Why it is bad
-------------
What no rule allows is denied. Every call of the tool fails, which is safe, and most likely not what
whoever declared it wanted: a name may be misspelt, or a trait too many.

Example
-------
    version: 1
    policy: crm
    owner: sales-it@acme.example
    tools:
      crm.find: {traits: [read]}
      crm.note: {traits: [read, write]}
    rules:
      - {id: look-up, effect: allow, traits: [read]}

Use instead
-----------
    version: 1
    policy: crm
    owner: sales-it@acme.example
    tools:
      crm.find: {traits: [read]}
      crm.note: {traits: [read, write]}
    rules:
      - {id: look-up, effect: allow, traits: [read]}
      - {id: notes, effect: allow, tools: crm.note}
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.toolchain.lint.bearing import listed
from guardrails.toolchain.lint.finding import Region, Severity
from guardrails.toolchain.lint.modules import names_tools
from guardrails.toolchain.lint.registry import lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Rule, Tool
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project
    from guardrails.toolchain.tools.found import FoundTool

_WHY = "what no rule allows is denied, so every call of it fails"


@lint_rule("uncovered-tool", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The tools that can never run, and that nobody says must not."""
    for tool in project.bundle.tools.values():
        rules = project.reach.rules(tool.name)
        meant = any(rule.tools is not None or rule.effect is not Effect.DENY for rule in rules)
        if not meant and not any(map(_speaks_of, project.asking(tool.name))):
            yield project.finding(
                project.region(tool),
                f"no `allow` or `escalate` rule reaches {quote(tool.name)}",
                why=_WHY,
                mend=_nearly(project, tool)
                or "name it in a rule: in a `deny`, if it must never run",
            )
    for function in project.functions or ():
        known = function.name in project.bundle.tools or project.reach.rules(function.name)
        named = any(function.name in (rule.tools or ()) for rule in project.whole.rules)
        if not known and not named:
            yield _undeclared(project, function)


def _nearly(project: Project, tool: Tool) -> str:
    """What keeps the tool from an `allow` by trait that covers others of its traits."""
    traits = set(tool.traits or ())
    for rule in project.bundle.rules:
        if rule.effect is not Effect.ALLOW or rule.tools is not None:
            continue
        more = traits.difference(rule.traits or ())
        if more and more < traits:
            named = listed(trait for trait in tool.traits or () if trait in more)
            return (
                f"{quote(rule.name)} would allow it, but for its {named}; "
                "name the tool in a rule, or correct its traits"
            )
    return ""


def _speaks_of(rule: Rule) -> bool:
    """Whether a rule of a Rego module that concerns a tool says whether it may run."""
    return rule.effect is not Effect.DENY or names_tools(rule)


def _undeclared(project: Project, function: FoundTool) -> Finding:
    """A function that policies don't know; its place is in the program."""
    here, path = Path.cwd(), Path(function.path)
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    line = function.line
    return project.finding(
        Region(str(shown), line, 1, line, 1),
        f"no policy knows the tool {quote(function.name)} of this function",
        why=_WHY,
        mend="declare it: `guardrails tools MODULE --manifest FILE` writes its declaration",
    )
