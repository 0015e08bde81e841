"""What a test may expect beside effect and rules: a suspension, errors, and other sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.toolchain.lines import plain
from guardrails.toolchain.suites.report_text import tell_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.toolchain.suites.report import Report

    Run = Callable[..., Report]

POLICY = """
    version: 1
    policy: p
    tools:
      pay: {traits: [spend], arguments: {amount: {type: number}}, returns: [paid]}
    rules:
      - {id: any, effect: allow, tools: pay}
      - {id: much, effect: deny, tools: pay, when: arguments.amount > 10, on_match: suspend}
      - {id: watched, effect: deny, tools: pay, when: arguments.amount > 10, on_match: suspend,
         mode: observe, expires: "2099-01-01"}
      - {id: again, effect: deny, tools: pay, when: 'calls("pay") > 1'}
      - {id: cap, effect: deny, tools: pay, budget: {limit: 3, scope: subject}}
      - {id: task, effect: deny, tools: pay, budget: {limit: 2, scope: session}}
"""
HEAD = """
    version: 1
    tests: p
    now: 2026-06-01T10:00:00Z
    fixtures:
      dana: {subject: {id: dana}, session: {id: s-1}, arguments: {amount: 1}}
    cases:
"""


def failures(run: Run, *cases: str) -> list[str]:
    text = HEAD + "".join(f"      - {case}\n" for case in cases)
    report = run({"p.yaml": POLICY, "p_test.yaml": text})
    assert len(report.results) == len(cases)
    told = plain(tell_report(report))
    return [line.strip() for line in told.splitlines() if line.startswith(("FAIL", "  suspends"))]


def test_a_suspension_is_expected_or_not(run: Run) -> None:
    pay = "given: dana, action: {tool: pay"
    assert (
        failures(
            run,
            f"{{name: stopped, {pay}, arguments: {{amount: 11}}}}, suspends: true}}",
            f"{{name: not stopped, {pay}}}, expect: allow, suspends: false}}",
        )
        == []
    ), "as it is"
    (failed, why) = failures(
        run, f"{{name: stopped, {pay}, arguments: {{amount: 11}}}}, suspends: false}}"
    )
    assert failed.startswith("FAIL  p: stopped")
    assert why.split() == ["suspends", "expected", "false"]


def test_a_rule_that_failed_suspends_nobody(run: Run) -> None:
    steps = (
        "[{action: {tool: pay, subject: {id: dana}}, suspends: false, errors: [p/much, p/watched]}]"
    )
    assert failures(run, f"{{name: failed, steps: {steps}}}") == []


def test_errors_are_exactly_the_rules_of_which_a_condition_fails(run: Run) -> None:
    case = "{name: errors, action: {tool: pay, subject: {id: dana}, arguments: {amount: 11}}"
    outside = "[p/again, p/task]"
    assert failures(run, f"{case}, errors: {outside}}}") == []
    assert len(failures(run, f"{case}, errors: []}}")) == 1
    assert len(failures(run, f"{case}, errors: [p/again]}}")) == 1


def test_a_step_may_be_in_a_session_of_its_own(run: Run) -> None:
    pay = "action: {tool: pay}"
    other = "action: {tool: pay, subject: {id: erik}}"
    steps = ", ".join(
        (
            f"{{{pay}, expect: allow}}",
            f"{{session: s-2, {pay}, expect: allow}}",
            f"{{session: s-2, now: '2026-06-01T10:00:01Z', {pay}, expect: allow}}",
            f"{{session: s-2, {pay}, rules: [p/again, p/any, p/cap, p/task]}}",
            f"{{session: s-1, {pay}, rules: [p/any, p/cap]}}",
            f"{{session: s-3, {other}, expect: allow, rules: [p/any]}}",
        )
    )
    assert failures(run, f"{{name: sessions, given: dana, steps: [{steps}]}}") == []


def test_mutants_are_judged_by_the_session_as_it_was_at_the_step(run: Run) -> None:
    rule = """{id: probing, effect: deny, tools: pay, when: 'denials("pay") > 0'}"""
    policy = POLICY[: POLICY.index("      - {id: watched")] + f"      - {rule}\n"
    steps = """[{action: {tool: pay, arguments: {amount: 11}}, rules: [p/any, p/much]},
        {action: {tool: pay},
        rules: [p/any, p/probing]}]"""
    text = f"{HEAD}      - {{name: twice, given: dana, steps: {steps}}}\n"
    report = run({"p.yaml": policy, "p_test.yaml": text}, mutate=True)
    assert report.mutation is not None
    left = {each.change for each in report.mutation.survivors if each.name == "p/probing"}
    assert left == set()


def test_a_suspension_that_no_test_expects_is_told(run: Run) -> None:
    case = "{name: much, given: dana, action: {tool: pay, arguments: {amount: 11}}"
    for more, survives in (("", True), (", suspends: true", False)):
        text = f"{HEAD}      - {case}{more}}}\n"
        report = run({"p.yaml": POLICY, "p_test.yaml": text}, mutate=True)
        assert report.mutation is not None
        left = {each.change for each in report.mutation.survivors if each.name == "p/much"}
        assert ("`on_match: suspend` was dropped" in left) is survives
