"""Guarded calls that spend: what is taken, when it is given back, and what happens in a race."""

from __future__ import annotations

import asyncio
import gc
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from guardrails import Action, ActionDenied, ApprovalRequired, Effect
from guardrails.errors import BudgetsUnavailable
from guardrails.spending import UNITS
from guardrails.testing import guard_over
from tests.approvals.guarded import FAY, Office, acting, ask
from tests.approvals.guarded import POLICY as ESCALATING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from guardrails.budgets import Ledger
    from guardrails.budgets.ledger import Exceeded
    from guardrails.testing import TestGuard

POLICY = """
version: 1
policy: p
tools:
  pay:
    traits: [spend]
    arguments:
      to: {type: string, pattern: "^[A-Z]+$"}
      amount: {type: number}
rules:
  - {id: any, effect: allow, tools: pay}
  - id: cap
    effect: EFFECT
    tools: pay
    message: The budget is used up.
    budget: {limit: 1000, cost: arguments.amount, per: 24h, scope: subject, GIVE}
"""
GIVES = POLICY.replace("EFFECT", "deny").replace("GIVE", "give_back: on_failure")
KEEPS = POLICY.replace("EFFECT", "deny").replace(", GIVE", "")


class FailedError(Exception):
    pass


def pay(guard: TestGuard, amount: float, error: BaseException | None = None) -> str:
    def run(to: str, amount: float) -> str:
        if error is not None:
            raise error
        return f"{to} {amount}"

    return guard.run("pay", {"to": "ACME", "amount": amount}, run)


async def apay(guard: TestGuard, amount: float, seconds: float = 0) -> str:
    async def run(to: str, amount: float) -> str:
        await asyncio.sleep(seconds)
        return f"{to} {amount}"

    return await guard.arun("pay", {"to": "ACME", "amount": amount}, run)


def left(guard: TestGuard) -> float:
    """How much may be spent still, to the unit."""
    low, high = 0, 1000 * UNITS + 1
    while high - low > 1:
        middle = (low + high) // 2
        action = Action("pay", {"to": "ACME", "amount": middle / UNITS})
        allowed = guard.decide(action).effect is Effect.ALLOW
        low, high = (middle, high) if allowed else (low, middle)
    return low / UNITS


@pytest.fixture(params=["memory", "sqlite"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "state" if request.param == "sqlite" else None


def test_calls_spend_until_the_limit_and_no_further(state: Path | None) -> None:
    guard = guard_over(KEEPS, state=state)
    with guard.session(subject="a"):
        for _ in range(10):
            pay(guard, 100)
        with pytest.raises(ActionDenied, match=r"^The budget is used up\.$") as caught:
            pay(guard, 0.01)
    assert [match.rule for match in caught.value.decision.matches] == ["p/any", "p/cap"]
    with guard.session(subject="b"):
        assert pay(guard, 1000) == "ACME 1000"
    guard.close()


def test_to_ask_what_would_be_decided_spends_nothing(state: Path | None) -> None:
    guard = guard_over(KEEPS, state=state)
    with guard.session(subject="a"):
        for _ in range(5):
            assert guard.decide(Action("pay", {"to": "ACME", "amount": 900.0})).allowed
        assert left(guard) == 1000
    guard.close()


def test_guards_that_share_the_state_share_the_budgets(tmp_path: Path) -> None:
    one, other = (guard_over(KEEPS, state=tmp_path) for _ in range(2))
    with one.session(subject="a"):
        pay(one, 600)
    with other.session(subject="a"):
        assert left(other) == 400
        with pytest.raises(ActionDenied):
            pay(other, 600)
    one.close()
    other.close()


def test_a_failed_call_gives_back_only_where_its_rule_says_so(state: Path | None) -> None:
    for policy, rest in ((GIVES, 1000), (KEEPS, 700)):
        place = None if state is None else state / str(rest)
        guard = guard_over(policy, state=place)
        with guard.session(subject="a"):
            with pytest.raises(FailedError):
                pay(guard, 300, FailedError())
            assert left(guard) == rest
        guard.close()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit()], ids=repr)
def test_a_call_that_was_given_up_has_spent(error: BaseException) -> None:
    guard = guard_over(GIVES)
    with guard.session(subject="a"):
        with pytest.raises(type(error)):
            pay(guard, 300, error)
        assert left(guard) == 700


def test_a_call_that_could_not_be_recorded_has_spent_nothing() -> None:
    guard = guard_over(KEEPS)
    with guard.session(subject="a"):
        guard.log.broken = True
        with pytest.raises(ActionDenied):
            pay(guard, 300)
        guard.log.broken = False
        assert left(guard) == 1000


