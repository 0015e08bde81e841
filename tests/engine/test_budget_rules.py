"""What rules with budgets say of a call, given what has been spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardrails import Action, Effect, Subject
from guardrails.action import SessionView
from guardrails.budgets import MemoryLedger, Reservation
from guardrails.engine import Facts
from guardrails.engine.facts import Circumstances
from guardrails.errors import BudgetsUnavailable
from guardrails.instants import parse_timestamp
from guardrails.snapshot import take_snapshot
from guardrails.spending import UNITS, Charge
from guardrails.testing import policies_over

if TYPE_CHECKING:
    from guardrails.decision import Decision
    from guardrails.engine import PolicySet

POLICY = """
version: 1
policy: p
tools:
  pay:
    traits: [spend]
    arguments:
      to: {{type: string, pattern: "^[A-Z]+$"}}
      amount: {{type: number}}
      times: {{type: integer}}
rules:
  - {{id: any, effect: allow, tools: [pay, loose]}}
  - id: cap
    effect: deny
    tools: [pay]
    {terms}
"""
NOW = parse_timestamp("2026-11-24T10:00:00Z").ns
DANA, ERIK = Subject("dana", ["clerk"]), Subject("erik")


class Fixed:
    """Spending that is the same for every budget; `asked` are the charges it was asked about."""

    def __init__(self, spent: float) -> None:
        self._spent = int(spent * UNITS)
        self.asked: list[Charge] = []

    def spent(self, charge: Charge, now_ns: int) -> int:
        assert now_ns == NOW
        self.asked.append(charge)
        return self._spent


class Broken:
    """Spending that can't be told."""

    def spent(self, charge: Charge, now_ns: int) -> int:
        raise BudgetsUnavailable("the ledger of budgets can't be used: it is gone")


def policies(terms: str) -> PolicySet:
    return policies_over(POLICY.format(terms=terms))


def decide(
    rules: PolicySet,
    spending: Any,
    chain: tuple[Subject, ...] = (DANA,),
    tool: str = "pay",
    **arguments: Any,
) -> Decision:
    given = {"to": "ACME", "amount": 300.0} | arguments
    action = Action(tool, {key: value for key, value in given.items() if value is not None})
    view = SessionView("s-1", frozenset(), chain)
    return rules.decide(action, Facts(NOW, None, view, spending=spending))


def charges(
    rules: PolicySet,
    chain: tuple[Subject, ...] = (DANA,),
    now: str = "2026-11-24T10:00:00Z",
    **arguments: Any,
) -> tuple[Charge, ...]:
    given = {"to": "ACME", "amount": 300.0} | arguments
    view = SessionView("s-1", frozenset(), chain)
    circumstances = Circumstances(chain, {}, view, parse_timestamp(now).ns)
    return rules.charges(rules.plan("pay"), take_snapshot(given), circumstances)


def matched(decision: Decision) -> dict[str, str | None]:
    return {match.rule: match.error for match in decision.matches if match.rule != "p/any"}


@pytest.mark.parametrize(("spent", "effect"), [(4700, "allow"), (4700.000001, "deny")])
def test_a_call_that_would_pass_the_limit_is_matched(spent: float, effect: str) -> None:
    rules = policies("budget: {limit: 5000, cost: arguments.amount}")
    decision = decide(rules, Fixed(spent))
    assert str(decision.effect) == effect
    assert matched(decision) == ({} if effect == "allow" else {"p/cap": None})


@pytest.mark.parametrize(
    ("cost", "arguments", "error"),
    [
        ("arguments.amount", {"amount": -1.0}, "the cost is negative"),
        ("arguments.amount", {"amount": None}, "`arguments.amount` is missing"),
        ("arguments.amount / 0.0", {}, "the cost is not finite"),
        ("10 / arguments.times", {"times": 0}, "division by zero"),
        ("context.rate * 2.0", {}, "`context.rate` is missing"),
        ("context.rate", {}, "`context.rate` is missing"),
    ],
)
def test_a_cost_that_is_none_matches(cost: str, arguments: dict[str, Any], error: str) -> None:
    rules = policies(f"budget: {{limit: 5000, cost: {cost!r}}}")
    decision = decide(rules, Fixed(0), **arguments)
    assert decision.effect is Effect.DENY
    assert error in (matched(decision)["p/cap"] or "")
    assert charges(rules, **({"amount": 1} | arguments)) == ()


