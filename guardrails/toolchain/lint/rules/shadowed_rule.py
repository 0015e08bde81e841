"""A rule that a stricter one always overrules has no effect.

What it does
------------
Reports an `allow` or `escalate` rule all of whose calls a stricter rule matches too, on every tool
that it concerns: one stricter rule, or several together. Rules that only observe are left out.

Why it is bad
-------------
The strictest rule wins, so what the rule permits never happens. Either the permission is a mistake
and misleads whoever reads it, or the stricter rule reaches further than it was meant to.

Example
-------
    version: 1
    policy: files
    owner: it@acme.example
    tools:
      files.delete:
        traits: [destructive]
        arguments:
          path: {type: string}
        required: [path]
    rules:
      - id: delete-drafts
        effect: allow
        tools: files.delete
        when: arguments.path.startsWith("/drafts/")
      - {id: no-deletions, effect: deny, traits: [destructive]}

Use instead
-----------
    version: 1
    policy: files
    owner: it@acme.example
    tools:
      files.delete:
        traits: [destructive]
        arguments:
          path: {type: string}
        required: [path]
    rules:
      - id: delete-drafts
        effect: allow
        tools: files.delete
        when: arguments.path.startsWith("/drafts/")
      - id: no-deletions
        effect: deny
        traits: [destructive]
        unless: arguments.path.startsWith("/drafts/")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guardrails.language.document import Rule
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project

_TOGETHER = 20
"""How many stricter rules are looked at together, if no single one is enough."""


@lint_rule("shadowed-rule", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The rules that stricter ones always overrule."""
    for rule in project.bundle.rules:
        tools = project.reach.tools(rule)
        if rule.effect is Effect.DENY or rule.observe or not tools:
            continue
        if Verdicts(project, rule).ended:
            continue
        stricter = _shadow(project, rule, tools)
        if stricter:
            yield _finding(project, rule, stricter)


def _shadow(project: Project, rule: Rule, tools: tuple[str, ...]) -> Sequence[Rule]:
    """A stricter rule that matches whatever `rule` does, or several that do together."""
    cover: dict[str, Rule] = {}
    for tool in tools:
        stricter = _stricter(project, rule, tool)
        known = [each for each in stricter if each.name in cover]
        rules = _covering(project, rule, tool, known) or _covering(project, rule, tool, stricter)
        if not rules:
            return ()
        cover |= {each.name: each for each in rules}
    return list(cover.values())


def _stricter(project: Project, rule: Rule, tool: str) -> list[Rule]:
    """The stricter rules on `tool`, those that concern most tools first."""
    reach = project.reach
    found = [each for each in reach.rules(tool) if each.effect > rule.effect and not each.observe]
    return sorted(found, key=lambda each: -len(reach.tools(each)))


def _covering(project: Project, rule: Rule, tool: str, stricter: list[Rule]) -> Sequence[Rule]:
    """One of `stricter` that matches whatever `rule` does, or some that do together.

    None of them if something is left that `rule` matches alone, or nothing at all that it matches.
    """
    reach = project.reach
    if not stricter or reach.example(rule, tool) is None:
        return ()
    for each in stricter:
        if reach.related(rule, each) and reach.implies(rule, each, tool):
            return (each,)
    if len(stricter) > _TOGETHER:
        return ()
    return _together(project, rule, tool, stricter)


def _together(project: Project, rule: Rule, tool: str, stricter: list[Rule]) -> Sequence[Rule]:
    """Those of `stricter` that it takes to match whatever `rule` does, if all together do."""
    reach = project.reach

    def cover(rules: list[Rule]) -> bool:
        others = [reach.unmatched(each, tool) for each in rules]
        return reach.impossible(tool, reach.match(rule, tool), *others)

    if not cover(stricter):
        return ()
    needed = stricter
    for each in stricter:
        fewer = [other for other in needed if other is not each]
        needed = fewer if cover(fewer) else needed
    return needed


def _finding(project: Project, rule: Rule, stricter: Sequence[Rule]) -> Finding:
    if len(stricter) == 1:
        (only,) = stricter
        effect = {Effect.DENY: "denies", Effect.ESCALATE: "escalates"}[only.effect]
        what = f"{quote(only.name)} {effect} whatever it matches"
    else:
        names = ", ".join(quote(each.name) for each in stricter[:-1])
        what = f"{names} and {quote(stricter[-1].name)} together are stricter on all it matches"
    return project.finding(
        project.region(rule),
        f"the rule {quote(rule.id)} never takes effect: {what}",
        why="the strictest rule wins",
        mend="give the stricter rule an exception (`unless`), or remove this one",
    )
