"""Suites that name the policies they are judged by: others beside them change nothing."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from guardrails.errors import PolicyError
from guardrails.language.folder import read_folder
from guardrails.toolchain.suites.tester import Asked, run_tests

if TYPE_CHECKING:
    from pathlib import Path

    from guardrails.toolchain.suites.report import Report

NOTES = """
version: 1
policy: notes
tools: {note: {traits: [write], arguments: {text: {type: string}}}}
rules: [{id: keep, effect: allow, tools: note, when: arguments.text != ""}]
"""
FREEZE = """
version: 1
policy: freeze
rules: [{id: all, effect: deny, traits: [write]}]
"""
TESTS = """
version: 1
tests: notes
policies: [%s]
cases:
  - {name: kept, action: {tool: note, arguments: {text: a}}, expect: allow, rules: [notes/keep]}
  - {name: empty, action: {tool: note, arguments: {text: ""}}, rules: []}
"""


def run(folder: Path, named: str, *, mutate: bool = False) -> Report:
    for name, text in (("a.yaml", NOTES), ("b.yaml", FREEZE), ("a_test.yaml", TESTS % named)):
        (folder / name).write_text(text)
    asked = Asked(coverage=True, mutate=mutate)
    return run_tests(
        read_folder(folder), "policies", asked, 0, lambda _: nullcontext(lambda _done, _of: None)
    )


def test_a_suite_is_judged_by_the_policies_it_names(tmp_path: Path) -> None:
    assert not run(tmp_path, "notes").failures
    assert [each.case.name for each in run(tmp_path, "notes, freeze").failures] == ["kept", "empty"]


def test_coverage_still_counts_the_rules_of_others(tmp_path: Path) -> None:
    coverage = run(tmp_path, "notes").coverage
    assert coverage is not None
    assert {each.rule.name: each.matched for each in coverage.rules} == {
        "notes/keep": 1,
        "freeze/all": 0,
    }


def test_what_no_suite_is_judged_by_no_test_holds(tmp_path: Path) -> None:
    mutation = run(tmp_path, "notes", mutate=True).mutation
    assert mutation is not None
    assert {mutant.name for mutant in mutation.survivors} >= {"freeze/all"}
    assert "notes/keep" not in {mutant.name for mutant in mutation.survivors}


def test_a_policy_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"a_test.yaml:4:12: unknown policy `note`; did you mean"):
        run(tmp_path, "note")
