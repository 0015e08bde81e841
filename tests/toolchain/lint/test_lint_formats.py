from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import jsonschema
import pytest

from guardrails.language.expiry import parse_expiry
from guardrails.toolchain.lines import plain
from guardrails.toolchain.lint.finding import Edit, Finding, Region, Severity
from guardrails.toolchain.lint.formats.github import report_github
from guardrails.toolchain.lint.formats.json import report_json
from guardrails.toolchain.lint.formats.junit import report_junit
from guardrails.toolchain.lint.formats.sarif import report_sarif
from guardrails.toolchain.lint.formats.text import tell_report
from guardrails.toolchain.lint.registry import all_rules
from guardrails.toolchain.lint.report import Report
from guardrails.toolchain.lint.suppress import Allowance, Excepted

SCHEMA = json.loads(Path(__file__).with_name("sarif.schema.json").read_text("utf-8"))

PATTERN = Finding(
    Region("policies/my mail.yaml", 7, 32, 7, 38, 100, 106),
    "the pattern `acme` is not bound",
    "anything may stand around it",
    "begin it with `^`",
    '    when: arguments.to.matches("acme")\n                               ^^^^^^',
    (Edit("policies/my mail.yaml", 100, 106, '"^acme$"'),),
    "unanchored-pattern",
    Severity.WARNING,
)
FILE = Finding(
    Region("policies/deny.bak"),
    "100% lost,\r\nall of it",
    "it is not read",
    "rename it",
    rule="unrecognised-file",
    severity=Severity.ERROR,
)
NOTE = Finding(
    Region("policies/p.yaml", 3, 1, 5, 4, 20, 60),
    "it ends soon",
    "then it is gone",
    "renew it",
    "    expires: <soon>\n             ^^^^^^",
    rule="expired-rule",
    severity=Severity.NOTE,
)
COMMENT = Allowance(
    Region("policies/p.yaml", 2, 1, 2, 9),
    ("expired-rule",),
    "we know",
    parse_expiry("2027-01-08"),
    3,
    3,
)
MIXED = Report(
    (FILE, PATTERN, NOTE),
    (Excepted(NOTE, COMMENT),),
    ("unrecognised-file", "unanchored-pattern", "expired-rule", "missing-owner"),
    2,
)
CLEAN = Report((), (), ("missing-owner",), 1)
FAULT = Finding(
    Region("p.yaml", 1, 1, 1, 4),
    "the file is odd",
    "",
    "",
    "    odd\n    ^^^",
    (),
    "load",
    Severity.ERROR,
)
BROKEN = Report((FAULT,), files=1)
REPORTS = {"mixed": MIXED, "clean": CLEAN, "broken": BROKEN}

TEXT = """\
policies/deny.bak: error: 100% lost,\\r\\nall of it [unrecognised-file]
    why:  it is not read
    mend: rename it

policies/my mail.yaml:7:32: warning: the pattern `acme` is not bound [unanchored-pattern]
    when: arguments.to.matches("acme")
                               ^^^^^^
    why:  anything may stand around it
    mend: begin it with `^` (`--fix` does it)

policies/p.yaml:3:1: note: it ends soon [expired-rule]
    expires: <soon>
             ^^^^^^
    why:  then it is gone
    mend: renew it

2 files: 1 error, 1 warning, 1 note; 1 excepted by comments
"""

BROKEN_TEXT = """\
p.yaml:1:1: error: the file is odd [load]
    odd
    ^^^

1 file: not linted, since the policies don't load
"""


def test_text_tells_the_place_first_then_what_why_and_how_to_mend_it() -> None:
    assert plain(tell_report(MIXED)) == TEXT
    assert plain(tell_report(BROKEN)) == BROKEN_TEXT
    assert plain(tell_report(CLEAN)) == "1 file: nothing found\n"
    assert plain(tell_report(Report((PATTERN, PATTERN), files=3))).endswith("3 files: 2 warnings\n")


