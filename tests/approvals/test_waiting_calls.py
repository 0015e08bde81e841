"""Calls that wait for people: they go on by themselves, and never hold up an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from guardrails import ActionDenied, ApprovalExpired, ApprovalRejected, ApprovalRequired
from guardrails.approvals.request import Status
from guardrails.approvals.sql_store import SqlStore
from guardrails.errors import ApprovalsUnavailable
from guardrails.testing import policies_over
from tests.approvals.guarded import FAY, FINN, FROZEN, POLICY, ask, pending, requests, soon

if TYPE_CHECKING:
    from tests.approvals.guarded import Office


def test_a_waiting_call_goes_on_by_itself(live: Office) -> None:
    guard = live.guard(on_escalate="wait")
    voter = soon(lambda: live.service.approve(pending(live).id, FAY))
    assert live.pay(guard) == "paid"
    voter.join()
    codes = [entry.decision.code for entry in guard.log.decisions]
    assert codes == ["approval_required", "rule"]
    assert guard.log.decisions[-1].approvers == (FAY,)
    assert live.store.get(guard.log.decisions[-1].request).status is Status.USED


def test_a_waiting_call_learns_of_a_denial(live: Office) -> None:
    guard = live.guard(on_escalate="wait")
    voter = soon(lambda: live.service.deny(pending(live).id, FAY))
    with pytest.raises(ApprovalRejected):
        live.pay(guard)
    voter.join()
    assert live.ran == []


def test_a_waiting_call_ends_with_its_time(live: Office) -> None:
    guard = live.guard(POLICY.replace("timeout: 30m", "timeout: 1s"), on_escalate="wait")
    with pytest.raises(ApprovalExpired):
        live.pay(guard)
    assert [entry.decision.code for entry in guard.log.decisions][-1] == "approval_expired"


def test_a_waiting_call_ends_with_its_cancellation(live: Office) -> None:
    guard = live.guard(on_escalate="wait")
    voter = soon(lambda: live.service.cancel(pending(live).id, FAY))
    with pytest.raises(ApprovalRejected):
        live.pay(guard)
    voter.join()


def test_what_was_waited_for_is_decided_again(live: Office) -> None:
    guard = live.guard(on_escalate="wait")

    def tighten_and_approve() -> None:
        request = pending(live)
        guard.enforcer.replace(policies_over(POLICY + "  - {id: f, effect: deny, tools: pay}\n"))
        live.service.approve(request.id, FAY)

    voter = soon(tighten_and_approve)
    with pytest.raises(ActionDenied) as caught:
        live.pay(guard)
    voter.join()
    assert caught.value.decision.matches[0].rule == "pay/f"
    assert live.ran == []


ALLOWED = POLICY.replace("500", "100000")


def loosen_and_approve(live: Office, guard: Any) -> str:
    """Have the rule be gone by the time that people approve; the id of the request."""
    request = pending(live)
    guard.enforcer.replace(policies_over(ALLOWED))
    live.service.approve(request.id, FAY)
    return request.id


def test_a_call_that_is_allowed_after_waiting_leaves_no_approval_behind(live: Office) -> None:
    guard = live.guard(on_escalate="wait")
    voter = soon(lambda: loosen_and_approve(live, guard))
    assert live.pay(guard) == "paid"
    voter.join()
    (request,) = requests(live)
    assert request.status is Status.USED


async def test_a_coroutine_that_is_allowed_after_waiting_leaves_none_either(live: Office) -> None:
    guard = live.guard(on_escalate="wait")
    voter = soon(lambda: loosen_and_approve(live, guard))
    assert await live.apay(guard) == "paid"
    await asyncio.to_thread(voter.join)
    (request,) = requests(live)
    assert request.status is Status.USED


def test_what_policy_allows_after_waiting_runs_though_the_store_is_gone(
    live: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = live.guard(on_escalate="wait")
    voter = soon(lambda: loosen_and_approve(live, guard))
    monkeypatch.setattr(SqlStore, "use", Mock(side_effect=ApprovalsUnavailable("gone")))
    assert live.pay(guard) == "paid"
    voter.join()


def test_facts_are_asked_for_again_after_waiting(live: Office) -> None:
    change = ["open"]
    policy = FROZEN + '  - {id: closed, effect: deny, tools: pay, when: context.change != "open"}\n'
    guard = live.guard(policy, facts={"change": lambda _: change[0]}, on_escalate="wait")

    def close_and_approve() -> None:
        request = pending(live)
        change[0] = "closed"
        live.service.approve(request.id, FAY)

    voter = soon(close_and_approve)
    with pytest.raises(ActionDenied) as caught:
        live.pay(guard)
    voter.join()
    assert "pay/closed" in [match.rule for match in caught.value.decision.matches]


async def test_a_waiting_coroutine_holds_up_no_other(live: Office) -> None:
    guard = live.guard(on_escalate="wait")
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.01)

    heart = asyncio.create_task(beat())
    voter = soon(lambda: live.service.approve(pending(live, after=0.3).id, FAY))
    assert await live.apay(guard) == "paid"
    voter.join()
    heart.cancel()
    assert beats > 10


async def test_a_waiting_coroutine_can_be_cancelled_and_its_approval_used_later(
    live: Office,
) -> None:
    guard = live.guard(on_escalate="wait")
    task = asyncio.create_task(live.apay(guard))
    request = await asyncio.to_thread(pending, live)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert live.store.get(request.id).status is Status.PENDING
    live.service.approve(request.id, FAY)
    assert live.ran == []
    assert await live.apay(guard) == "paid"
    assert live.store.get(request.id).status is Status.USED


async def test_a_coroutine_cancelled_as_it_is_approved_leaves_no_run_without_outcome(
    live: Office,
) -> None:
    guard = live.guard(on_escalate="wait")
    for delay in (0.0, 0.002, 0.004, 0.008, 0.016):
        task = asyncio.create_task(live.apay(guard))
        request = await asyncio.to_thread(pending, live)
        await asyncio.to_thread(live.service.approve, request.id, FAY)
        await asyncio.sleep(delay)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        used = live.store.get(request.id).status is Status.USED
        if not used:
            assert await live.apay(guard) == "paid"
    granted = [entry for entry in guard.log.decisions if entry.approvers]
    assert len(guard.log.outcomes) == len(granted)
    assert len(live.ran) <= len(granted)


async def test_a_coroutine_cancelled_twice_as_it_is_granted_has_an_outcome_too(
    live: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = live.guard()
    live.service.approve(ask(live, guard), FAY)
    begun, use = threading.Event(), SqlStore.use

    def use_slowly(*given: Any) -> bool:
        begun.set()
        time.sleep(0.3)
        return use(*given)

    monkeypatch.setattr(SqlStore, "use", use_slowly)
    task = asyncio.create_task(live.apay(guard))
    await asyncio.to_thread(begun.wait)
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0.05)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [entry.approvers for entry in guard.log.decisions][-1] == (FAY,)
    assert [outcome[1] for outcome in guard.log.outcomes] == ["cancelled"]
    assert live.ran == []


async def test_in_a_running_event_loop_a_plain_call_never_waits(live: Office) -> None:
    guard = live.guard(on_escalate="wait")
    began = time.monotonic()
    with pytest.raises(ApprovalRequired) as caught:
        live.pay(guard)
    assert time.monotonic() - began < 2
    live.service.approve(caught.value.request, FAY)
    assert live.pay(guard) == "paid"


def test_two_calls_that_wait_for_one_request_need_two_approvals(live: Office) -> None:
    guard = live.guard(on_escalate="wait")
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(live.pay, guard) for _ in range(2)]
        first = pending(live)
        live.service.approve(first.id, FAY)
        second = pending(live)
        assert second.id != first.id
        assert len(live.ran) == 1
        live.service.approve(second.id, FINN)
        assert [call.result(10) for call in calls] == ["paid", "paid"]
    assert len(live.ran) == 2


async def test_generators_wait_at_their_first_item(live: Office) -> None:
    guard = live.guard(on_escalate="wait")

    @guard.tool("pay")
    async def pay(to: str, amount: float) -> Any:
        yield amount

    voter = soon(lambda: live.service.approve(pending(live).id, FAY))
    assert [item async for item in pay("ACME", 900)] == [900]
    voter.join()