def test_where_nobody_knows_what_was_spent_the_rule_matches() -> None:
    rules = policies("budget: {limit: 5000}")
    assert matched(decide(rules, None)) == {"p/cap": "what has been spent is unknown"}
    error = "the ledger of budgets can't be used: it is gone"
    assert matched(decide(rules, Broken())) == {"p/cap": error}


def test_an_unknown_subject_matches_a_budget_of_each_subject() -> None:
    rules = policies("budget: {limit: 5000, scope: subject}")
    assert matched(decide(rules, Fixed(0), chain=())) == {"p/cap": "`subject` is unknown"}


@pytest.mark.parametrize(
    ("terms", "arguments", "concerned"),
    [
        ("when: arguments.amount > 100", {}, True),
        ("when: arguments.amount > 1000", {}, False),
        ("unless: arguments.amount < 1000", {}, False),
        ("subjects: {roles: [clerk]}", {}, True),
        ("subjects: {roles: [boss]}", {}, False),
    ],
)
def test_a_budget_is_of_the_calls_that_its_rule_concerns(
    terms: str, arguments: dict[str, Any], *, concerned: bool
) -> None:
    rules = policies(f"{terms}\n    budget: {{limit: 5}}")
    assert matched(decide(rules, Fixed(5), **arguments)) == ({"p/cap": None} if concerned else {})
    assert len(charges(rules, **arguments)) == concerned


def test_a_condition_that_fails_matches_and_the_call_is_charged_if_it_runs() -> None:
    rules = policies("when: arguments.times > 1\n    budget: {limit: 5}")
    assert "missing" in (matched(decide(rules, Fixed(0)))["p/cap"] or "")
    assert [charge.amount for charge in charges(rules)] == [UNITS]


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        ("", '["ever"]'),
        ("scope: subject", '["ever",["subject","dana"]]'),
        ("scope: [session, tool]", '["ever",["session","s-1"],["tool","pay"]]'),
        ("scope: task", '["ever",["task","s-1"]]'),
        ("scope: [subject.id, arguments.to]", '["ever",["str","dana"],["str","ACME"]]'),
        ("scope: arguments.times", '["ever",["int",2]]'),
        ("scope: '\"clerk\" in subject.roles'", '["ever",["bool",true]]'),
        ("scope: uint(arguments.times)", '["ever",["UInt",2]]'),
        ("per: 24h, scope: tool", '["rolling",["tool","pay"]]'),
        ("per: {week: Asia/Tokyo}", '["week Asia/Tokyo"]'),
    ],
)
def test_who_shares_a_budget_is_written_in_one_way(scope: str, key: str) -> None:
    rules = policies(f"budget: {{limit: 5, {scope}}}" if scope else "budget: {limit: 5}")
    (charge,) = charges(rules, times=2)
    assert charge.account == ("p/cap", key)


def test_budgets_of_a_session_say_so() -> None:
    (charge,) = charges(policies("budget: {limit: 5, scope: [tool, session]}"))
    assert charge.session == "s-1"
    (charge,) = charges(policies("budget: {limit: 5, scope: subject}"))
    assert charge.session == ""


def test_a_scope_that_is_no_text_or_whole_number_matches() -> None:
    rules = policies("budget: {limit: 5, scope: context.team}")
    action = Action("pay", {"to": "ACME"}, DANA, {"team": 1.5})
    decision = rules.decide(action, Facts(NOW, spending=Fixed(0)))
    error = "what shares the budget is neither text nor a whole number"
    assert matched(decision) == {"p/cap": error}


