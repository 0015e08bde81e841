"""Every fault of a test file is told with its place, all at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from guardrails.errors import PolicyError
from guardrails.language.folder import folder_of
from guardrails.toolchain.suites.reader import read_suites
from guardrails.toolchain.suites.tester import NothingTested

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = yaml.safe_load((Path(__file__).parent / "suite_faults.yaml").read_text("utf-8"))
POLICY = """\
version: 1
policy: money
context: {environment: {type: string}}
tools:
  pay: {traits: [spend], arguments: {to: {type: string}, amount: {type: number}}}
rules:
  - {id: small, effect: allow, tools: pay, when: arguments.amount < 10}
"""
TEST = "version: 1\ntests: t\ncases: [{name: a, action: {tool: pay}}]"


def problems_of(run: Callable[..., Any], files: dict[str, str]) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        run(files)
    problems = caught.value.problems
    return [
        f"{each.path} {each.line}:{each.column} {each.message}"
        if each.line
        else f"{each.path} {each.message}"
        for each in problems
    ]


@pytest.mark.parametrize("case", FAULTS, ids=[case["name"] for case in FAULTS])
def test_a_fault_is_told_with_its_place(case: dict[str, Any], run: Callable[..., Any]) -> None:
    text = f"version: 1\ntests: faults\n{case['text']}"
    found = problems_of(run, {"money.yaml": POLICY, "money_test.yaml": text})
    assert found == [f"money_test.yaml {each}" for each in case["problems"]]


def test_faults_of_policies_and_of_tests_are_told_together(run: Callable[..., Any]) -> None:
    files = {
        "money.yaml": POLICY.replace("arguments.amount", "arguments.amonut"),
        "money_test.yaml": TEST.replace("name: a", "name: a, given: b"),
    }
    assert problems_of(run, files) == [
        "money.yaml 7:60 unknown argument `amonut` of `pay`; did you mean `amount`?",
        "money_test.yaml 3:26 unknown fixture `b`",
    ]


def test_a_policy_in_a_file_of_tests_is_told_once(run: Callable[..., Any]) -> None:
    text = "version: 1\npolicy: p\ntests: t\ncases: [{name: a, action: {tool: pay}}]"
    (problem,) = problems_of(run, {"money.yaml": POLICY, "a_test.yaml": text})
    assert problem.startswith("a_test.yaml 2:1 a policy in a file named as a test")


def test_a_test_file_that_is_no_map_is_refused(run: Callable[..., Any]) -> None:
    found = problems_of(run, {"money.yaml": POLICY, "a_test.yaml": "[1]"})
    assert found == [
        "a_test.yaml 1:1 a test file is a map that begins with `version: 1`, not a list"
    ]


def test_a_test_file_that_is_no_text_is_refused(run: Callable[..., Any]) -> None:
    found = problems_of(run, {"money.yaml": POLICY, "a_test.yaml": "a: [1"})
    assert len(found) == 1
    assert found[0].startswith("a_test.yaml 2:1 the file ends too soon")


def test_a_test_file_that_is_not_utf_8_is_refused(run: Callable[..., Any]) -> None:
    files: dict[str, Any] = {"money.yaml": POLICY}
    folder = folder_of({**files, "a_test.yaml": b"version: \xff"})
    suites, problems = read_suites(folder.tests, None)
    assert suites == ()
    assert [each.message for each in problems] == ["byte 0xff is not UTF-8; save the file as UTF-8"]


def test_tests_without_policies_are_refused(run: Callable[..., Any]) -> None:
    assert problems_of(run, {"a_test.yaml": TEST}) == [
        "policies there are tests here and no policies; name the folder of both"
    ]


def test_no_test_is_an_error(run: Callable[..., Any]) -> None:
    with pytest.raises(NothingTested, match="there is no test here; tests stand beside"):
        run({"money.yaml": POLICY})


def test_no_test_of_the_names_asked_for_is_an_error(run: Callable[..., Any]) -> None:
    with pytest.raises(NothingTested, match="none of 1 cases has `large` in its name"):
        run({"money.yaml": POLICY, "a_test.yaml": TEST}, names=("large",))


def test_no_rule_to_cover_is_an_error(run: Callable[..., Any]) -> None:
    with pytest.raises(NothingTested, match="there is no rule to cover"):
        run({"p.yaml": "version: 1\npolicy: p", "a_test.yaml": TEST}, coverage=True)
