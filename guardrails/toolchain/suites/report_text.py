"""A run of the tests told to people: what failed and why, what was not reached, what survived."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from guardrails.decision import Code
from guardrails.toolchain.decision_text import reason
from guardrails.toolchain.explanation import FAILED, MATCHED
from guardrails.toolchain.explanation_text import tell_rule
from guardrails.toolchain.lines import Tone, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Span
    from guardrails.language.rego.tests import RegoTest
    from guardrails.toolchain.explanation import RuleTold
    from guardrails.toolchain.lines import Line
    from guardrails.toolchain.suites.coverage import Coverage
    from guardrails.toolchain.suites.mutation import Mutation
    from guardrails.toolchain.suites.rego import RegoResult
    from guardrails.toolchain.suites.report import Report
    from guardrails.toolchain.suites.run import CaseResult, StepResult

RULES_TOLD = 6
"""Rules that are told of a case that failed: those that decided, and those that should have."""

REMARKS_TOLD = 20
"""Remarks on cases that passed that are told one by one."""


def tell_report(report: Report) -> Iterator[Line]:
    """The lines that tell `report`."""
    for result in report.failures:
        yield from tell_failure(result)
        yield line()
    for each in report.failures_in_rego:
        yield from tell_failed_test(each)
        yield line()
    for each in report.skipped:
        yield _head("SKIPPED", Tone.ESCALATE, each.test)
    if report.skipped:
        yield line()
    yield from _tell_remarks(report)
    yield _tell_counts(report)
    if report.coverage is not None:
        yield from _tell_coverage(report.coverage)
        if report.below_threshold:
            yield line(("below the threshold", Tone.DENY), f" of {report.threshold:g}%")
    if report.mutation is not None:
        yield from _tell_mutation(report.mutation)


def tell_failure(result: CaseResult) -> Iterator[Line]:
    """The lines that tell of a case that failed: what was expected, what came, and why."""
    failed = result.failure
    assert failed is not None
    yield line(
        ("FAIL", Tone.DENY),
        "  ",
        (result.case.title, Tone.STRONG),
        (f"  {_place(failed.step.span)}", Tone.FAINT),
    )
    if result.case.opening is not None:
        number, count = len(result.steps), len(result.case.steps)
        yield line(f"  step {number} of {count}: {failed.step.action.tool}")
    for mismatch in failed.mismatches:
        yield line(f"  {mismatch.part:<8} expected {mismatch.expected}")
        yield line(f"  {'':<8} got      {mismatch.got}")
    decision = failed.decision
    told = f": {decision.message}" if decision.code is not Code.RULE and decision.message else ""
    yield line((f"  {reason(decision)}{told}", Tone.FAINT))
    for rule in islice(_telling_rules(failed), RULES_TOLD):
        yield from ((("  ", Tone.PLAIN), *pieces) for pieces in tell_rule(rule))


def tell_failed_test(result: RegoResult) -> Iterator[Line]:
    """The lines that tell of a test in Rego that failed, and what it printed."""
    yield _head("FAIL", Tone.DENY, result.test)
    yield line(f"  {result.reason}")
    yield from (line((f"  printed: {text}", Tone.FAINT)) for text in result.prints)


def _head(word: str, tone: Tone, test: RegoTest) -> Line:
    place = (f"  {_place(test.span)}", Tone.FAINT)
    return line((word, tone), "  ", (test.title, Tone.STRONG), place)


def _telling_rules(failed: StepResult) -> Iterator[RuleTold]:
    """The rules that decided, those that could not, and those that should have."""
    decision, expected = failed.decision, failed.step.expected
    if failed.explanation is None:
        return
    decisive = {each.rule for each in decision.matches if each.effect is decision.effect}
    matched = {each.rule for each in decision.matches}
    named = decisive if expected.rules is None else matched.symmetric_difference(expected.rules)
    if any(mismatch.part == "would" for mismatch in failed.mismatches):
        named |= {each.rule for each in decision.matches if each.observed}
    turned = decision.effect is not expected.effect
    for told in failed.explanation.rules:
        awaited = told.rule.effect is expected.effect and not told.observed
        missed = turned and awaited and told.outcome != MATCHED
        decided = turned and told.rule.name in decisive
        if told.rule.name in named or missed or decided or told.outcome == FAILED:
            yield told


def _tell_remarks(report: Report) -> Iterator[Line]:
    remarks = [
        (result.case.title, step)
        for result in report.results
        if result.failure is None
        for step in result.steps
        if step.remark
    ]
    for title, step in remarks[:REMARKS_TOLD]:
        place = (f"  {_place(step.step.span)}", Tone.FAINT)
        yield line(("NOTE", Tone.ESCALATE), "  ", (title, Tone.STRONG), place)
        yield line(f"  {step.remark}")
    if len(remarks) > REMARKS_TOLD:
        yield line(f"and {len(remarks) - REMARKS_TOLD:,} notes more")
    if remarks:
        yield line()


def _tell_counts(report: Report) -> Line:
    count, failed = len(report.results) + len(report.in_rego), report.failed
    passed = (f"{report.passed:,} passed", Tone.PLAIN if failed else Tone.ALLOW)
    noun = "case" if count == 1 else "cases"
    pieces: list[str | tuple[str, Tone]] = [f"{count:,} {noun}: ", passed]
    if failed:
        pieces += [", ", (f"{failed:,} failed", Tone.DENY)]
    if report.skipped:
        pieces += [", ", (f"{len(report.skipped):,} skipped", Tone.ESCALATE)]
    return line(*pieces)


def _tell_coverage(coverage: Coverage) -> Iterator[Line]:
    for each in coverage.rules:
        if each.missing:
            place = (f"  {_place(each.rule.span)}", Tone.FAINT)
            yield line()
            yield line(("NOT REACHED", Tone.ESCALATE), "  ", (each.rule.name, Tone.STRONG), place)
            for missing in each.missing:
                yield line(f"  {' '.join(missing.split())}")
    for module in coverage.modules:
        if module.missed:
            yield line()
            yield line(("NOT REACHED", Tone.ESCALATE), "  ", (module.path, Tone.STRONG))
            yield line(f"  {tell_lines(module.missed)}")
    yield line()
    counts = [
        (coverage.rules_reached, len(coverage.rules), "rules matched"),
        (coverage.branches_reached, coverage.branches, "branches taken"),
    ]
    if coverage.modules:  # of a folder of modules alone, lines are all there is
        counts = [each for each in counts if each[1]]
        counts.append((coverage.lines_reached, coverage.lines, "lines of Rego reached"))
    told = ", ".join(f"{reached:,} of {all_:,} {what}" for reached, all_, what in counts)
    yield line(("coverage: ", Tone.STRONG), f"{coverage.percent:g}%, {told}")


def tell_lines(numbers: tuple[int, ...]) -> str:
    """Lines by number, those that follow one another as a range: `lines 3, 7-9`."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    told = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in ranges)
    return f"{'line' if len(numbers) == 1 else 'lines'} {told}"


def _tell_mutation(mutation: Mutation) -> Iterator[Line]:
    for mutant in mutation.survivors:
        place = (f"  {_place(mutant.span)}", Tone.FAINT)
        yield line()
        yield line(("SURVIVED", Tone.DENY), "  ", (mutant.name, Tone.STRONG), place)
        yield line(f"  {mutant.change}")
    yield line()
    survived = len(mutation.survivors)
    untried = f"; {mutation.untried:,} not tried for lack of time" if mutation.untried else ""
    yield line(
        ("mutants: ", Tone.STRONG),
        f"{mutation.tried:,} tried, {mutation.killed:,} noticed by a test, ",
        (f"{survived:,} survived", Tone.DENY if survived else Tone.ALLOW),
        untried,
    )
    if mutation.unchanged:
        yield line(("rego: ", Tone.STRONG), "modules are not mutated; --coverage tells their lines")


def _place(span: Span) -> str:
    return f"{span.path}:{span.line}:{span.column}"
