"""What verifying a log found, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from guardrails.display import escape

Severity = Literal["broken", "remark"]

MAX_FINDINGS = 1000
"""Findings that a report holds; a hostile log may have one in every line."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a log: `broken` is what no undisturbed log has, a `remark` is worth knowing.

    `file` is a name within what was verified. `line` counts from 1; 0 means the file as a whole.
    `record` is the id of the record it is about, or empty.
    """

    severity: Severity
    file: str
    line: int
    record: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        about = f" {self.record}:" if self.record else ""
        return escape(f"{place}:{about} {self.message}")


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of verifying: what was read, and the findings in the order of files and lines.

    `omitted` counts the findings beyond the first thousand.
    """

    findings: tuple[Finding, ...]
    files: int
    chains: int
    records: int
    omitted: int = 0

    @property
    def intact(self) -> bool:
        """Whether nothing is broken; remarks don't count."""
        return not self.broken

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The findings that say that the log was disturbed."""
        return tuple(f for f in self.findings if f.severity == "broken")

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """The findings that are merely worth knowing."""
        return tuple(f for f in self.findings if f.severity == "remark")

    def as_json(self) -> dict[str, Any]:
        """The report as the command line prints it."""
        return {
            "intact": self.intact,
            "files": self.files,
            "chains": self.chains,
            "records": self.records,
            "findings": [asdict(finding) for finding in self.findings],
            "omitted": self.omitted,
        }


class Findings:
    """Findings being gathered; beyond `MAX_FINDINGS` of a severity they are only counted."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._counts: dict[Severity, int] = {"broken": 0, "remark": 0}

    def broken(self, file: str, line: int, record: str, message: str) -> None:
        """Note that something was disturbed."""
        self._add(Finding("broken", file, line, record, message))

    def remark(self, file: str, line: int, record: str, message: str) -> None:
        """Note something worth knowing."""
        self._add(Finding("remark", file, line, record, message))

    def _add(self, finding: Finding) -> None:
        self._counts[finding.severity] += 1
        if self._counts[finding.severity] <= MAX_FINDINGS:
            self._kept.append(finding)

    def report(self, files: int, chains: int, records: int) -> Report:
        """The findings so far, with what was read."""
        kept = sorted(self._kept, key=lambda finding: (finding.file, finding.line))
        omitted = sum(self._counts.values()) - len(kept)
        return Report(tuple(kept), files, chains, records, omitted)
