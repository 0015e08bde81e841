"""A report of lint for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from guardrails.toolchain.lint.finding import Severity

if TYPE_CHECKING:
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.report import Report


def report_json(report: Report) -> dict[str, Any]:
    """The report as JSON; lines and columns count from 1, offsets from 0, in code points."""
    return {
        "findings": [_finding_json(finding) for finding in report.findings],
        "excepted": [
            {
                **_finding_json(each.finding),
                "reason": each.allowance.reason,
                "until": each.allowance.until.text if each.allowance.until else None,
            }
            for each in report.excepted
        ],
        "counts": {str(severity): report.count(severity) for severity in Severity},
        "files": report.files,
        "loaded": report.loaded,
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    region = finding.region
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "path": region.path,
        "line": region.line,
        "column": region.column,
        "end_line": region.end_line,
        "end_column": region.end_column,
        "message": finding.message,
        "why": finding.why,
        "mend": finding.mend,
        "excerpt": finding.excerpt,
        "fix": [asdict(edit) for edit in finding.fix],
    }
