"""What a rule asks of the past of a session: `after`, `not_before`, and `on_match`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.language.expiry import parse_timeout
from guardrails.past import Calls, Outcome, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.errors import Problem
    from guardrails.language.draft import Part
    from guardrails.language.linker import Linker
    from guardrails.language.yaml_tree import Tree


def read_after(tree: Tree, rule: Part, linker: Linker, problems: list[Problem]) -> tuple[Step, ...]:
    """The `after` of a rule, empty where it has none; faults are added to `problems`."""
    return tuple(_read_steps(tree, rule, "after", linker, problems))


def read_not_before(
    tree: Tree, rule: Part, effect: Effect | None, linker: Linker, problems: list[Problem]
) -> tuple[Step, ...]:
    """The `not_before` of a rule, empty where it has none; faults are added to `problems`."""
    if effect is Effect.ALLOW and "not_before" in rule.data:
        message = "`not_before` goes with `escalate` and `deny`; in an `allow`, write `after`"
        problems.append(tree.problem(tree.key(rule.data, "not_before"), message))
    return tuple(_read_steps(tree, rule, "not_before", linker, problems))


def _read_steps(
    tree: Tree, rule: Part, key: str, linker: Linker, problems: list[Problem]
) -> Iterator[Step]:
    if key not in rule:
        return
    parts = rule.parts(key) if type(rule.data[key]) is list else [(0, rule.part(key))]
    for _, part in parts:
        yield _read_step(tree, part, linker, problems)


def _read_step(tree: Tree, part: Part, linker: Linker, problems: list[Problem]) -> Step:
    tools = part.get("tools")
    names = (tools,) if type(tools) is str else part.names("tools") or None
    for index, name in enumerate(names or ()):
        hint = linker.hint_for_tool(name)
        if hint:
            holder, step = (part.data, "tools") if type(tools) is str else (tools, index)
            event = tree.value(holder, step)
            problems.append(tree.problem(event, f"unknown tool {quote(name)}{hint}"))
    outcome = Outcome(part.get("outcome", Outcome.CALLED))
    calls = Calls(names, part.names("traits") or None, outcome)
    return Step(calls, _read_within(tree, part, problems), part.get("at_least", 1))


def _read_within(tree: Tree, part: Part, problems: list[Problem]) -> int | None:
    if "within" not in part:
        return None
    try:
        return parse_timeout(part.data["within"])
    except ValueError as error:
        message = f"{quote(part.data['within'])} is {error}"
        problems.append(tree.problem(tree.value(part.data, "within"), message))
        return None