def test_json_holds_all_that_is_known_of_each_finding() -> None:
    told = report_json(MIXED)
    assert told["findings"][1] == {
        "rule": "unanchored-pattern",
        "severity": "warning",
        "path": "policies/my mail.yaml",
        "line": 7,
        "column": 32,
        "end_line": 7,
        "end_column": 38,
        "message": "the pattern `acme` is not bound",
        "why": "anything may stand around it",
        "mend": "begin it with `^`",
        "excerpt": PATTERN.excerpt,
        "fix": [{"path": "policies/my mail.yaml", "start": 100, "end": 106, "text": '"^acme$"'}],
    }
    assert [each["line"] for each in told["findings"]] == [0, 7, 3]
    assert told["excepted"] == [{**told["findings"][2], "reason": "we know", "until": "2027-01-08"}]
    assert told["counts"] == {"note": 1, "warning": 1, "error": 1}
    assert (told["files"], told["loaded"]) == (2, True)
    assert report_json(BROKEN)["loaded"] is False


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_sarif_has_the_structure_of_the_standard(report: Report) -> None:
    jsonschema.Draft202012Validator(
        SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(report_sarif(report))


def sarif_run(report: Report) -> dict[str, Any]:
    run: dict[str, Any] = report_sarif(report)["runs"][0]
    return run


def test_sarif_describes_every_rule_and_names_no_other() -> None:
    rules = sarif_run(MIXED)["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["load", *all_rules()]
    assert all(rule["shortDescription"]["text"] for rule in rules)
    results = [*sarif_run(MIXED)["results"], *sarif_run(BROKEN)["results"]]
    assert {result["ruleId"] for result in results} <= {rule["id"] for rule in rules}


def test_sarif_places_levels_mends_and_suppressions_are_those_of_the_findings() -> None:
    file, pattern, note, excepted = sarif_run(MIXED)["results"]
    assert [each["level"] for each in (file, pattern, note)] == ["error", "warning", "note"]
    assert file["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "policies/deny.bak"}}}
    ]
    place = pattern["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "policies/my%20mail.yaml"}
    assert place["region"] == {"startLine": 7, "startColumn": 32, "endLine": 7, "endColumn": 38}
    assert pattern["fixes"][0]["artifactChanges"] == [
        {
            "artifactLocation": {"uri": "policies/my%20mail.yaml"},
            "replacements": [
                {
                    "deletedRegion": {"charOffset": 100, "charLength": 6},
                    "insertedContent": {"text": '"^acme$"'},
                }
            ],
        }
    ]
    assert excepted["suppressions"] == [{"kind": "inSource", "justification": "we know"}]
    assert "suppressions" not in note
    assert sarif_run(MIXED)["invocations"] == [{"executionSuccessful": True}]
    assert sarif_run(BROKEN)["invocations"] == [{"executionSuccessful": False}]


def test_sarif_fingerprints_stay_where_lines_move() -> None:
    moved = Finding(
        Region(PATTERN.region.path, 9, 30, 9, 36, 200, 206),
        PATTERN.message,
        PATTERN.why,
        PATTERN.mend,
        PATTERN.excerpt.replace("    when", "  when", 1),
        rule=PATTERN.rule,
        severity=PATTERN.severity,
    )
    first, second, third = (
        sarif_run(Report((finding,)))["results"][0]["partialFingerprints"]
        for finding in (PATTERN, moved, FILE)
    )
    assert first == second != third


def test_sarif_paths_from_the_root_are_uris_of_files() -> None:
    finding = Finding(Region("/etc/a b.yaml"), "m", "w", "m", rule="load", severity=Severity.NOTE)
    place = sarif_run(Report((finding,)))["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "file:///etc/a%20b.yaml"


def test_junit_fails_a_case_for_each_finding_but_notes_and_passes_clean_rules() -> None:
    suites = fromstring(report_junit(MIXED))
    suite = suites[0]
    assert (suite.get("tests"), suite.get("failures")) == ("4", "2")
    failed = [case for case in suite if case.find("failure") is not None]
    assert [case.get("name") for case in failed] == [
        "unrecognised-file at policies/deny.bak",
        "unanchored-pattern at policies/my mail.yaml:7:32",
    ]
    failure = failed[1][0]
    assert failure.get("message") == PATTERN.message
    assert failure.text is not None
    assert failure.text.splitlines() == [
        "policies/my mail.yaml:7:32: warning: the pattern `acme` is not bound",
        *PATTERN.excerpt.splitlines(),
        "why: anything may stand around it",
        "mend: begin it with `^`",
    ]
    passed = [case.get("name") for case in suite if case not in failed]
    assert passed == ["expired-rule at policies/p.yaml:3:1", "missing-owner"]
    assert len(fromstring(report_junit(BROKEN))[0]) == 1


def test_github_annotations_have_their_properties_and_text_escaped() -> None:
    file, pattern, note = report_github(MIXED)
    assert file == (
        "::error file=policies/deny.bak,title=unrecognised-file::"
        "100%25 lost,%0D%0Aall of it%0Awhy: it is not read%0Amend: rename it"
    )
    assert pattern == (
        "::warning file=policies/my mail.yaml,line=7,endLine=7,col=32,endColumn=38,"
        "title=unanchored-pattern::the pattern `acme` is not bound"
        "%0Awhy: anything may stand around it%0Amend: begin it with `^`"
    )
    assert note.startswith("::notice file=policies/p.yaml,line=3,endLine=5,title=expired-rule::")
    (fault,) = report_github(BROKEN)
    assert fault.endswith("title=load::the file is odd")


def test_github_properties_cannot_be_broken_out_of() -> None:
    finding = Finding(Region("a,b:c%.yaml"), "m", "", "", rule="load", severity=Severity.ERROR)
    assert list(report_github(Report((finding,)))) == [
        "::error file=a%2Cb%3Ac%25.yaml,title=load::m"
    ]


def test_a_file_may_have_any_name() -> None:
    path = "\x1b[1m\udcff<&>.bak"
    report = Report((Finding(Region(path), "m", "w", "m", rule="load", severity=Severity.ERROR),))
    assert fromstring(report_junit(report))[0][0].get("file") == "\\x1b[1m\\udcff<&>.bak"
    place = sarif_run(report)["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "%1B%5B1m%FF%3C%26%3E.bak"
    assert plain(tell_report(report)).startswith("\\x1b[1m\\udcff<&>.bak: error: m [load]\n")
    assert json.loads(json.dumps(report_json(report)))["findings"][0]["path"] == path
    (annotation,) = report_github(report)
    assert annotation == "::error file=\\x1b[1m\\udcff<&>.bak,title=load::m%0Awhy: w%0Amend: m"
