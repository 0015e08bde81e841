"""Rules `test_` of `*_test.rego` are tests like the cases in YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import fromstring

import pytest

from guardrails.errors import PolicyError
from guardrails.toolchain.lines import plain
from guardrails.toolchain.suites import rego
from guardrails.toolchain.suites.junit import write_junit
from guardrails.toolchain.suites.lcov import write_lcov
from guardrails.toolchain.suites.report_text import tell_report
from guardrails.toolchain.suites.tester import NothingTested

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.toolchain.suites.report import Report

    Run = Callable[..., Report]

PAY = """\
# METADATA
# custom:
#   tools: [pay]
package guardrails.pay

import data.lib

allow if {
	input.arguments.amount <= data.limits.small
	lib.known(input.arguments.to)
}

deny contains "Only known suppliers are paid." if not lib.known(input.arguments.to)

escalate if input.arguments.amount > data.limits.small
"""
LIB = """\
package lib

known(x) if x in {"ACME", "Initech"}
"""
FILES = {"pay.rego": PAY, "lib.rego": LIB, "limits/data.json": '{"small": 500}'}
YAML = """\
version: 1
tests: pay
cases:
  - {name: small, action: {tool: pay, arguments: {to: ACME, amount: 3}}, expect: allow}
"""


def with_tests(body: str, package: str = "guardrails.pay_test") -> dict[str, str]:
    head = f"package {package}\n\nimport data.guardrails.pay\n\n"
    return {**FILES, "pay_test.rego": head + body}


def outcomes(report: Report) -> dict[str, tuple[str, str]]:
    return {each.test.name: (each.outcome, each.reason) for each in report.in_rego}


def test_a_test_passes_where_it_is_true_and_fails_otherwise(run: Run) -> None:
    report = run(
        with_tests("""\
test_true if pay.allow with input as {"arguments": {"to": "ACME", "amount": 3}}
test_false := false
test_undefined if pay.allow with input as {"arguments": {"to": "Evil", "amount": 3}}
test_text := "yes"
test_zero if 1 / (count(data.limits) - 1) > 1
test_two := x if { some x in [1, 2] }
todo_test_later if false
helper if true
""")
    )
    undefined = "it is undefined: something in it is false or has no value"
    assert outcomes(report) == {
        "test_true": ("passed", ""),
        "test_false": ("failed", "it is false"),
        "test_undefined": ("failed", undefined),
        "test_text": ("failed", "its value is neither true nor false"),
        "test_zero": ("failed", "it is an error: divide by zero at pay_test.rego:9:16"),
        "test_two": (
            "failed",
            "it is an error: rules must not produce multiple outputs at pay_test.rego:10:1",
        ),
        "todo_test_later": ("skipped", ""),
    }
    assert report.exit_code == 1


def test_failing_and_skipped_tests_are_told_with_their_places(run: Run) -> None:
    report = run(
        with_tests("""\
test_print if {
	print("amount is", 3)
	1 > 2
}

