from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ROOT / "tests" / "toolchain" / "suites" / "folders"
FAILING, SESSION = str(FOLDERS / "failing"), str(FOLDERS / "session")


def test_tests_that_pass_exit_with_0(guardrails: Command) -> None:
    done = guardrails("test", SESSION)
    assert (done.exit_code, done.stdout) == (0, "17 cases: 17 passed\n")


def test_tests_that_fail_exit_with_1_and_tell_why(guardrails: Command) -> None:
    done = guardrails("test", FAILING)
    assert done.exit_code == 1
    assert done.stdout.replace(f"{FAILING}/", "") == (FOLDERS / "failing.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "nowhere: can't be read: no such file or directory"),
        ((str(ROOT / "tests/cli/policies"),), "there is no test here; tests stand beside"),
        ((SESSION, "--filter", "zebra"), "none of 17 cases has `zebra` in its name"),
        ((f"{SESSION}/mail_test.yaml",), "there are tests here and no policies"),
        ((SESSION, "--threshold", "101"), "101.0 is not in the range 0<=x<=100"),
        ((SESSION, "--mutate-seconds", "3"), "--mutate-seconds goes with --mutate"),
        ((SESSION, "--format", "sarif"), "'sarif' is not one of"),
    ],
)
def test_what_can_not_be_tested_exits_with_2(
    arguments: tuple[str, ...], message: str, guardrails: Command
) -> None:
    done = guardrails("test", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_a_test_in_rego_that_fails_exits_with_1(guardrails: Command, tmp_path: Path) -> None:
    shutil.copytree(SESSION, tmp_path / "policies")
    rego = "package mail_test\n\ntest_true if 1 < 2\n\ntest_false if 2 < 1\n"
    (tmp_path / "policies" / "mail_test.rego").write_text(rego)
    done = guardrails("test", str(tmp_path / "policies"), "--filter", "mail_test.")
    assert done.exit_code == 1
    assert "FAIL  mail_test.test_false  " in done.stdout
    assert "mail_test.rego:5:1" in done.stdout
    assert "2 cases: 1 passed, 1 failed" in done.stdout


def test_the_folder_may_come_from_the_environment(
    guardrails: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUARDRAILS_POLICIES", SESSION)
    assert guardrails("test").stdout == "17 cases: 17 passed\n"


def test_json_tells_every_case_with_its_decisions(guardrails: Command) -> None:
    done = guardrails("test", FAILING, "--format", "json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["passed"], told["failed"]) == (1, 3, 13)
    assert told["revision"].startswith("sha256:")
    first, second = told["cases"][:2]
    assert (first["passed"], first["steps"][0]["mismatches"]) == (True, [])
    assert "explanation" not in first["steps"][0]
    assert second["suite"] == "money"
    assert second["name"] == "the effect is another"
    assert second["place"]["line"] == 13
    assert second["steps"][0]["mismatches"] == [
        {"part": "effect", "expected": "allow", "got": "escalate"}
    ]
    assert second["steps"][0]["decision"]["matches"][0]["rule"] == "money/large"
    (large, *_) = second["steps"][0]["explanation"]["rules"]
    assert large["parts"][1]["deciding"][0]["operands"] == [
        {"source": "arguments.amount", "value": "900.0", "error": None}
    ]
    assert "coverage" not in told
    assert "mutation" not in told


def test_json_holds_remarks_coverage_and_mutants(guardrails: Command) -> None:
    done = guardrails(
        "test", SESSION, "--coverage", "--threshold", "50", "--mutate", "--format", "json"
    )
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert told["coverage"]["threshold"] == 50
    assert told["coverage"]["rules"] == {"reached": 7, "all": 7}
    by_rule = {each["rule"]: each for each in told["coverage"]["by_rule"]}
    assert by_rule["mail/dropped"]["missing"] == ["`when` was never true"]
    assert by_rule["mail/confidential"]["branches"][1]["kind"] == "operand of &&"
    assert told["mutation"]["tried"] == told["mutation"]["killed"] + len(
        told["mutation"]["survivors"]
    )
    assert {
        "of": "mail.read",
        "place": {"path": f"{SESSION}/mail.yaml", "line": 6, "column": 40},
        "change": "the label `private` was dropped",
    } in told["mutation"]["survivors"]


def test_junit_counts_cases_and_tells_failures(guardrails: Command) -> None:
    done = guardrails("test", FAILING, "--format", "junit")
    root = ET.fromstring(done.stdout)
    assert done.exit_code == 1
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "16", "13")
    (suite,) = root
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("money", "16", "13")
    assert suite[0].attrib["name"] == "passes"
    assert list(suite[0]) == []
    (failure,) = suite[1]
    assert failure.get("message") == "effect: expected allow, got escalate"
    assert "arguments.amount = 900.0" in (failure.text or "")


def test_junit_fails_for_coverage_and_mutants_too(guardrails: Command) -> None:
    done = guardrails("test", SESSION, "--threshold", "99", "--mutate", "--format", "junit")
    root = ET.fromstring(done.stdout)
    assert done.exit_code == 1
    assert [suite.get("name") for suite in root] == ["mail", "coverage", "mutants"]
    assert root[1][0][0].get("message") == "91.3% reached, 99% asked for"
    assert "mail/dropped: `when` was never true" in (root[1][0][0].text or "")
    assert {each.get("classname") for each in root[2]} >= {"mail.read", "mail/night"}
    assert int(root.get("failures") or 0) == 1 + len(root[2])


def test_junit_of_what_is_whole_has_no_failure(guardrails: Command) -> None:
    done = guardrails(
        "test", str(ROOT / "demo/policies"), "--threshold", "100", "--mutate", "--format", "junit"
    )
    root = ET.fromstring(done.stdout)
    assert (done.exit_code, root.get("failures")) == (0, "0")
    assert root[-1][0].get("name") == "no mutant survives"


def test_lcov_is_printed_alone_and_failures_on_the_error_stream(guardrails: Command) -> None:
    done = guardrails("test", FAILING, "--format", "lcov")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[:2] == ["TN:", f"SF:{FAILING}/money.yaml"]
    assert lines[-1] == "end_of_record"
    assert "FNDA:0,money/watched" not in lines
    assert "FAIL  money: the effect is another" in done.stderr
    assert guardrails("test", SESSION, "--format", "lcov").stderr == ""


def test_mutants_are_not_tried_where_a_case_fails(guardrails: Command) -> None:
    done = guardrails("test", FAILING, "--mutate")
    assert done.exit_code == 1
    assert "no mutant was tried: a case fails on the policies as they are" in done.stderr


def test_mutants_that_are_left_untried_exit_with_4(guardrails: Command) -> None:
    done = guardrails("test", SESSION, "--mutate", "--mutate-seconds", "0")
    assert done.exit_code == 4
    assert "mutants: 0 tried, 0 noticed by a test, 0 survived; 41 not tried" in done.stdout


def test_the_demo_s_policies_are_tested_whole(guardrails: Command) -> None:
    done = guardrails("test", str(ROOT / "demo/policies"), "--threshold", "100", "--mutate")
    assert done.exit_code == 0, done.stdout
    assert "NOTE" not in done.stdout
    assert ", 0 survived" in done.stdout


def test_what_was_not_reached_is_told_by_rule(guardrails: Command) -> None:
    done = guardrails("test", SESSION, "--coverage")
    assert done.exit_code == 0
    assert (
        done.stdout.replace(f"{SESSION}/", "")
        == """\
17 cases: 17 passed

NOT REACHED  mail/dropped  mail.yaml:18:5
  `when` was never true

NOT REACHED  mail/production  mail.yaml:26:5
  `when` was never true

coverage: 91.3%, 7 of 7 rules matched, 14 of 16 branches taken
"""
    )


def test_a_remark_is_told_in_json_too(guardrails: Command, tmp_path: Path) -> None:
    shutil.copytree(SESSION, tmp_path / "p")
    text = "version: 1\ntests: t\ncases: [{name: a, action: {tool: nothing}}]\n"
    (tmp_path / "p" / "mail_test.yaml").write_text(text)
    done = guardrails("test", str(tmp_path / "p"), "--format", "json")
    (case,) = json.loads(done.stdout)["cases"]
    assert case["steps"][0]["remark"].startswith("denied as `undeclared`; say `code: undeclared`")
