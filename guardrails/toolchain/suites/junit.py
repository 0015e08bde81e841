"""A run of the tests as JUnit XML, as CI systems read it.

There is no one schema; this is what Jenkins, GitLab and GitHub's actions read in common: suites of
cases, each with a failure or without.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from guardrails.display import escape
from guardrails.toolchain.lines import plain
from guardrails.toolchain.suites.rego import SKIPPED
from guardrails.toolchain.suites.report_text import tell_failed_test, tell_failure, tell_lines

if TYPE_CHECKING:
    from guardrails.toolchain.suites.report import Report
    from guardrails.toolchain.suites.run import CaseResult


def write_junit(report: Report) -> str:
    """The text of the document."""
    root = Element("testsuites", name="guardrails")
    by_suite: dict[tuple[str, str], list[CaseResult]] = defaultdict(list)
    for result in report.results:
        by_suite[result.case.suite, result.case.span.path].append(result)
    for (suite, path), results in by_suite.items():
        element = SubElement(root, "testsuite", name=escape(suite), file=escape(path))
        for result in results:
            _add_case(element, result)
    _add_rego(root, report)
    _add_coverage(root, report)
    _add_mutants(root, report)
    for element in (root, *root):
        _count(element)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _add_case(suite: Element, result: CaseResult) -> None:
    case = result.case
    element = _add(suite, case.name, case.suite, case.span.path, case.span.line)
    if result.failure is not None:
        parts = (f"{each.part}: expected {each.expected}, got {each.got}"
                 for each in result.failure.mismatches)  # fmt: skip
        _fail(element, "; ".join(parts), plain(tell_failure(result)))


def _add_rego(root: Element, report: Report) -> None:
    """The tests in Rego, a suite for each package."""
    suites: dict[tuple[str, str], Element] = {}
    for result in report.in_rego:
        test = result.test
        key = test.package, test.span.path
        if key not in suites:
            suites[key] = SubElement(root, "testsuite", name=escape(key[0]), file=escape(key[1]))
        element = _add(suites[key], test.name, test.package, test.span.path, test.span.line)
        if result.failed:
            _fail(element, result.reason, plain(tell_failed_test(result)))
        elif result.outcome == SKIPPED:
            SubElement(element, "skipped", message="its name begins with `todo_`")


def _add_coverage(root: Element, report: Report) -> None:
    if report.coverage is None or report.threshold is None:
        return
    suite = SubElement(root, "testsuite", name="coverage")
    element = SubElement(suite, "testcase", name="threshold", classname="coverage")
    if report.below_threshold:
        text = f"{report.coverage.percent:g}% reached, {report.threshold:g}% asked for"
        missing = (f"{each.rule.name}: {what}" for each in report.coverage.rules
                   for what in each.missing)  # fmt: skip
        lines = (f"{module.path}: {tell_lines(module.missed)}"
                 for module in report.coverage.modules if module.missed)  # fmt: skip
        _fail(element, text, "\n".join(map(escape, (*missing, *lines))))


def _add_mutants(root: Element, report: Report) -> None:
    if report.mutation is None:
        return
    suite = SubElement(root, "testsuite", name="mutants")
    for mutant in report.mutation.survivors:
        place = mutant.span
        element = _add(suite, mutant.change, mutant.name, place.path, place.line)
        _fail(element, "no test notices", mutant.change)
    if not report.mutation.survivors:
        SubElement(suite, "testcase", name="no mutant survives", classname="mutants")


def _add(suite: Element, name: str, group: str, path: str, line: int) -> Element:
    return SubElement(
        suite,
        "testcase",
        name=escape(name),
        classname=escape(group),
        file=escape(path),
        line=str(line),
    )


def _fail(element: Element, message: str, text: str) -> None:
    SubElement(element, "failure", message=escape(message)).text = text


def _count(element: Element) -> None:
    element.set("tests", str(len(element.findall(".//testcase"))))
    element.set("failures", str(len(element.findall(".//failure"))))
    element.set("skipped", str(len(element.findall(".//skipped"))))
