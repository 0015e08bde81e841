"""An explanation told to people: rule by rule, with carets under what decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.display import excerpt
from guardrails.toolchain.decision_text import headline, reason
from guardrails.toolchain.explanation import EXCEPTED, FAILED, MATCHED, UNKNOWN, UNMATCHED
from guardrails.toolchain.lines import Tone, line, paragraph, tone_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Condition
    from guardrails.toolchain.explanation import Explanation, Part, RuleTold
    from guardrails.toolchain.lines import Line
    from guardrails.toolchain.reasons import Reason
    from guardrails.toolchain.recorded import RecordedExplanation

_OUTCOMES = {
    MATCHED: "matched",
    EXCEPTED: "excepted",
    FAILED: "could not be evaluated, so did not match",
    UNMATCHED: "did not match",
    UNKNOWN: "can't be told: it reads what is masked",
}
_MARGIN = 4  # columns that an excerpt is indented by itself
_SHOWN, _BEFORE = 60, 10  # characters of a condition that are shown, and before what decided
_INDENT = 14  # columns before what is told of a part: its key stands there


def tell_explanation(explanation: Explanation) -> Iterator[Line]:
    """The lines that tell `explanation`."""
    decision = explanation.decision
    yield headline(explanation.tool, decision)
    yield line(f"  {reason(decision)}")
    for told in explanation.rules:
        yield line()
        yield from tell_rule(told)
    if explanation.rules and explanation.others:
        yield line()
        yield line((f"rules that do not concern it: {explanation.others}", Tone.FAINT))
    if explanation.needed:
        yield line()
        yield line(("what an allow would need", Tone.STRONG))
        for needed in explanation.needed:
            yield line(f"  - {needed}")


def tell_recorded(told: RecordedExplanation) -> Iterator[Line]:
    """The lines that tell an explanation of a recorded decision."""
    recorded = told.recorded
    decision = recorded.decision
    effect = (str(decision.effect), tone_of(decision.effect))
    yield line(f"recorded {recorded.timestamp} as ", effect, f" ({decision.code}), {recorded.id}")
    if not told.same_policies:
        yield line(f"by other policies: {decision.revision}; these are {told.revision}")
    if recorded.masked:
        names = ", ".join(f"`{name}`" for name in recorded.masked)
        yield line(f"undetermined: masked in the log, so not to be judged again: {names}")
    elif told.undetermined:
        yield line("undetermined: the same policies decide otherwise by what the record holds")
    yield line()
    yield from tell_explanation(told.explanation)


def tell_rule(told: RuleTold) -> Iterator[Line]:
    """The lines that tell what one rule said, part by part."""
    rule = told.rule
    yield line(
        (f"{rule.effect!s:<8}", tone_of(rule.effect) if told.outcome == MATCHED else Tone.FAINT),
        "  ",
        (rule.name, Tone.STRONG),
        f"  {_OUTCOMES[told.outcome]}",
        f" (for {told.member})" if told.member is not None else "",
        " (only observed)" if told.observed and told.outcome == MATCHED else "",
        (f"  {rule.span.path}:{rule.span.line}:{rule.span.column}", Tone.FAINT),
    )
    yield from paragraph(rule.description, _INDENT)
    for part in told.parts:
        yield from _tell_part(part)


def _tell_part(part: Part) -> Iterator[Line]:
    mark = {True: "+", False: "-", None: "!"}[part.holds]
    yield line(f"  {mark} ", (f"{part.key:<10}", Tone.FAINT), part.why)
    if part.condition is not None:
        for told in part.reasons:
            yield from _tell_reason(told, part.condition)


def _tell_reason(told: Reason, condition: Condition) -> Iterator[Line]:
    first = condition.source.rfind("\n", 0, told.start) + 1
    text = condition.source[first:].split("\n", 1)[0]
    shown, at = _crop(text, told.start - first)
    marked = min(told.end - told.start, len(shown) - at)
    line_of_source, carets = excerpt(shown, at + 1, marked).split("\n")
    outcome = told.value if told.error is None else f"error: {told.error}"
    yield line(" " * (_INDENT - _MARGIN) + line_of_source)
    yield line(" " * (_INDENT - _MARGIN) + carets, (f" {outcome}", Tone.STRONG))
    for operand in told.operands:
        if operand.source != told.source:
            value = operand.value if operand.error is None else f"error: {operand.error}"
            yield line(" " * _INDENT, f"{operand.source} = {value}")


def _crop(text: str, at: int) -> tuple[str, int]:
    """The part of `text` round the place `at`, short enough for a terminal, and the place in it."""
    text, at = text.lstrip(" "), at - (len(text) - len(text.lstrip(" ")))
    if len(text) <= _SHOWN:
        return text, at
    first = max(0, min(at - _BEFORE, len(text) - _SHOWN))
    before, after = "…" if first else "", "…" if first + _SHOWN < len(text) else ""
    return f"{before}{text[first : first + _SHOWN]}{after}", at - first + len(before)
