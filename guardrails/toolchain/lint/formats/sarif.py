"""A report of lint in SARIF 2.1.0, which code hosts show beside the code.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent_encode

from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.pages import markdown, plain_text
from guardrails.toolchain.lint.registry import all_rules
from guardrails.toolchain.lint.report import LOAD
from guardrails.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.toolchain.lint.finding import Edit, Finding, Fix, Region
    from guardrails.toolchain.lint.registry import LintRule
    from guardrails.toolchain.lint.report import Report
    from guardrails.toolchain.lint.suppress import Allowance

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS: Mapping[Severity | None, str] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "note",
}


def report_sarif(report: Report) -> dict[str, Any]:
    """The report as a SARIF log of one run; what comments except is marked as suppressed."""
    results = [_result(finding, None) for finding in report.findings]
    results += [_result(each.finding, each.allowance) for each in report.excepted]
    driver = {
        "name": "guardrails",
        "semanticVersion": __version__,
        "rules": [_load_descriptor(), *map(_descriptor, all_rules().values())],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": report.loaded}],
        "results": results,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _descriptor(rule: LintRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.page.summary},
        "fullDescription": {"text": rule.page.parts["Why it is bad"]},
        "help": {"text": plain_text(rule), "markdown": markdown(rule)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _load_descriptor() -> dict[str, Any]:
    text = "Policies that can't be loaded are not linted; these are the loader's own errors."
    return {
        "id": LOAD,
        "shortDescription": {"text": text},
        "defaultConfiguration": {"level": "error"},
    }


def _result(finding: Finding, allowance: Allowance | None) -> dict[str, Any]:
    parts = (finding.message, finding.why, finding.mend)
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n".join(part for part in parts if part)},
        "locations": [{"physicalLocation": _location(finding.region)}],
        "partialFingerprints": {"guardrails/v1": _fingerprint(finding)},
    }
    if finding.fix:
        result["fixes"] = [_fix(finding.mend, finding.fix)]
    if allowance is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": allowance.reason}]
    return result


def _location(region: Region) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(region.path)}}
    if region.line:
        location["region"] = {
            "startLine": region.line,
            "startColumn": region.column,
            "endLine": region.end_line,
            "endColumn": region.end_column,
        }
    return location


def _fix(mend: str, fix: Fix) -> dict[str, Any]:
    return {
        "description": {"text": mend},
        "artifactChanges": [
            {
                "artifactLocation": {"uri": _uri(path)},
                "replacements": [_replacement(edit) for edit in fix if edit.path == path],
            }
            for path in _paths(fix)
        ],
    }


def _replacement(edit: Edit) -> dict[str, Any]:
    return {
        "deletedRegion": {"charOffset": edit.start, "charLength": edit.end - edit.start},
        "insertedContent": {"text": edit.text},
    }


def _paths(fix: Iterable[Edit]) -> Iterable[str]:
    return dict.fromkeys(edit.path for edit in fix)


def _uri(path: str) -> str:
    """A reference relative to where lint ran, or absolute as the path is."""
    if Path(path).is_absolute():
        return Path(path).as_uri()
    return percent_encode(Path(path).as_posix(), errors="surrogateescape")


def _fingerprint(finding: Finding) -> str:
    """What stays the same where lines move: rule, file, message and the line's own text."""
    line = finding.excerpt.partition("\n")[0].strip()
    parts = (finding.rule, finding.region.path, finding.message, line)
    return sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()