def test_an_argument_that_no_schema_pins_down_shares_out_no_budget() -> None:
    text = POLICY.format(terms="budget: {limit: 5, scope: arguments.to}")
    rules = policies_over(text.replace("tools: [pay]\n", "traits: [spend]\n"))
    decision = decide(rules, Fixed(0), tool="loose")
    assert matched(decision) == {"p/cap": "the schema doesn't say how `to` is written"}


@pytest.mark.parametrize(
    ("per", "begins", "last", "next_"),
    [
        ("hour", "2026-11-24T09:00:00Z", "2026-11-24T09:59:59Z", "2026-11-24T10:00:00Z"),
        ("day", "2026-11-23T23:00:00Z", "2026-11-24T22:59:59Z", "2026-11-24T23:00:00Z"),
        ("week", "2026-11-22T23:00:00Z", "2026-11-29T22:59:59Z", "2026-11-29T23:00:00Z"),
        ("month", "2026-10-31T23:00:00Z", "2026-11-30T22:59:59Z", "2026-11-30T23:00:00Z"),
        ("day", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"),  # 25 h
        ("hour", "2026-10-25T00:00:00Z", "2026-10-25T01:59:59Z", "2026-10-25T02:00:00Z"),  # twice
        ("month", "2026-11-30T23:00:00Z", "2026-12-31T22:59:59Z", "2026-12-31T23:00:00Z"),
    ],
)
def test_a_stretch_of_the_calendar_is_that_of_the_zone(
    per: str, begins: str, last: str, next_: str
) -> None:
    rules = policies(f"budget: {{limit: 5, per: {{{per}: Europe/Berlin}}}}")
    periods = [charges(rules, now=now)[0].period for now in (begins, last, next_)]
    assert periods[0] == periods[1] == periods[2] - 1


def test_each_member_of_a_delegation_spends_of_a_budget_of_its_own() -> None:
    rules = policies("budget: {limit: 5, scope: subject}")
    found = charges(rules, chain=(DANA, ERIK))
    assert [charge.scope for charge in found] == [
        '["ever",["subject","dana"]]',
        '["ever",["subject","erik"]]',
    ]
    ledger = MemoryLedger()
    for _ in range(5):
        assert isinstance(ledger.reserve(charges(rules, chain=(DANA,)), NOW), Reservation)
    assert decide(rules, ledger, chain=(ERIK,)).effect is Effect.ALLOW
    assert decide(rules, ledger, chain=(DANA, ERIK)).effect is Effect.DENY


def test_members_who_share_a_budget_spend_of_it_once() -> None:
    cost = "subject.id == 'dana' ? 3 : 2"
    rules = policies(f'budget: {{limit: 5, cost: "{cost}", scope: tool}}')
    assert [charge.amount for charge in charges(rules, chain=(ERIK, DANA))] == [3 * UNITS]


def test_what_costs_nothing_takes_nothing() -> None:
    rules = policies("budget: {limit: 0, cost: arguments.amount}")
    assert decide(rules, Fixed(0), amount=0.0).effect is Effect.ALLOW
    assert charges(rules, amount=0.0) == ()
    assert decide(rules, Fixed(0), amount=0.000001).effect is Effect.DENY


def test_a_rule_that_only_watches_counts_and_changes_nothing() -> None:
    rules = policies("mode: observe\n    expires: 2027-01-01\n    budget: {limit: 5}")
    decision = decide(rules, Fixed(5))
    assert (decision.effect, decision.would) == (Effect.ALLOW, Effect.DENY)
    assert charges(rules)[0].observed
    assert not charges(rules, now="2027-01-02T00:00:00Z")[0].observed


def test_whether_a_budget_is_used_up_is_never_remembered_from_call_to_call() -> None:
    rules = policies("budget: {limit: 1}")
    ledger = MemoryLedger()
    assert decide(rules, ledger).effect is Effect.ALLOW
    ledger.reserve(charges(rules), NOW)
    assert decide(rules, ledger).effect is Effect.DENY
    assert (
        rules.charges(rules.plan("other"), take_snapshot({}), Circumstances((), {}, None, NOW))
        == ()
    )
