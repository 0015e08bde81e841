"""What would have to be otherwise for an action to be allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Code, Effect
from guardrails.toolchain.explanation import EXCEPTED, MATCHED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.decision import Decision
    from guardrails.toolchain.explanation import Part, RuleTold
    from guardrails.toolchain.reasons import Reason


def tell_needed(tool: str, decision: Decision, told: list[RuleTold]) -> Iterator[str]:
    """One sentence for each rule that would have to match, or not to; none for an allow."""
    if decision.effect is Effect.ALLOW:
        return
    for each in told:
        stricter = each.rule.effect is not Effect.ALLOW
        if each.outcome == MATCHED and stricter and not each.observed:
            yield f"`{each.rule.name}` must not match: it would {each.rule.effect}"
    if decision.code is Code.UNDECLARED:
        yield f"`{tool}` must be declared, or a rule must allow it by its exact name"
    allowing = [each for each in told if each.rule.effect is Effect.ALLOW]
    missing = [each for each in allowing if each.outcome != MATCHED or each.observed]
    if decision.code is Code.RULE and len(missing) < len(allowing):
        return
    if not allowing:
        yield f"no rule that allows could concern `{tool}`: one would have to"
    for each in missing:
        member = "" if each.member is None else f" for `{each.member}`"
        yield f"`{each.rule.name}` allows it{member} only if {_tell_missing(each)}"


def _tell_missing(told: RuleTold) -> str:
    if told.outcome == MATCHED:
        return "it does more than watch (`mode: observe`)"
    missing = []
    for part in told.failing:
        if part.condition is None:
            missing.append(f"`{part.key}` fits ({part.why})")
        elif told.outcome == EXCEPTED:
            missing.append(f"its exception does not hold (`{part.condition.source}`)")
        else:
            missing += [_tell_reason(reason) for reason in _outermost(part)] or [part.why]
    return ", and ".join(missing) or "nothing else keeps it from it"


def _outermost(part: Part) -> list[Reason]:
    """The reasons of a part that do not stand inside another: the body of a macro does."""
    return [
        reason
        for reason in part.reasons
        if not any(
            other is not reason and other.start <= reason.start and reason.end <= other.end
            for other in part.reasons
        )
    ]


def _tell_reason(reason: Reason) -> str:
    now = reason.error or ", ".join(
        f"`{operand.source}` is {operand.value}"
        for operand in reason.operands
        if operand.value is not None and operand.source != reason.source
    )
    turned = {"false": "is true", "true": "is false"}.get(reason.value or "", "can be evaluated")
    return f"`{reason.source}` {turned}" + (f" (now {now})" if now else "")