def test_threads_of_one_session_spend_no_more_than_there_is(state: Path | None) -> None:
    guard = guard_over(KEEPS, state=state)

    def work(_: int) -> int:
        paid = 0
        for _ in range(10):
            try:
                pay(guard, 30)
            except ActionDenied:
                continue
            paid += 1
        return paid

    with guard.session(subject="a") as session, ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(session.bind(work), range(6))) == 33
        assert left(guard) == 10
    guard.close()


def test_where_another_was_faster_the_call_is_decided_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guard = guard_over(KEEPS)
    ledger = guard.enforcer.till.ledger
    reserve = ledger.reserve

    def slow(charges: Any, now_ns: int, forced: Any = ()) -> Any:
        monkeypatch.undo()  # another spends between the decision and the reservation
        with guard.session(subject="a"):
            pay(guard, 900)
        return reserve(charges, now_ns, forced)

    monkeypatch.setattr(ledger, "reserve", slow)
    with pytest.raises(ActionDenied) as caught:
        with_subject(guard, 900)
    assert [match.rule for match in caught.value.decision.matches] == ["p/any", "p/cap"]
    assert [entry.decision.effect for entry in guard.log.decisions] == [Effect.ALLOW, Effect.DENY]


def with_subject(guard: TestGuard, amount: float) -> str:
    with guard.session(subject="a"):
        return pay(guard, amount)


class Lost:
    """A ledger that can't be reached, or only be read (`reads`)."""

    waits = False

    def __init__(self, *, reads: bool = False) -> None:
        self._reads = reads

    def spent(self, charge: Any, now_ns: int) -> int:
        if self._reads:
            return 0
        raise BudgetsUnavailable("gone")

    def reserve(self, charges: Any, now_ns: int, forced: Any = ()) -> Exceeded:
        raise BudgetsUnavailable("gone")

    def give_back(self, reservation: Any, *, whole: bool) -> None:
        raise BudgetsUnavailable("gone")

    def forget(self, session: str) -> None: ...


@pytest.mark.parametrize("reads", [False, True])
def test_a_ledger_that_fails_refuses_what_spends_and_nothing_else(*, reads: bool) -> None:
    guard = guard_over(KEEPS.replace("tools: pay}", "tools: [pay, look]}"))
    guard.enforcer.till.ledger = Lost(reads=reads)
    with guard.session(subject="a"):
        with pytest.raises(ActionDenied, match="can't be told at present") as caught:
            pay(guard, 1)
        assert caught.value.decision.code == "unavailable"
        assert guard.run("look", {}, lambda: "seen") == "seen"
    assert guard.log.decisions[0].decision.code == "unavailable"


def test_a_failed_call_keeps_its_own_error_where_the_ledger_fails() -> None:
    guard = guard_over(GIVES)
    ledger: Ledger = guard.enforcer.till.ledger

    def run(to: str, amount: float) -> str:
        guard.enforcer.till.ledger = Lost()
        raise FailedError

    with guard.session(subject="a"):
        with pytest.raises(FailedError):
            guard.run("pay", {"to": "ACME", "amount": 300}, run)
        guard.enforcer.till.ledger = ledger
        assert left(guard) == 700


@pytest.mark.parametrize("broken", [False, True])
def test_a_budget_that_only_watches_refuses_nothing(*, broken: bool) -> None:
    guard = guard_over(KEEPS.replace("budget:", "mode: observe\n    budget:"))
    if broken:
        guard.enforcer.till.ledger = Lost()
    with guard.session(subject="a"):
        for _ in range(3):
            pay(guard, 600)
    last = guard.log.decisions[-1].decision
    assert (last.effect, last.would) == (Effect.ALLOW, Effect.DENY)


def test_tools_that_are_only_observed_run_and_are_counted() -> None:
    guard = guard_over(KEEPS, observe=["pay"])
    with guard.session(subject="a"):
        for _ in range(3):
            pay(guard, 600)
        assert left(guard) == 0
        guard.enforcer.till.ledger = Lost()
        pay(guard, 600)


@pytest.mark.parametrize("thrown_in", [True, False])
async def test_a_stream_has_spent_once_it_has_given_a_part(*, thrown_in: bool) -> None:
    guard = guard_over(GIVES)

    @guard.tool("pay")
    def stream(to: str, amount: float) -> Iterator[str]:
        yield to
        raise FailedError

    @guard.tool("pay")
    async def astream(to: str, amount: float) -> AsyncIterator[str]:
        yield to
        raise FailedError

    @guard.tool("pay")
    def broken(to: str, amount: float) -> Iterator[str]:
        if amount:
            raise FailedError
        yield to

    with guard.session(subject="a"):
        with pytest.raises(FailedError):
            next(broken("ACME", 300))
        assert left(guard) == 1000
        parts: Any = stream("ACME", 300)
        assert next(parts) == "ACME"
        with pytest.raises(FailedError):
            parts.throw(FailedError) if thrown_in else next(parts)
        assert left(guard) == 700
        items: Any = astream("ACME", 300)
        assert await anext(items) == "ACME"
        with pytest.raises(FailedError):
            await (items.athrow(FailedError) if thrown_in else anext(items))
        assert left(guard) == 400


