"""A tool that can do great harm is allowed whatever it is called with.

What it does
------------
Reports an `allow` rule that reaches a tool with `destructive`, `privileged`, `exec`, `spend` or
`oversight`, when nothing bounds its calls: no condition of the rule, or of a `deny` or `escalate`
rule for the same tool and subjects, looks at its arguments; no argument is declared with an `enum`,
a `const` or a maximum; nothing escalates every call; and no budget bounds how much or how often.
Conditions on time, context or who acts bound when it is called and by whom, not what it does. For a
tool that takes no arguments they are enough.

Why it is bad
-------------
An agent that is misled, or that errs, then deletes, pays or grants whatever it likes, as often as
it likes, and nobody is asked.

Example
-------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.pay:
        traits: [write, spend]
        arguments:
          to: {type: string}
          amount: {type: number}
        required: [to, amount]
    rules:
      - id: suppliers
        effect: allow
        tools: payments.pay
        subjects: {roles: [billing]}

Use instead
-----------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.pay:
        traits: [write, spend]
        arguments:
          to: {type: string}
          amount: {type: number}
        required: [to, amount]
    rules:
      - id: suppliers
        effect: allow
        tools: payments.pay
        subjects: {roles: [billing]}
        when: arguments.amount <= 500
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.decision import Effect
from guardrails.engine.rule import rule_conditions
from guardrails.toolchain.lint.bearing import in_force, listed, reads, restricting
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Rule, Tool
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project

_HARM = {
    "destructive": "what it destroys is gone",
    "privileged": "it changes who may do what",
    "exec": "it runs what it is given",
    "spend": "what it spends is gone",
    "oversight": "it touches what watches the agent",
}
_GIVEN = ("arguments", "kinds")
_BOUNDS = frozenset({"enum", "const", "maximum", "exclusiveMaximum"})


@lint_rule("unsupervised-power", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The rules that allow powerful tools without any bound."""
    for rule in project.bundle.rules:
        if rule.effect is not Effect.ALLOW or not in_force(project, rule) or reads(rule, *_GIVEN):
            continue
        tools = [tool for tool in project.tools_of(rule) if _is_unbounded(project, tool, rule)]
        if tools:
            held = [trait for trait in _HARM if any(trait in (t.traits or ()) for t in tools)]
            yield project.finding(
                project.region(rule, "effect"),
                f"{listed(tool.name for tool in tools)} ({', '.join(held)}) "
                f"{'is' if len(tools) == 1 else 'are'} allowed {_extent(tools)}",
                why=f"{_HARM[held[0]]}, and nobody is asked",
                mend=_mend(tools),
            )


def _is_unbounded(project: Project, tool: Tool, rule: Rule) -> bool:
    """Whether a tool has power that nothing bounds where `rule` allows it."""
    if _HARM.keys().isdisjoint(tool.traits or ()) or _is_bounded_by_schema(tool):
        return False
    if tool.arguments is not None and not tool.arguments.properties and rule_conditions(rule):
        return False
    return not any(
        reads(other, *_GIVEN)
        or other.budget is not None
        or (other.effect is Effect.ESCALATE and other.when is None)
        for other in restricting(project, tool.name, rule)
    )


def _is_bounded_by_schema(tool: Tool) -> bool:
    schemas: list[Any] = [] if tool.arguments is None else list(tool.arguments.properties.values())
    schemas += [each["items"] for each in schemas if type(each) is dict and "items" in each]
    return any(type(each) is dict and _BOUNDS & each.keys() for each in schemas)


def _extent(tools: list[Tool]) -> str:
    if any(tool.arguments is None or tool.arguments.properties for tool in tools):
        return "with whatever arguments"
    return "at any time"


def _mend(tools: list[Tool]) -> str:
    names = [
        name
        for tool in tools
        for name in (tool.arguments.properties if tool.arguments is not None else ())
    ]
    what = f"`arguments.{names[0]}`" if names else "the arguments"
    if _extent(tools) == "at any time":
        what = "when that may be"
    return f"bound {what} in `when`, or make it `effect: escalate` with `approval`"
