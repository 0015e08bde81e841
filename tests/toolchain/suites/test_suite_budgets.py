"""Budgets in tests of policies: the steps of a case spend, every case begins with nothing spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.action import Action, SessionView, Subject
from guardrails.budgets import MemoryLedger
from guardrails.engine import Facts
from guardrails.testing import policies_over
from guardrails.toolchain.case import read_case
from guardrails.toolchain.explain import explain
from guardrails.toolchain.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.toolchain.suites.report import Report

    Run = Callable[..., Report]

POLICY = """
    version: 1
    policy: p
    tools:
      pay: {traits: [spend], arguments: {amount: {type: number}}, required: [amount]}
    rules:
      - {id: any, effect: allow, tools: pay}
      - id: cap
        effect: deny
        tools: pay
        budget:
          {limit: 1000, cost: arguments.amount, per: 24h, scope: subject, give_back: on_failure}
"""
TESTS = """
    version: 1
    tests: p
    now: 2026-06-01T10:00:00Z
    fixtures:
      dana: {subject: {id: dana}}
      erik: {subject: {id: erik}}
    cases:
      - name: the limit may be reached
        given: dana
        steps:
          - {action: {tool: pay, arguments: {amount: 900}}, expect: allow}
          - {action: {tool: pay, arguments: {amount: 101}}, rules: [p/any, p/cap]}
          - {action: {tool: pay, arguments: {amount: 100}}, expect: allow}
      - name: a day later it is as if nothing had been
        given: dana
        steps:
          - {action: {tool: pay, arguments: {amount: 1000}}, expect: allow}
          - {action: {tool: pay, arguments: {amount: 1000}}, now: 2026-06-02T09:59:59Z}
          - action: {tool: pay, arguments: {amount: 1000}}
            now: 2026-06-02T10:00:00Z
            expect: allow
      - name: what failed is given back
        given: dana
        steps:
          - {action: {tool: pay, arguments: {amount: 1000}}, expect: allow, fails: true}
          - {action: {tool: pay, arguments: {amount: 1000}}, expect: allow}
      - name: others have their own
        steps:
          - {given: dana, action: {tool: pay, arguments: {amount: 1000}}, expect: allow}
          - {given: erik, action: {tool: pay, arguments: {amount: 1000}}, expect: allow}
      - name: not a unit more
        given: dana
        action: {tool: pay, arguments: {amount: 1000.000001}}
"""


def test_the_steps_of_a_case_share_what_is_spent(run: Run) -> None:
    report = run({"p.yaml": POLICY, "p_test.yaml": TESTS})
    assert [each.case.name for each in report.results if each.failure] == []
    assert len(report.results) == 5


def test_tests_notice_every_change_of_a_budget(run: Run) -> None:
    report = run({"p.yaml": POLICY, "p_test.yaml": TESTS}, mutate=True)
    assert report.mutation is not None
    assert [each.change for each in report.mutation.survivors] == []


def test_tests_that_never_spend_notice_no_change_of_a_limit(run: Run) -> None:
    tests = TESTS[: TESTS.index("      - name: a day later")]
    report = run({"p.yaml": POLICY, "p_test.yaml": tests}, mutate=True)
    assert report.mutation is not None
    assert [each.change for each in report.mutation.survivors] == [
        "`per: 24h` was dropped",
        "`subject` was dropped from `scope`",
        "`give_back: on_failure` was dropped",
    ]


def budget_part(amount: float, spent: float | None, policy: str = POLICY) -> tuple[object, str]:
    policies = policies_over(policy)
    view = SessionView("s-1", frozenset(), (Subject("dana"),))
    now = 1_780_308_000_000_000_000
    facts = Facts(now, None, view)
    if spent is not None:
        ledger = MemoryLedger()
        facts = facts._replace(spending=ledger)
        case = read_case(policies, Action("pay", {"amount": spent}), facts)
        ledger.reserve(case.plan.charges(case.values, case.circumstances), now)
    told = explain(policies, Action("pay", {"amount": amount}), facts)
    (rule,) = (each for each in told.rules if each.rule.name == "p/cap")
    (part,) = (each for each in rule.parts if each.key == "budget")
    return part.holds, part.why


def test_an_explanation_tells_what_is_spent_and_what_the_call_costs() -> None:
    told = "spent 800 of 1,000 in the last 24h, this call costs 200.5"
    assert budget_part(200.5, 800) == (True, told)
    told = "spent 800 of 1,000 in this week (Europe/Berlin), this call costs 200"
    weekly = POLICY.replace("per: 24h", "per: {week: Europe/Berlin}")
    assert budget_part(200, 800, weekly) == (False, told)
    told = "spent 0 of 1,000, this call costs 1"
    assert budget_part(1, 0, POLICY.replace("per: 24h, ", "")) == (False, told)


def test_an_explanation_tells_where_that_is_unknown() -> None:
    assert budget_part(1, None) == (None, "error: what has been spent is unknown")
    assert budget_part(-1, 0) == (None, "error: the cost is negative")


def test_a_replayed_trace_spends() -> None:
    replay = Replay(policies_over(POLICY), now_ns=1)
    line = b'{"session": "s", "tool": "pay", "arguments": {"amount": 600}, "subject": {"id": "d"}}'
    effects = [replay.judge_line(line) for _ in range(2)]
    assert [str(each.decision.effect) for each in effects if each] == ["allow", "deny"]
