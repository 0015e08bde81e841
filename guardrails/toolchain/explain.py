"""A decision told rule by rule: what each rule that could concern the action said, and why.

Every outcome is the engine's own (`CompiledRule.judge` over one frame, in its order); this module
only looks into it.
"""

from __future__ import annotations

from functools import partial
from time import time_ns
from typing import TYPE_CHECKING

from guardrails.decision import Code, Effect, UsedException
from guardrails.engine import Facts
from guardrails.language.document import Condition
from guardrails.toolchain.budget_text import tell_budget
from guardrails.toolchain.case import read_case
from guardrails.toolchain.explanation import (
    EXCEPTED,
    FAILED,
    MATCHED,
    UNKNOWN,
    UNMATCHED,
    Explanation,
    Part,
    RuleTold,
)
from guardrails.toolchain.history_text import tell_past
from guardrails.toolchain.judge import judge_text
from guardrails.toolchain.needed import tell_needed
from guardrails.toolchain.reasons import Fault, Inquiry
from guardrails.toolchain.selectors import (
    Verdict,
    could_concern,
    judge_subjects,
    judge_tools,
    judge_traits,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardrails.action import Action, Subject
    from guardrails.decision import Decision, RuleMatch
    from guardrails.engine import PolicySet
    from guardrails.engine.facts import Frame
    from guardrails.engine.rule import CompiledRule, Outcome
    from guardrails.language.document import Exemption, Rule
    from guardrails.toolchain.case import Case

BEFORE_RULES = (Code.INVALID_ACTION, Code.INVALID_ARGUMENTS, Code.NO_POLICIES)
"""Codes of decisions for which no rule was read."""


def explain_text(policies: PolicySet, text: bytes, now_ns: int | None = None) -> Explanation:
    """The decision on the action that `text` holds as JSON, explained; times as `judge_text`."""
    now_ns = time_ns() if now_ns is None else now_ns
    action, decision = judge_text(policies, text, now_ns)
    if action is None:
        return explain_refusal(policies, None, decision)
    return explain(policies, action, Facts(now_ns))


def explain(policies: PolicySet, action: Action, facts: Facts) -> Explanation:
    """The decision on `action`, and what every rule that could concern it said."""
    decision = policies.decide(action, facts)
    if decision.code in BEFORE_RULES:
        return explain_refusal(policies, action.tool, decision)
    return explain_case(policies, read_case(policies, action, facts), decision)


def explain_refusal(policies: PolicySet, tool: str | None, decision: Decision) -> Explanation:
    """`decision` explained for an action of which no rule was read."""
    needed = f"no rule was read: {decision.message}"
    return Explanation(tool, decision, (), len(policies.bundle.rules), (needed,))


def explain_case(
    policies: PolicySet,
    case: Case,
    decision: Decision,
    settle: Callable[[RuleTold], RuleTold] = lambda told: told,
) -> Explanation:
    """`decision` explained for an action that has been read already.

    `settle` has the last word on what a rule said, where more is known than the case shows.
    """
    concerning = {rule.name for rule in case.plan.rules}
    judged = map(settle, _tell_concerning(case))
    near = [
        _tell_unselected(rule, case)
        for rule in policies.bundle.rules
        if rule.name not in concerning and could_concern(rule, case.tool)
    ]
    told = sorted([*judged, *near], key=_prominence)
    others = len(policies.bundle.rules) - len({each.rule.name for each in told})
    needed = tuple(tell_needed(case.tool, decision, told))
    return Explanation(case.tool, decision, tuple(told), others, needed)


def _prominence(told: RuleTold) -> tuple[int, int, str]:
    order = (MATCHED, FAILED, EXCEPTED, UNKNOWN, UNMATCHED)
    return order.index(told.outcome), -told.rule.effect, told.rule.name


def _tell_concerning(case: Case) -> list[RuleTold]:
    """What the rules said whose `tools` and `traits` select the tool, for each member."""
    frame = case.frame(None)
    told = []
    chain = case.circumstances.chain or (None,)
    for member in chain:
        frame.member = member
        for rule in case.plan.rules:
            outcome = rule.judge(case.values, frame)
            if rule.by_subject or member is chain[0]:
                named = member.id if rule.by_subject and member and len(chain) > 1 else None
                told.append(_tell_judged(rule, case, member, outcome, named))
    return told


def _tell_judged(
    compiled: CompiledRule,
    case: Case,
    member: Subject | None,
    outcome: Outcome,
    named: str | None,
) -> RuleTold:
    rule = compiled.rule
    parts = tuple(_tell_parts(compiled, case, member))
    if outcome is None:
        return RuleTold(rule, UNMATCHED, parts, compiled.observes(case.now_ns), None, named)
    if isinstance(outcome, UsedException):
        return RuleTold(rule, EXCEPTED, parts, compiled.observes(case.now_ns), None, named)
    if isinstance(outcome, tuple):
        return _tell_module(compiled, case, parts, outcome, named)
    failed = outcome.error is not None and rule.effect is Effect.ALLOW
    state = FAILED if failed else MATCHED
    return RuleTold(rule, state, parts, outcome.observed, outcome.error, named)


def _tell_module(
    compiled: CompiledRule,
    case: Case,
    parts: tuple[Part, ...],
    matches: tuple[RuleMatch, ...],
    named: str | None,
) -> RuleTold:
    """What a rule of a Rego module said: the matches it produced, each with its id and words."""
    rule = compiled.rule
    error = next((match.error for match in matches if match.error is not None), None)
    if not matches:
        said: tuple[Part, ...] = (Part("rego", holds=False, why="it is undefined, false or empty"),)
        state = UNMATCHED
    else:
        said = tuple(_tell_match(match) for match in matches)
        state = FAILED if error is not None and rule.effect is Effect.ALLOW else MATCHED
    return RuleTold(rule, state, parts + said, compiled.observes(case.now_ns), error, named)


def _tell_match(match: RuleMatch) -> Part:
    if match.error is not None:
        return Part("rego", None, f"`{match.rule}`: error: {match.error}")
    message = "" if match.told is None else match.told.message
    return Part("rego", holds=True, why=f"`{match.rule}`" + (f": {message}" if message else ""))


def _tell_unselected(rule: Rule, case: Case) -> RuleTold:
    return RuleTold(rule, UNMATCHED, tuple(_tell_selectors(rule, case)))


def _tell_parts(compiled: CompiledRule, case: Case, member: Subject | None) -> Iterator[Part]:
    rule = compiled.rule
    frame = partial(case.frame, member)
    yield from _tell_selectors(rule, case)
    if rule.subjects is not None:
        unknown = rule.effect is not Effect.ALLOW
        yield _part("subjects", judge_subjects(rule.subjects, member, unknown=unknown))
    yield from _tell_expiry(rule, case.now_ns)
    yield from tell_past(rule, frame())
    if rule.when is not None:
        part = _tell_condition("when", rule.when, case, frame)
        yield part
        if part.holds is False:
            return  # exceptions are not asked for
    if isinstance(rule.unless, Condition):
        yield _tell_condition("unless", rule.unless, case, frame)
    for exemption in rule.unless if isinstance(rule.unless, tuple) else ():
        yield _tell_exemption(exemption, case, member, frame)
    if compiled.budget is not None:
        yield tell_budget(compiled.budget, case.values, frame())


def _tell_selectors(rule: Rule, case: Case) -> Iterator[Part]:
    tool, declared = case.tool, case.plan.declared
    for key, verdict in (
        ("tools", judge_tools(rule, tool, declared)),
        ("traits", judge_traits(rule, tool, declared)),
    ):
        if verdict is not None:
            yield _part(key, verdict)


def _part(key: str, verdict: Verdict) -> Part:
    return Part(key, verdict.holds, verdict.why)


def _tell_expiry(rule: Rule, now_ns: int) -> Iterator[Part]:
    expires = rule.expires
    passed = expires is not None and expires.passed(now_ns)
    if expires is not None and rule.effect is Effect.ALLOW:
        why = f"it ended: {expires.text}" if passed else f"it holds until {expires.text}"
        yield Part("expires", not passed, why)
    elif expires is not None and passed:
        yield Part("expires", holds=True, why=f"past {expires.text}, and what restricts stays")
    if rule.observe and not passed:
        yield Part("mode", holds=True, why="it only watches, and does not change the outcome")
    elif rule.observe and rule.effect is not Effect.ALLOW:
        yield Part("mode", holds=True, why="its watching has ended, so it is enforced")


def _tell_condition(key: str, condition: Condition, case: Case, frame: Callable[[], Frame]) -> Part:
    inquiry = Inquiry(condition.checked, case.values, frame)
    outcome = inquiry.outcome()
    reasons = inquiry.reasons()
    if isinstance(outcome, Fault):
        return Part(key, None, f"error: {outcome.message}", condition, reasons)
    if type(outcome) is not bool:
        return Part(key, None, "error: it is neither true nor false", condition, reasons)
    return Part(key, outcome, "true" if outcome else "false", condition, reasons)


def _tell_exemption(
    exemption: Exemption, case: Case, member: Subject | None, frame: Callable[[], Frame]
) -> Part:
    name = f"“{exemption.reason}”"
    if exemption.expires.passed(case.now_ns):
        return Part("unless", holds=False, why=f"{name} ended: {exemption.expires.text}")
    who = Verdict(holds=True, why="")
    if exemption.subjects is not None:
        who = judge_subjects(exemption.subjects, member, unknown=False)
    if exemption.when is None or not who.holds:
        return Part("unless", who.holds, f"{name}: {who.why}")
    part = _tell_condition("unless", exemption.when, case, frame)
    return Part("unless", part.holds, f"{name}: {part.why}", part.condition, part.reasons)
