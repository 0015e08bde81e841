"""A report of lint as annotations of GitHub Actions.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.display import escape
from guardrails.toolchain.lint.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.report import Report

_COMMANDS: Mapping[Severity | None, str] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "notice",
}


def report_github(report: Report) -> Iterator[str]:
    """One command a finding."""
    return map(_annotate, report.findings)


def _annotate(finding: Finding) -> str:
    region = finding.region
    properties = {"file": escape(region.path)}
    if region.line:
        properties |= {"line": str(region.line), "endLine": str(region.end_line)}
        if region.end_line == region.line:  # GitHub takes columns within one line only
            properties |= {"col": str(region.column), "endColumn": str(region.end_column)}
    properties["title"] = finding.rule
    told = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items())
    lines = [finding.message]
    lines += [f"why: {finding.why}"] if finding.why else []
    lines += [f"mend: {finding.mend}"] if finding.mend else []
    text = _escape("\n".join(lines))
    return f"::{_COMMANDS[finding.severity]} {told}::{text}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
