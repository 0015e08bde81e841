"""A name that nothing bears: a tool, an argument, a role, a control, misspelt.

What it does
------------
Reports

- a tool named exactly in a rule, compared with `tool` in a condition, or asked for in `calls` and
  its kin, that no document declares (where any document declares tools; with `--tools`, an error if
  no function is named so either);
- a pattern that covers no declared tool and is a slip away from one that does;
- an argument of a tool that declares none, if its function (with `--tools`) has no such parameter,
  or if the name occurs once and is a slip away from one that occurs more;
- likewise a role and an undeclared context fact;
- a control of a known framework that it doesn't have, or that is written otherwise;
- data that a Rego module refers to and that is nowhere.

Why it is bad
-------------
A rule about `payment.transfer` loads, and says nothing of `payments.transfer`: a restriction that
restricts nothing. Nobody has the role `finanse`, so what it should approve waits in vain.

Example
-------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
    rules:
      - {id: no-transfers, effect: deny, tools: payment.transfer}

Use instead
-----------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
    rules:
      - {id: no-transfers, effect: deny, tools: payments.transfer}
"""

from __future__ import annotations

from collections import defaultdict
from difflib import get_close_matches
from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.pattern import Pattern
from guardrails.language.rego.embedded import EmbeddedEngine
from guardrails.toolchain.lint import controls as frameworks
from guardrails.toolchain.lint import names
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.near import rare_slips
from guardrails.toolchain.lint.registry import lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.names import Use
    from guardrails.toolchain.lint.project import Project


_CLOSE = 0.85
"""How much alike two patterns are, of 1, if one was meant for the other: `file.*` and `files.*`."""

_MISSED = "if it is misspelt, the rule does not concern the tool that was meant"


@lint_rule("unknown-name", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The names that nothing bears."""
    yield from _check_tools(project)
    yield from _check_arguments(project)
    yield from _check_facts(project)
    yield from _rare(project, names.roles(project), "role", "nobody may have it")
    yield from _check_controls(project)
    yield from _check_data(project)


def _check_tools(project: Project) -> Iterator[Finding]:
    declared = project.bundle.tools
    functions = [each.name for each in project.functions or ()]
    selected = [*names.tools_in_selectors(project), *names.tools_asked_for(project)]
    compared = names.tools_in_conditions(project)
    exact = [use for use in (*selected, *compared) if "*" not in use.name]
    if not declared and project.functions is None:
        yield from _rare(project, exact, "tool", "no other rule knows it")
        return
    known = dict.fromkeys((*declared, *functions))
    for use in exact:
        if use.name not in known:
            nowhere = "no document declares it" + (
                "" if project.functions is None else ", and no function is named so"
            )
            yield project.finding(
                use.region,
                f"unknown tool {quote(use.name)}: {nowhere}",
                why=_MISSED,
                mend=_meant(use.name, known) or "declare it under `tools:`, or correct the name",
                severity=None if project.functions is None else Severity.ERROR,
            )
    for use in selected:
        if "*" in use.name and not any(map(Pattern(use.name).matches, known)):
            near = get_close_matches(use.name, set(_namespaces(known)), 1, _CLOSE)
            if near:
                yield project.finding(
                    use.region,
                    f"the pattern {quote(use.name)} covers no declared tool",
                    why=_MISSED,
                    mend=f"did you mean {quote(near[0])}?",
                )


def _namespaces(tools: dict[str, None]) -> Iterator[str]:
    """The patterns that cover what begins as a tool does: `files.*` for `files.read`."""
    for tool in tools:
        for at, character in enumerate(tool):
            if character in "._:/-":
                yield f"{tool[: at + 1]}*"


def _check_arguments(project: Project) -> Iterator[Finding]:
    """Arguments of tools that declare none; of the others the loader has refused them."""
    by_tool: dict[str, list[Use]] = defaultdict(list)
    parameters = _parameters(project)
    for clause in project.conditions():
        uses = list(names.keys_of(project, clause, "arguments"))
        open_ = [name for name in project.names_of(clause.rule) if _declares_none(project, name)]
        for use in uses if open_ else ():
            for tool in open_:
                by_tool[tool].append(use)
            if len(open_) == 1 and open_[0] in parameters:
                known = parameters[open_[0]]
                if use.name not in known:
                    yield project.finding(
                        use.region,
                        f"unknown argument {quote(use.name)} of {quote(open_[0])}",
                        why="its function has no such parameter, so the condition is an error",
                        mend=_meant(use.name, known) or "correct the name",
                        severity=Severity.ERROR,
                    )
    told = set()
    for tool, uses in by_tool.items():
        if tool not in parameters:
            why = f"other conditions on {quote(tool)} don't read it"
            for finding in _rare(project, uses, "argument", why):
                if finding.region not in told:
                    told.add(finding.region)
                    yield finding


def _parameters(project: Project) -> dict[str, list[str]]:
    """The arguments of each function that takes no others; those of one name together."""
    found: dict[str, list[str]] = defaultdict(list)
    functions = project.functions or ()
    open_ = {each.name for each in functions if each.open}
    for function in functions:
        if function.name not in open_:
            found[function.name] += [parameter.name for parameter in function.parameters]
    return found


def _declares_none(project: Project, tool: str) -> bool:
    declared = project.bundle.tools.get(tool)
    return declared is None or declared.arguments is None


def _check_facts(project: Project) -> Iterator[Finding]:
    if project.bundle.context is None:
        clauses = project.conditions()
        uses = [use for clause in clauses for use in names.keys_of(project, clause, "context")]
        yield from _rare(project, uses, "context fact", "the host may not supply it")


def _check_controls(project: Project) -> Iterator[Finding]:
    uses = list(names.controls(project))
    yield from _rare(project, uses, "control", "reports would list it as one of its own")
    for use in uses:
        found = frameworks.complaint(use.name)
        if found is not None:
            what, mend = found
            yield project.finding(
                use.region,
                f"unknown control {quote(use.name)}: {what}",
                why="reports would list it as one of its own",
                mend=mend,
            )


def _check_data(project: Project) -> Iterator[Finding]:
    """Data that modules refer to; of a server's there is nothing to be known here."""
    for rule in project.module_rules:
        asked = rule.module
        if asked is None or not isinstance(asked.engine, EmbeddedEngine):
            continue
        for unknown in asked.unknown:
            yield project.finding(
                project.region_at(unknown.span, len(unknown.path)),
                f"unknown data {quote(unknown.path)}: no file has it, and no module",
                why="it is undefined: what needs it never matches, and `not` of it always holds",
                mend=unknown.hint.removeprefix("; ") or "add it to a `data.json`, or correct it",
            )


def _rare(
    project: Project, uses: Iterator[Use] | list[Use], noun: str, why: str
) -> Iterator[Finding]:
    """The uses of a name that occurs once while one it is a slip of occurs often."""
    uses = list(uses)
    slips = rare_slips(use.name for use in uses)
    for use in uses:
        if use.name in slips:
            yield project.finding(
                use.region,
                f"unknown {noun} {quote(use.name)}: it occurs here only",
                why=why,
                mend=f"did you mean {quote(slips[use.name])}?",
            )


def _meant(name: str, known: dict[str, None] | list[str]) -> str:
    return did_you_mean(name, known).removeprefix("; ")
