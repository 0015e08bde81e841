"""Suites are run by the engine itself, and what fails is told with its reasons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.toolchain.lines import plain
from guardrails.toolchain.suites.report_text import tell_report
from guardrails.toolchain.suites.run import EXPLAINED

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.toolchain.suites.report import Report

FOLDERS = Path(__file__).parent / "folders"
POLICY = """\
version: 1
policy: money
tools:
  pay: {traits: [spend], arguments: {to: {type: string}, amount: {type: number}}}
rules:
  - {id: small, effect: allow, tools: pay, when: arguments.amount < 10}
"""
SAY, IF = "say `code", "if that is meant"


def suite(cases: str) -> dict[str, str]:
    return {"money.yaml": POLICY, "money_test.yaml": f"version: 1\ntests: money\ncases:\n{cases}"}


def test_sessions_times_and_fixtures_mean_what_they_mean_under_a_guard(
    run: Callable[..., Report],
) -> None:
    report = run("session")
    assert [each.case.title for each in report.failures] == []
    assert len(report.results) == 17
    assert report.exit_code == 0


def test_each_way_to_fail_is_told_with_what_decided_and_its_values(
    run: Callable[..., Report],
) -> None:
    report = run("failing")
    told = plain(tell_report(report)).replace(f"{FOLDERS / 'failing'}/", "")
    assert told == (FOLDERS / "failing.txt").read_text("utf-8")
    assert report.exit_code == 1


def test_steps_after_one_that_failed_are_not_run(run: Callable[..., Report]) -> None:
    last = run("failing").results[-1]
    assert [bool(step.mismatches) for step in last.steps] == [False, True]


def test_every_combination_is_a_case_whose_name_shows_it(run: Callable[..., Report]) -> None:
    report = run(
        suite("""\
  - name: all
    matrix: {amount: [1, 2.5], to: [ACME, ""], more: [null, {a: [1]}]}
    action: {tool: pay, arguments: {amount: $amount, to: "$to, ${to} $$to $5", more: $more}}
""")
    )
    assert [each.case.name for each in report.results][:3] == [
        "all [amount=1, to=ACME, more=null]",
        'all [amount=1, to=ACME, more={"a": [1]}]',
        'all [amount=1, to="", more=null]',
    ]
    assert len(report.results) == 8
    arguments = [each.case.steps[0].action.arguments for each in report.results]
    assert arguments[0] == {"amount": 1, "to": "ACME, ACME $to $5", "more": None}
    assert arguments[5] == {"amount": 2.5, "to": "ACME, ACME $to $5", "more": {"a": [1]}}


def test_the_value_of_a_placeholder_is_no_template(run: Callable[..., Report]) -> None:
    report = run(
        suite("""\
  - name: once
    matrix: {a: [$b, x], b: [y]}
    action: {tool: pay, arguments: {to: $a, amount: $b}}
""")
    )
    assert report.results[0].case.steps[0].action.arguments == {"to": "$b", "amount": "y"}


def test_without_a_matrix_a_dollar_is_a_dollar(run: Callable[..., Report]) -> None:
    report = run(suite("  - {name: a, action: {tool: pay, arguments: {to: $HOME $$}}}\n"))
    assert report.results[0].case.steps[0].action.arguments == {"to": "$HOME $$"}


def test_a_matrix_may_stand_for_fixtures_rules_times_and_steps(
    run: Callable[..., Report],
) -> None:
    report = run(
        suite("""\
  - name: all
    matrix: {who: [clerk], rule: [money/small], when: ["2026-06-01T10:00:00Z"], what: [allow]}
    given: $who
    now: $when
    steps: [{action: {tool: pay}, expect: $what, rules: [$rule]}]
fixtures: {clerk: {arguments: {amount: 1}}}
""")
    )
    assert report.exit_code == 0
    assert report.results[0].case.steps[0].now_ns == 1_780_308_000_000_000_000


@pytest.mark.parametrize(
    ("action", "more", "remark"),
    [
        (
            "{tool: pay, arguments: {b: 1}}",
            "",
            f"denied as `invalid_arguments` (unknown argument `b`); {SAY}: invalid_arguments` {IF}",
        ),
        ("{tool: pya}", "", f"denied as `undeclared`; {SAY}: undeclared` {IF}"),
        ("{tool: pya}", ", code: undeclared", ""),
        ("{tool: pya}", ", rules: []", ""),
        ("{tool: pay, arguments: {amount: 11}}", "", ""),
    ],
)
def test_a_denial_that_a_slip_could_have_made_is_remarked(
    action: str, more: str, remark: str, run: Callable[..., Report]
) -> None:
    report = run(suite(f"  - {{name: a, action: {action}{more}}}\n"))
    (step,) = report.results[0].steps
    assert step.remark == remark
    assert ("NOTE  money: a" in plain(tell_report(report))) is bool(remark)
    assert report.exit_code == 0


def test_of_many_remarks_the_rest_is_counted(run: Callable[..., Report]) -> None:
    numbers = ", ".join(map(str, range(25)))
    cases = f"  - {{name: a, matrix: {{x: [{numbers}]}}, action: {{tool: t.$x}}}}\n"
    assert "and 5 notes more" in plain(tell_report(run(suite(cases))))


def test_of_many_failures_the_first_are_explained(run: Callable[..., Report]) -> None:
    numbers = ", ".join(map(str, range(EXPLAINED + 5)))
    arguments = "{amount: 20, to: t$x}"
    cases = f"""\
  - name: a
    matrix: {{x: [{numbers}]}}
    action: {{tool: pay, arguments: {arguments}}}
    expect: allow
"""
    report = run(suite(cases))
    explained = [each.failure for each in report.failures]
    assert len(explained) == EXPLAINED + 5
    assert sum(each is not None and each.explanation is not None for each in explained) == EXPLAINED
    assert "FAIL  money: a [x=104]" in plain(tell_report(report))


def test_without_a_time_it_is_now(run: Callable[..., Report]) -> None:
    policy = POLICY.replace("arguments.amount < 10", 'now < timestamp("2026-06-01T10:00:01Z")')
    files = {**suite("  - {name: a, action: {tool: pay}, expect: allow}\n"), "money.yaml": policy}
    assert run(files).exit_code == 0


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ((), ["one", "two", "three"]),
        (("TW",), ["two"]),
        (("money: o", "thr"), ["one", "three"]),
    ],
)
def test_cases_are_chosen_by_parts_of_their_titles(
    names: tuple[str, ...], chosen: list[str], run: Callable[..., Report]
) -> None:
    cases = "".join(
        f"  - {{name: {name}, action: {{tool: pay}}}}\n" for name in ("one", "two", "three")
    )
    assert [each.case.name for each in run(suite(cases), names=names).results] == chosen


def test_suites_of_several_folders_are_all_run(run: Callable[..., Report]) -> None:
    files: dict[str, Any] = suite("  - {name: a, action: {tool: pay}}\n")
    files["deep/er/x_test.yml"] = files["money_test.yaml"].replace("money", "deep")
    assert [each.case.title for each in run(files).results] == ["deep: a", "money: a"]
