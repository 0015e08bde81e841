"""What each save changes, told to people."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from guardrails.toolchain.lines import Tone, line
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.formats.text import tell_report
from guardrails.toolchain.suites.report_text import tell_report as tell_tests
from guardrails.toolchain.watching import note_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.difference import Changes, Difference
    from guardrails.toolchain.lines import Line
    from guardrails.toolchain.lint.report import Report
    from guardrails.toolchain.watching import Good, Note, Sight

_WIDTH = len("documents") + 2

REVISION = 19
"""Characters of a revision that tell it from others: `sha256:` and twelve more."""


def tell_sight(sight: Sight) -> Iterator[Line]:
    """The lines that tell what was seen, and one between it and what follows."""
    if not sight.loaded:
        yield line((f"{_time(sight.at_ns)}  the policies don't load", Tone.DENY))
        yield _tell_fallback(sight.in_force)
    elif sight.difference is None:
        yield line((f"{_time(sight.at_ns)}  {_count(sight)}", Tone.STRONG))
    elif not sight.difference:
        yield line((f"{_time(sight.at_ns)}  saved; no rule or declaration changed", Tone.STRONG))
    else:
        yield line((f"{_time(sight.at_ns)}  changed", Tone.STRONG))
        yield from _tell_difference(sight.difference)
    yield line()
    if sight.lint is not None:
        yield from _tell_lint(sight.lint, sight.noted)
    if sight.tests is not None:
        yield from tell_tests(sight.tests)
    for fault in sight.faults:
        yield from (line((text, Tone.DENY)) for text in fault.splitlines())
    yield line()


def _tell_lint(report: Report, noted: frozenset[Note]) -> list[Line]:
    """The report, less the notes that were told at an earlier save, which are only counted."""
    news = tuple(
        finding
        for finding in report.findings
        if finding.severity is not Severity.NOTE or note_of(finding) not in noted
    )
    return [*tell_report(replace(report, findings=news))[:-1], tell_report(report)[-1]]


def _tell_fallback(good: Good | None) -> Line:
    if good is None:
        return line("  none have loaded since the watch began: a guard would not start")
    revision = good.bundle.revision[:REVISION]
    return line(f"  a guard that watches goes on with those of {_time(good.at_ns)}, {revision}")


def _count(sight: Sight) -> str:
    assert sight.in_force is not None
    bundle = sight.in_force.bundle
    numbers = (
        (len(bundle.documents), "document"),
        (len(bundle.rules), "rule"),
        (len(bundle.tools), "declared tool"),
    )
    shown = ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in numbers)
    return f"{sight.root}: {shown}"


def _tell_difference(difference: Difference) -> Iterator[Line]:
    for kind in difference.__slots__:
        changes: Changes = getattr(difference, kind)
        head = kind.ljust(_WIDTH)
        for sign, names, tone in (
            ("+", changes.added, Tone.ALLOW),
            ("-", changes.removed, Tone.DENY),
            ("~", changes.changed, Tone.ESCALATE),
        ):
            for name in names:
                yield line(f"  {head}", (f"{sign} {name}", tone))
                head = " " * _WIDTH


def _time(at_ns: int) -> str:
    """The time of day where the reader is."""
    return datetime.fromtimestamp(at_ns // 10**9).astimezone().strftime("%H:%M:%S")
