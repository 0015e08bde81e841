"""A report of lint as JUnit's XML, in the form that Jenkins and GitLab read.

One test case a finding, failed unless it is a note, and one passed for each rule without any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from guardrails.display import escape
from guardrails.toolchain.lint.finding import Severity

if TYPE_CHECKING:
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.report import Report


def report_junit(report: Report) -> str:
    """The report as an XML document."""
    found = {finding.rule for finding in report.findings}
    clean = [rule for rule in report.rules if rule not in found]
    failures = sum(finding.severity is not Severity.NOTE for finding in report.findings)
    suite = Element(
        "testsuite",
        name="guardrails lint",
        tests=str(len(report.findings) + len(clean)),
        failures=str(failures),
        errors="0",
        skipped="0",
    )
    for finding in report.findings:
        _add_case(suite, finding)
    for rule in clean:
        SubElement(suite, "testcase", classname="guardrails.lint", name=rule)
    suites = Element("testsuites")
    suites.append(suite)
    indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suites, encoding="unicode")


def _add_case(suite: Element, finding: Finding) -> None:
    region, place = finding.region, escape(finding.region.place)  # XML has no control characters
    case = SubElement(
        suite,
        "testcase",
        classname="guardrails.lint",
        name=f"{finding.rule} at {place}",
        file=escape(region.path),
        line=str(max(region.line, 1)),
    )
    parts = [f"{place}: {finding.severity}: {finding.message}", finding.excerpt]
    parts += [f"why: {finding.why}"] if finding.why else []
    parts += [f"mend: {finding.mend}"] if finding.mend else []
    text = "\n".join(part for part in parts if part)
    if finding.severity is Severity.NOTE:
        SubElement(case, "system-out").text = text
    else:
        failure = SubElement(case, "failure", message=finding.message, type=str(finding.severity))
        failure.text = text
