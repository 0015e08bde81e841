"""A report of lint for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.toolchain.lines import Tone, line
from guardrails.toolchain.lint.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardrails.toolchain.lines import Line
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.report import Report

_TONES: Mapping[Severity | None, Tone] = {
    Severity.ERROR: Tone.DENY,
    Severity.WARNING: Tone.ESCALATE,
    Severity.NOTE: Tone.STRONG,
}


def tell_report(report: Report) -> list[Line]:
    """Every finding with its place first, and a line that sums up."""
    lines = [each for finding in report.findings for each in (*_tell_finding(finding), line())]
    return [*lines, _sum_up(report)]


def _tell_finding(finding: Finding) -> Iterator[Line]:
    tone = _TONES.get(finding.severity, Tone.PLAIN)
    yield line(
        (f"{finding.region.place}: ", Tone.STRONG),
        (f"{finding.severity}: ", tone),
        finding.message,
        (f" [{finding.rule}]", Tone.FAINT),
    )
    for number, text in enumerate(finding.excerpt.splitlines()):
        yield line((text, tone if number else Tone.PLAIN))
    if finding.why:
        yield line(("    why:  ", Tone.FAINT), finding.why)
    if finding.mend:
        hint = " (`--fix` does it)" if finding.fix else ""
        yield line(("    mend: ", Tone.FAINT), finding.mend, (hint, Tone.FAINT))


def _sum_up(report: Report) -> Line:
    files = _plural(report.files, "file")
    excepted = f"; {len(report.excepted)} excepted by comments" if report.excepted else ""
    if not report.loaded:
        return line((f"{files}: not linted, since the policies don't load", Tone.DENY))
    if not report.findings:
        return line((f"{files}: nothing found", Tone.ALLOW), (excepted, Tone.FAINT))
    counts = [
        _plural(count, str(severity))
        for severity in sorted(Severity, reverse=True)
        if (count := report.count(severity))
    ]
    tone = _TONES[max(finding.severity or Severity.NOTE for finding in report.findings)]
    return line((f"{files}: {', '.join(counts)}", tone), (excepted, Tone.FAINT))


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
