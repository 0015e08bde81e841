"""What single rules say, combined into one decision: the strictest wins, no match is deny."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from guardrails.decision import Code, Decision, Effect, RuleMatch, UsedException
from guardrails.engine.index import names_exactly

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardrails.engine.plan import Plan
    from guardrails.engine.rule import CompiledRule, Outcome


def combine(
    plan: Plan,
    outcomes: Iterable[Outcome],
    now_ns: int,
    revision: str,
) -> Decision:
    """Return the decision over one subject; `outcomes` stand in the order of the plan's rules."""
    matches: list[RuleMatch] = []
    errors: list[RuleMatch] = []
    exceptions: list[UsedException] = []
    several = False
    for outcome in outcomes:
        if type(outcome) is UsedException:
            exceptions.append(outcome)
        elif type(outcome) is RuleMatch:
            (errors if _failed(outcome) else matches).append(outcome)
        elif isinstance(outcome, tuple):
            several = True
            for match in outcome:
                (errors if _failed(match) else matches).append(match)
    if several:
        matches, errors = list(_merged([matches])), list(_merged([errors]))
    effect, code = _conclude(plan, [each for each in matches if not each.observed], now_ns)
    would, _ = _conclude(plan, matches, now_ns, observing=True)
    return Decision(
        effect=effect,
        code=code,
        matches=tuple(matches),
        errors=tuple(errors),
        would=would,
        message=_message(plan, matches, effect),
        revision=revision,
        exceptions=tuple(exceptions),
    )


def combine_chain(decisions: Sequence[Decision]) -> Decision:
    """Return the strictest of the decisions over the members of a delegation.

    Where several are equally strict, what they matched is shown together.
    """
    if len(decisions) == 1:
        return decisions[0]
    strictest = max(decision.effect for decision in decisions)
    decisive = [decision for decision in decisions if decision.effect is strictest]
    ruled = [decision for decision in decisive if decision.code is Code.RULE]
    first = (ruled or decisive)[0]
    return Decision(
        effect=strictest,
        code=first.code,
        matches=_merged(decision.matches for decision in decisive),
        errors=_merged(decision.errors for decision in decisive),
        would=max(decision.would for decision in decisions),
        message=next((each.message for each in decisive if each.message), ""),
        revision=first.revision,
        exceptions=tuple(dict.fromkeys(used for each in decisive for used in each.exceptions)),
    )


def _conclude(
    plan: Plan, matches: Sequence[RuleMatch], now_ns: int, *, observing: bool = False
) -> tuple[Effect, Code]:
    effect = max((match.effect for match in matches), default=None)
    if effect is Effect.DENY:
        return Effect.DENY, Code.RULE
    if plan.declared is None and not any(
        _sanctions(rule, plan.tool, now_ns, observing=observing) for rule in plan.rules
    ):
        return Effect.DENY, Code.UNDECLARED
    return (Effect.DENY, Code.NO_MATCH) if effect is None else (effect, Code.RULE)


def _sanctions(rule: CompiledRule, tool: str, now_ns: int, *, observing: bool) -> bool:
    """Whether `rule` makes `tool`, which nobody declared, one that can be allowed."""
    return (
        rule.effect is not Effect.DENY
        and names_exactly(rule, tool)
        and rule.in_force(now_ns)
        and (observing or not rule.observes(now_ns))
    )


def _message(plan: Plan, matches: Iterable[RuleMatch], effect: Effect) -> str:
    """The message of the strictest rule that has one, the first by name; "" if none has."""
    words = {rule.name: rule.rule.message for rule in plan.rules if rule.rule.message}
    speaking = [
        (match.effect, text)
        for match in matches
        if not match.observed
        and (match.effect is not Effect.ALLOW or effect is Effect.ALLOW)
        and (text := match.told.message if match.told else words.get(match.rule, ""))
    ]
    strictest = max((effect for effect, _ in speaking), default=None)
    return next((text for each, text in speaking if each is strictest), "")


def _failed(match: RuleMatch) -> bool:
    """Whether an allow rule could not be evaluated, so that it did not match."""
    return match.error is not None and match.effect is Effect.ALLOW


def _merged(parts: Iterable[Iterable[RuleMatch]]) -> tuple[RuleMatch, ...]:
    """The matches of several members, one for each rule: with an error, if any has one."""
    merged: dict[str, RuleMatch] = {}
    for match in (match for part in parts for match in part):
        known = merged.get(match.rule)
        merged[match.rule] = match if known is None else _join(known, match)
    return tuple(merged[name] for name in sorted(merged))


def _join(known: RuleMatch, match: RuleMatch) -> RuleMatch:
    """One of two matches of a rule: the stricter, with an error if it has one.

    Where the rule tells different terms of approval, nobody can approve.
    """
    if (known.observed, -known.effect) != (match.observed, -match.effect):
        return min(known, match, key=lambda each: (each.observed, -each.effect))
    if known.error is not None or match.error is not None:
        return match if known.error is None else known
    if known.told is None or match.told is None or known.told.approval == match.told.approval:
        return known
    return replace(known, told=known.told._replace(approval=None))