def test_a_delegate_spends_what_is_its_delegators() -> None:
    guard = guard_over(KEEPS)
    with guard.session(subject="a"):
        with guard.session(subject="b"):
            pay(guard, 700)
        assert left(guard) == 300
    with guard.session(subject="b"):
        assert left(guard) == 300


def test_the_budgets_of_a_session_are_dropped_when_nobody_can_return_to_it() -> None:
    guard = guard_over(KEEPS.replace("per: 24h, scope: subject", "scope: session"))
    ledger: Any = guard.enforcer.till.ledger
    for _ in range(3):
        with guard.session(subject="a"):
            pay(guard, 1)
            pay(guard, 1)
    with guard.session(subject="a", id="kept"):
        pay(guard, 600)
    gc.collect()
    assert len(ledger._sums) == 1
    with guard.session(subject="a", id="kept"):
        assert left(guard) == 400


async def test_tasks_spend_no_more_than_there_is(state: Path | None) -> None:
    guard = guard_over(KEEPS, state=state)
    async with guard.session(subject="a"):
        calls = [apay(guard, 300) for _ in range(6)]
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(each, str) for each in done) == 3
        assert left(guard) == 100
    guard.close()


async def test_a_task_that_is_cancelled_while_it_pays_has_an_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = guard_over(GIVES, state=tmp_path)
    ledger = guard.enforcer.till.ledger
    reserve = ledger.reserve

    def slow(charges: Any, now_ns: int, forced: Any = ()) -> Any:
        time.sleep(0.2)
        return reserve(charges, now_ns, forced)

    monkeypatch.setattr(ledger, "reserve", slow)
    async with guard.session(subject="a"):
        task = asyncio.ensure_future(apay(guard, 300))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert left(guard) == 700  # it may have run, for all that is known
    (decision,), (outcome,) = guard.log.decisions, guard.log.outcomes
    assert decision.decision.allowed
    assert outcome.outcome == "cancelled"
    guard.close()


def test_an_escalation_past_the_limit_is_counted_when_people_let_it_run(tmp_path: Path) -> None:
    office = Office(tmp_path / "approvals.db")
    policy = ESCALATING.replace("when: arguments.amount <= 500}", "}").replace(
        "when: arguments.amount > 500", "budget: {limit: 1000, cost: arguments.amount, per: 24h}"
    )
    guard = office.guard(policy)
    with acting(guard):
        office.pay(guard, 900)
        request = ask(office, guard, 900)
        with pytest.raises(ApprovalRequired):
            office.pay(guard, 900)
        office.service.approve(request, FAY)
        office.pay(guard, 900)
        action = Action("pay", {"to": "ACME", "amount": 0.01})
        assert guard.decide(action).effect is Effect.ESCALATE
    spent = [each for each in office.ran if each[1] == 900]
    assert len(spent) == 2
    guard.close()


def test_approval_of_one_thing_does_not_pass_another_limit(tmp_path: Path) -> None:
    office = Office(tmp_path / "approvals.db")
    cap = "  - {id: cap, effect: deny, tools: pay, budget: {limit: 1000, cost: arguments.amount}}\n"
    guard = office.guard(ESCALATING + cap)
    with acting(guard):
        request = ask(office, guard, 900)
        office.service.approve(request, FAY)
        for _ in range(2):
            office.pay(guard, 100)
        with pytest.raises(ActionDenied) as caught:
            office.pay(guard, 900)
    assert "pay/cap" in [match.rule for match in caught.value.decision.matches]
    guard.close()


def test_an_approved_call_is_refused_where_another_used_the_budget_up_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(tmp_path / "approvals.db")
    cap = "  - {id: cap, effect: deny, tools: pay, budget: {limit: 1000, cost: arguments.amount}}\n"
    guard = office.guard(ESCALATING + cap)
    till = guard.enforcer.till
    reserve = till.ledger.reserve
    with acting(guard):
        request = ask(office, guard, 900)
        office.service.approve(request, FAY)

        def slow(charges: Any, now_ns: int, forced: Any = ()) -> Any:
            monkeypatch.undo()
            office.pay(guard, 200)
            return reserve(charges, now_ns, forced)

        monkeypatch.setattr(till.ledger, "reserve", slow)
        with pytest.raises(ActionDenied) as caught:
            office.pay(guard, 900)
    assert "pay/cap" in [match.rule for match in caught.value.decision.matches]
    assert office.ran == [("ACME", 200)]
    guard.close()
