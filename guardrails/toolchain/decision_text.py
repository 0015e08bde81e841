"""A decision told to people: what becomes of the action, by which rules, and where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Code, Effect
from guardrails.toolchain.lines import Tone, line, paragraph, tone_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.decision import Decision, RuleMatch
    from guardrails.language.document import Bundle, Rule
    from guardrails.toolchain.lines import Line

_BY_RULE = {
    Effect.ALLOW: "it may run: a rule allows it, and none is stricter",
    Effect.ESCALATE: "a person must approve it first",
    Effect.DENY: "a rule forbids it",
}
_OTHERWISE = {
    Code.NO_MATCH: "no rule allows it, and what no rule allows does not run",
    Code.UNDECLARED: "no policy declares this tool, and no rule that allows or escalates names it",
    Code.INVALID_ACTION: "it is not an action that can be judged",
    Code.INVALID_ARGUMENTS: "its arguments do not fit the declaration of the tool",
    Code.NO_POLICIES: "there are no policies to judge it by",
    Code.UNAVAILABLE: "it could not be judged",
    Code.APPROVAL_REQUIRED: "a person must approve it first",
    Code.APPROVAL_DENIED: "the person asked did not approve it",
    Code.APPROVAL_EXPIRED: "nobody approved it in time",
    Code.STOPPED: "everything was stopped",
}


def tell_decision(tool: str | None, decision: Decision, bundle: Bundle) -> list[Line]:
    """The lines that tell `decision` on a call of `tool` (None where there was no action)."""
    rules = {rule.name: rule for rule in bundle.rules}
    return [
        headline(tool, decision),
        line(f"  {reason(decision)}"),
        *_tell_section("matched", decision.matches, rules),
        *_tell_section("could not be evaluated, so did not match", decision.errors, rules),
        *_tell_exceptions(decision),
        *_tell_rest(decision),
    ]


def tell_briefly(number: int, tool: str | None, decision: Decision) -> Line:
    """One line for one decision of many; `number` counts the lines that were read."""
    decisive = [match.rule for match in decision.matches if match.effect is decision.effect]
    by = decisive if decision.code is Code.RULE else [decision.message]
    return line(
        f"{number:>6}  ",
        (f"{decision.effect!s:<8}", tone_of(decision.effect)),
        f"  {tool or '-'}  {decision.code}",
        (f"  {', '.join(filter(None, by))}", Tone.FAINT),
    )


def headline(tool: str | None, decision: Decision) -> Line:
    """The effect and the tool it is about."""
    effect = str(decision.effect).upper()
    return line((effect, tone_of(decision.effect)), "  ", (tool or "no action", Tone.STRONG))


def reason(decision: Decision) -> str:
    """Why the decision came out as it did, in half a sentence."""
    if decision.code is Code.RULE:
        return _BY_RULE[decision.effect]
    return f"{_OTHERWISE[decision.code]} ({decision.code})"


def _tell_section(
    title: str, matches: tuple[RuleMatch, ...], rules: dict[str, Rule]
) -> Iterator[Line]:
    if not matches:
        return
    yield line()
    yield line((title, Tone.FAINT))
    for match in sorted(matches, key=lambda match: -match.effect):
        watches = "  (only observed)" if match.observed else ""
        effect = (f"  {match.effect!s:<8}", tone_of(match.effect))
        rule = rules.get(match.rule)
        place = "" if rule is None else f"  {rule.span.path}:{rule.span.line}:{rule.span.column}"
        yield line(effect, "  ", (match.rule, Tone.STRONG), watches, (place, Tone.FAINT))
        if match.error is not None:
            yield from paragraph(f"error: {match.error}", 12)
        if rule is not None:
            yield from paragraph(rule.description, 12)


def _tell_exceptions(decision: Decision) -> Iterator[Line]:
    if not decision.exceptions:
        return
    yield line()
    yield line(("excepted", Tone.FAINT))
    for used in decision.exceptions:
        why = f": {used.reason}" if used.reason else " by its `unless`"
        yield line("  ", (used.rule, Tone.STRONG), why)


def _tell_rest(decision: Decision) -> Iterator[Line]:
    if decision.message:
        yield line()
        yield line(("message to the agent", Tone.FAINT))
        yield from paragraph(decision.message, 2)
    if decision.would is not decision.effect:
        would = (str(decision.would), tone_of(decision.would))
        yield line()
        yield line("with the observed rules in force it would be ", would)
    yield line()
    yield line((f"policies {decision.revision}", Tone.FAINT))