todo_test_later if false
""")
    )
    assert plain(tell_report(report)) == (
        "FAIL  guardrails.pay_test.test_print  pay_test.rego:5:1\n"
        "  it is undefined: something in it is false or has no value\n"
        "  printed: pay_test.rego:6: amount is 3\n"
        "\n"
        "SKIPPED  guardrails.pay_test.todo_test_later  pay_test.rego:10:1\n"
        "\n"
        "2 cases: 0 passed, 1 failed, 1 skipped\n"
    )
    told = report.as_json()
    assert (told["passed"], told["failed"], told["skipped"]) == (0, 1, 1)
    assert told["rego"][0] == {
        "package": "guardrails.pay_test",
        "name": "test_print",
        "place": {"path": "pay_test.rego", "line": 5, "column": 1},
        "outcome": "failed",
        "reason": "it is undefined: something in it is false or has no value",
        "prints": ["pay_test.rego:6: amount is 3"],
    }
    (suite,) = fromstring(write_junit(report))
    assert (suite.get("name"), suite.get("tests")) == ("guardrails.pay_test", "2")
    assert (suite.get("failures"), suite.get("skipped")) == ("1", "1")


def test_tests_in_rego_and_in_yaml_are_counted_together(run: Run) -> None:
    files = with_tests('test_no if not pay.allow with input as {"arguments": {"to": "Evil"}}')
    report = run({**files, "pay_test.yaml": YAML})
    assert plain(tell_report(report)) == "2 cases: 2 passed\n"
    assert report.exit_code == 0


def test_tests_may_share_the_package_that_they_test(run: Run) -> None:
    body = 'package guardrails.pay\n\ntest_deny if count(deny) == 1 with input as {"arguments": {}}'
    report = run({**FILES, "pay_test.rego": body})
    assert outcomes(report) == {"test_deny": ("passed", "")}


def test_a_filter_chooses_by_package_and_name(run: Run) -> None:
    files = {**with_tests("test_one if true\ntest_two if true"), "pay_test.yaml": YAML}
    assert list(outcomes(run(files, names=("pay_test.TEST_ONE",)))) == ["test_one"]
    only_yaml = run(files, names=("pay: small",))
    assert (len(only_yaml.results), only_yaml.in_rego) == (1, ())
    with pytest.raises(NothingTested, match=r"none of 3 cases has `three` in its name"):
        run(files, names=("three",))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("helper if true", "there is no test here; tests stand beside the policies"),
        ("todo_test_x if true", "every test is skipped, being a `todo_`"),
    ],
)
def test_without_a_test_that_runs_nothing_is_tested(body: str, message: str, run: Run) -> None:
    with pytest.raises(NothingTested, match=message):
        run(with_tests(body))


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        ("test_x if {", (5, 12), "expecting"),
        ("test_x(y) if y", (5, 1), "`test_x` is no test: one is a rule that is true"),
        ("test_x contains 1 if true", (5, 1), "`test_x` is no test"),
        ("test_x[y] if { some y in [1] }", (5, 1), "`test_x` is no test"),
        ("test_x if not opa.runtime().env", (5, 15), "`opa.runtime` can't be used here"),
        ("test_x if test_y\ntest_y if test_x", (5, 1), "recursion"),
    ],
)
def test_what_is_no_test_is_refused_with_its_place(
    body: str, place: tuple[int, int], message: str, run: Run
) -> None:
    with pytest.raises(PolicyError) as caught:
        run(with_tests(body))
    (problem,) = caught.value.problems
    assert problem.path == "pay_test.rego"
    assert (problem.line, problem.column) == place
    assert message in problem.message


def test_data_in_the_place_of_the_tests_is_refused(run: Run) -> None:
    files = {**with_tests("test_x if true", "limits"), "pay_test.yaml": YAML}
    with pytest.raises(PolicyError, match=r"a data file has what this package would") as caught:
        run(files)
    assert caught.value.problems[0].place == "pay_test.rego:1:1"


def test_a_rule_of_a_policy_that_only_tests_have_is_refused(run: Run) -> None:
    with pytest.raises(PolicyError) as caught:
        run({**FILES, "pay_test.rego": "package guardrails.pay\n\ndeny if true\n"})
    (problem,) = caught.value.problems
    assert problem.place == "pay_test.rego:3:1"
    assert "`deny` in a file named as a test would never be in force" in problem.message


def test_a_test_that_never_ends_fails_and_the_next_one_runs(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rego, "TIME_LIMIT", 0.3)
    lines = (f"some {name} in numbers.range(1, 3000)" for name in "abcd")
    endless = "\n\t".join(("test_endless if {", *lines, "a + b + c + d < 0"))
    report = run(with_tests(f"{endless}\n}}\n\ntest_next if true\n"))
    assert outcomes(report) == {
        "test_endless": ("failed", "Rego took longer than 300 ms"),
        "test_next": ("passed", ""),
    }


def test_lines_are_counted_that_tests_in_rego_ask_for(run: Run) -> None:
    body = 'test_small if pay.allow with input as {"arguments": {"to": "ACME", "amount": 3}}'
    report = run(with_tests(body), coverage=True)
    assert report.coverage is not None
    assert [(each.path, dict(each.lines)) for each in report.coverage.modules] == [
        ("lib.rego", {3: 1}),
        ("pay.rego", {9: 1, 10: 1, 13: 0, 15: 0}),
    ]
    assert plain(tell_report(report)) == (
        "1 case: 1 passed\n"
        "\n"
        "NOT REACHED  pay.rego\n"
        "  lines 13, 15\n"
        "\n"
        "coverage: 60%, 3 of 5 lines of Rego reached\n"
    )
    told = report.as_json()["coverage"]
    assert told["lines"] == {"reached": 3, "all": 5}
    assert told["by_module"][1] == {
        "path": "pay.rego",
        "lines": {"reached": 2, "all": 4},
        "missed": [13, 15],
    }


def test_lines_are_counted_that_decisions_evaluate(run: Run) -> None:
    report = run({**FILES, "pay_test.yaml": YAML}, coverage=True, threshold=100.0)
    assert report.coverage is not None
    assert {each.path: each.missed for each in report.coverage.modules} == {
        "lib.rego": (),
        "pay.rego": (),
    }
    assert report.coverage.percent == 100
    assert report.exit_code == 0


def test_too_few_lines_are_below_the_threshold(run: Run) -> None:
    files = with_tests('test_deny if pay.deny with input as {"arguments": {"to": "Evil"}}')
    report = run(files, threshold=90.0)
    assert report.below_threshold
    assert report.exit_code == 1
    (_, coverage) = fromstring(write_junit(report))
    failure = coverage.find("testcase/failure")
    assert failure is not None
    assert failure.text == "pay.rego: lines 9-10, 15"


def test_the_tracefile_holds_the_lines_of_modules(run: Run) -> None:
    report = run({**FILES, "pay_test.yaml": YAML}, coverage=True)
    assert report.coverage is not None
    assert write_lcov(report.coverage) == (
        "TN:\nSF:lib.rego\nDA:3,1\nLF:1\nLH:1\nend_of_record\n"
        "TN:\nSF:pay.rego\nDA:9,1\nDA:10,1\nDA:13,1\nDA:15,1\nLF:4\nLH:4\nend_of_record\n"
    )


def test_rules_of_yaml_and_lines_of_rego_make_one_coverage(run: Run) -> None:
    policy = "version: 1\npolicy: p\nrules: [{id: a, effect: deny, tools: never}]\n"
    report = run({**FILES, "p.yaml": policy, "pay_test.yaml": YAML}, coverage=True)
    assert report.coverage is not None
    told = plain(tell_report(report)).splitlines()[-1]
    assert told == "coverage: 83.3%, 0 of 1 rules matched, 5 of 5 lines of Rego reached"


def test_modules_are_not_mutated_and_that_is_said(run: Run) -> None:
    report: Any = run({**FILES, "pay_test.yaml": YAML}, mutate=True)
    assert report.mutation.tried == 0
    assert report.mutation.unchanged == ("pay.rego",)
    assert report.as_json()["mutation"]["not_mutated"] == ["pay.rego"]
    assert plain(tell_report(report)).splitlines()[-1] == (
        "rego: modules are not mutated; --coverage tells their lines"
    )
    assert report.exit_code == 0


def test_a_case_in_yaml_may_name_the_id_of_a_result(run: Run) -> None:
    rego = 'package guardrails.pay\n\ndeny contains {"id": "large"} if input.arguments.amount > 5\n'
    test = """\
version: 1
tests: pay
cases: [{name: large, action: {tool: pay, arguments: {amount: 9}}, rules: [pay/large]}]
"""
    assert run({"pay.rego": rego, "pay_test.yaml": test}).failures == ()
    with pytest.raises(PolicyError, match="unknown rule `paid/large`"):
        run({"pay.rego": rego, "pay_test.yaml": test.replace("pay/large", "paid/large")})
