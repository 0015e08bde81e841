"""What a rule's `after` and `not_before` found in the session, in half a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.errors import EvaluationError
from guardrails.past import Outcome
from guardrails.toolchain.explanation import Part
from guardrails.toolchain.notation import notate
from guardrails.values import Timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardrails.engine.facts import Frame
    from guardrails.language.document import Rule
    from guardrails.past import Past, Step

_VERBS: Mapping[Outcome, str] = {
    Outcome.CALLED: "called",
    Outcome.SUCCEEDED: "called with success",
    Outcome.FAILED: "called and failed",
    Outcome.DENIED: "denied",
}


def tell_past(rule: Rule, frame: Frame) -> Iterator[Part]:
    """What becomes of each of the two parts of `rule` that look back, where it has them."""
    restricts = rule.effect is not Effect.ALLOW
    if rule.after:
        yield _tell("after", rule.after, frame, unknown=restricts, wanted=True)
    if rule.not_before:
        yield _tell("not_before", rule.not_before, frame, unknown=False, wanted=False)


def _tell(key: str, steps: tuple[Step, ...], frame: Frame, *, unknown: bool, wanted: bool) -> Part:
    try:
        past, now = frame.past, frame.now_ns
        happened = past.happened(steps, now, unknown=unknown)
        found = "; then ".join(_tell_step(step, past, now, unknown=unknown) for step in steps)
        if not happened and all(past.happened((step,), now, unknown=unknown) for step in steps):
            found += ", but not in that order"
    except EvaluationError as error:
        return Part(key, None, f"error: {error}")
    return Part(key, happened is wanted, found)


def _tell_step(step: Step, past: Past, now_ns: int, *, unknown: bool) -> str:
    """How often there were such calls, and when the last was, if that can be told."""
    calls = step.calls
    since = None if step.within_ns is None else now_ns - step.within_ns
    count = past.count(calls, since, unknown=unknown)
    who = " or ".join(f"`{name}`" for name in calls.tools or ()) or "a tool"
    if calls.traits:
        who += " that can " + " or ".join(f"`{trait}`" for trait in calls.traits)
    verb = _VERBS[calls.outcome]
    last = past.last(calls, unknown=unknown)
    if last is None:
        return f"{who} was never {verb}"
    often = {0: "not", 1: "once"}.get(count, f"{count:,} times")
    lately = "" if since is None else " in the time asked about"
    least = "" if step.at_least == 1 else f" of {step.at_least:,} asked for"
    return f"{who} was {verb} {often}{least}{lately}, last {notate(Timestamp(last))}"
