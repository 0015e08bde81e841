"""What an auditor is told: the findings of a verification, and records, one a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.toolchain.lines import Tone, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.audit.anchors import Anchor
    from guardrails.audit.reading import Record
    from guardrails.audit.report import Report
    from guardrails.toolchain.lines import Line

_MILLISECOND = 1_000_000  # nanoseconds

_EFFECTS = {"allow": Tone.ALLOW, "escalate": Tone.ESCALATE, "deny": Tone.DENY}


def tell_report(report: Report) -> Iterator[Line]:
    """The findings, each with its place, and then the verdict."""
    for finding in report.findings:
        tone = Tone.DENY if finding.severity == "broken" else Tone.ESCALATE
        yield line((f"{finding.severity:<6}", tone), f"  {finding}")
    if report.omitted:
        yield line(f"and {report.omitted} more")
    verdict = ("intact", Tone.ALLOW) if report.intact else ("broken", Tone.DENY)
    read = f"{_count(report.records, 'record')} in {_count(report.chains, 'chain')}"
    yield line(verdict, f": {read}, {_count(report.files, 'file')}")


def tell_anchor(anchor: Anchor) -> Line:
    """The last record of a chain: its id, the file it stands in and its hash."""
    record = (f"{anchor.chain}-{anchor.sequence}", Tone.STRONG)
    return line(record, f"  {anchor.file}  ", (anchor.hash, Tone.FAINT))


def tell_record(record: Record) -> Line:
    """One record in one line: when, what, by which rules, and its id."""
    if record.problem:
        place = f"{record.file}:{record.line}" if record.line else record.file
        return line((f"not a record: {place}: {record.problem}", Tone.DENY))
    data = record.data
    stamp = (f"{_text(data.get('timestamp')):<27}  ", Tone.FAINT)
    identity = (f"  {_text(data.get('id'))}", Tone.FAINT)
    if data.get("kind") == "decision":
        effect = _text(_at(data, "result", "effect"))
        toned = (f"{effect:<8}", _EFFECTS.get(effect, Tone.PLAIN))
        return line(stamp, toned, f"  {_tell_decision(data)}", identity)
    if data.get("kind") == "outcome":
        return line(stamp, f"{_text(data.get('outcome')):<8}", f"  {_tell_outcome(data)}", identity)
    return line(stamp, f"{_text(data.get('kind')):<8}", identity)


def _tell_decision(data: dict[str, Any]) -> str:
    told = [_text(_at(data, "input", "tool")), _text(_at(data, "result", "code"))]
    subject = _at(data, "input", "subject", "id")
    if subject is not None:
        told.insert(1, f"by {_text(subject)}")
    effect = _at(data, "result", "effect")
    matches = _at(data, "result", "matches")
    told += [
        _text(_at(match, "rule"))
        for match in (matches if type(matches) is list else ())
        if _at(match, "effect") == effect and _at(match, "observed") is False
    ]
    if data.get("enforced") is False:
        told.append("(not enforced)")
    return "  ".join(told)


def _tell_outcome(data: dict[str, Any]) -> str:
    duration = data.get("duration_ns")
    took = f" after {duration / _MILLISECOND:.1f} ms" if type(duration) is int else ""
    error = data.get("error")
    raised = f" with {_text(error)}" if error is not None else ""
    return f"of {_text(data.get('decision_id'))}{took}{raised}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _text(value: Any) -> str:
    return value if type(value) is str else "?"


def _at(data: Any, *names: str) -> Any:
    for name in names:
        if type(data) is not dict:
            return None
        data = data.get(name)
    return data
