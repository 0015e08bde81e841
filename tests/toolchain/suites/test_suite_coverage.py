"""Coverage tells which rules and branches no test has reached."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from guardrails.toolchain.lines import plain
from guardrails.toolchain.suites.lcov import write_lcov
from guardrails.toolchain.suites.report_text import tell_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.toolchain.suites.report import Report

CASES = yaml.safe_load((Path(__file__).parent / "coverage.yaml").read_text("utf-8"))


def files(rule: dict[str, Any], tried: list[dict[str, Any]]) -> dict[str, str]:
    policy = {
        "version": 1,
        "policy": "p",
        "rules": [{"id": "r", "effect": "allow", "tools": "t", **rule}],
    }
    cases = [
        {
            "name": f"case {number}",
            "action": {"tool": "t", "arguments": arguments, "subject": {"id": "agent"}},
            "rules": [],
        }
        for number, arguments in enumerate(tried)
    ]
    test = {"version": 1, "tests": "t", "cases": cases}
    return {"p.yaml": json.dumps(policy), "p_test.yaml": json.dumps(test)}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_what_no_test_reached_is_told(case: dict[str, Any], run: Callable[..., Report]) -> None:
    coverage = run(files(case["rule"], case["tried"]), coverage=True).coverage
    assert coverage is not None
    assert list(coverage.rules[0].missing) == case["missing"]
    assert [coverage.branches_reached, coverage.branches] == case["branches"]


def test_watching_changes_no_decision(run: Callable[..., Report]) -> None:
    for folder in ("failing", "session"):
        bare, watched = run(folder), run(folder, coverage=True)
        assert [each.steps for each in bare.results] == [
            tuple(step for step in each.steps) for each in watched.results
        ]


@pytest.mark.parametrize(("threshold", "code"), [(66.6, 0), (66.7, 1), (100, 1), (0, 0)])
def test_below_the_threshold_the_run_fails(
    threshold: float, code: int, run: Callable[..., Report]
) -> None:
    policies = files({"when": "arguments.b"}, [{"b": True}])
    policies["p_test.yaml"] = policies["p_test.yaml"].replace('"rules": []', '"expect": "allow"')
    report = run(policies, threshold=threshold)
    assert report.coverage is not None
    assert report.coverage.percent == 66.6  # of the rule and two branches one was not taken
    assert report.exit_code == code
    told = plain(tell_report(report))
    assert ("below the threshold" in told) is bool(code)
    assert "coverage: 66.6%, 1 of 1 rules matched, 1 of 2 branches taken" in told


def test_coverage_as_lcov_counts_rules_branches_and_lines(run: Callable[..., Report]) -> None:
    text = """\
version: 1
policy: p
rules:
  - id: one
    effect: deny
    tools: t
    when: >-
      arguments.a > 1
      && arguments.b
    unless:
      - {reason: never, expires: 2099-01-01, subjects: {ids: [x]}}
  - {id: two, effect: allow, tools: u}
"""
    test = """\
version: 1
tests: t
cases:
  - name: a
    matrix: {b: [true, false]}
    action: {tool: t, arguments: {a: 2, b: $b}, subject: {id: agent}}
"""
    coverage = run({"p.yaml": text, "p_test.yaml": test}, coverage=True).coverage
    assert coverage is not None
    assert write_lcov(coverage).splitlines() == [
        "TN:",
        "SF:p.yaml",
        "FN:4,p/one",
        "FN:12,p/two",
        "FNDA:1,p/one",
        "FNDA:0,p/two",
        "FNF:2",
        "FNH:1",
        "BRDA:8,0,0,1",
        "BRDA:8,0,1,1",
        "BRDA:8,1,0,2",
        "BRDA:8,1,1,0",
        "BRDA:9,2,0,1",
        "BRDA:9,2,1,1",
        "BRDA:11,3,0,-",
        "BRF:7",
        "BRH:5",
        "DA:4,1",
        "DA:8,2",
        "DA:9,2",
        "DA:11,0",
        "DA:12,0",
        "LF:5",
        "LH:3",
        "end_of_record",
    ]
