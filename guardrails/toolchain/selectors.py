"""Why a rule's selectors concern a tool and who calls it, or do not, in half a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guardrails.decision import Effect
from guardrails.language.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.action import Subject
    from guardrails.language.document import Rule, Subjects, Tool


class Verdict(NamedTuple):
    """Whether a selector holds, and why."""

    holds: bool
    why: str


def could_concern(rule: Rule, tool: str) -> bool:
    """Whether an author could expect `rule` to concern `tool`: by pattern, trait or other case."""
    return rule.tools is None or any(
        Pattern(text.lower()).matches(tool.lower()) for text in rule.tools
    )


def judge_tools(rule: Rule, tool: str, declared: Tool | None) -> Verdict | None:
    """What the selector `tools` says of `tool`; None where the rule has none."""
    if rule.tools is None:
        return None
    if tool in rule.tools:
        return Verdict(holds=True, why=f"`{tool}` is named")
    pattern = next((text for text in rule.tools if Pattern(text).matches(tool)), None)
    if pattern is None:
        near = next(
            (text for text in rule.tools if Pattern(text.lower()).matches(tool.lower())), ""
        )
        hint = f"; `{near}` differs in case, and names are case-sensitive" if near else ""
        return Verdict(holds=False, why=f"{_list(rule.tools)} does not cover `{tool}`{hint}")
    if rule.effect is Effect.ALLOW and declared is None:
        why = f"`{pattern}` allows declared tools only, and `{tool}` is not declared"
        return Verdict(holds=False, why=why)
    return Verdict(holds=True, why=f"`{pattern}` covers `{tool}`")


def judge_traits(rule: Rule, tool: str, declared: Tool | None) -> Verdict | None:
    """What the selector `traits` says of a tool; None where the rule has none."""
    if rule.traits is None:
        return None
    traits = None if declared is None else declared.traits
    if traits is None:
        return _judge_unknown_traits(rule, tool, declared)
    if rule.effect is Effect.ALLOW:
        more = [trait for trait in traits if trait not in rule.traits]
        if more:
            return Verdict(holds=False, why=f"the tool also has {_list(more)}, not covered")
        return Verdict(holds=True, why=f"all that the tool has is covered: {_list(traits)}")
    shared = [trait for trait in traits if trait in rule.traits]
    if shared:
        return Verdict(holds=True, why=f"the tool has {_list(shared)}")
    return Verdict(holds=False, why=f"the tool has {_list(traits)} only")


def judge_subjects(subjects: Subjects, member: Subject | None, *, unknown: bool) -> Verdict:
    """What a selector `subjects` says of `member`; of nobody known it says `unknown`."""
    if member is None:
        counts = "counts as matching" if unknown else "does not match"
        return Verdict(holds=unknown, why=f"who acts is unknown, which {counts}")
    whys = []
    for given, patterns, noun in (
        ((member.id,), subjects.ids, "id"),
        (member.roles, subjects.roles, "role"),
    ):
        if patterns is None:
            continue
        fitting = next((g for g in given for p in patterns if Pattern(p).matches(g)), None)
        if fitting is None:
            has = f"no {noun} of {_list(given)} fits" if given else f"there is no {noun} to fit"
            return Verdict(holds=False, why=f"{has} {_list(patterns)}")
        whys.append(f"the {noun} `{fitting}` fits")
    return Verdict(holds=True, why=", ".join(whys))


def _judge_unknown_traits(rule: Rule, tool: str, declared: Tool | None) -> Verdict:
    state = "not declared" if declared is None else "declared without traits"
    if rule.effect is Effect.ALLOW:
        why = f"`{tool}` is {state}, and what it can do must be known to be allowed by trait"
        return Verdict(holds=False, why=why)
    return Verdict(holds=True, why=f"`{tool}` is {state}, so it counts as having every trait")


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
