"""Guards that ask people, and the people who answer, as the tests of escalation share them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from guardrails import ApprovalRequired
from guardrails.approvals.request import Kind, Status
from guardrails.approvals.requester import Requester
from guardrails.approvals.service import ApprovalService
from guardrails.approvals.sql_store import SqlStore
from guardrails.approvals.store import Filter
from guardrails.approvals.vote import Verifier
from guardrails.testing import guard_over
from tests.approvals.scenes import PEOPLE, SIGNER

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.approvals.people import People
    from guardrails.approvals.request import ApprovalRequest
    from guardrails.testing import TestGuard

FAY, FINN, RITA = "fay@example.com", "finn@example.com", "rita@example.com"

POLICY = """
version: 1
policy: pay
owner: fred@example.com
tools:
  pay:
    description: Pay a supplier.
    traits: [write, spend]
    arguments:
      to: {type: string, kind: recipient}
      amount: {type: number, kind: amount}
  note: {traits: [write], arguments: {text: {}}}
rules:
  - {id: small, effect: allow, tools: pay, when: arguments.amount <= 500}
  - id: large
    effect: escalate
    tools: pay
    when: arguments.amount > 500
    approval: {from: [finance], timeout: 30m}
    description: Four eyes.
  - {id: note, effect: allow, tools: note}
"""

TERMS = "approval: {from: [finance], timeout: 30m}"

FROZEN = POLICY.replace("when: arguments.amount > 500", 'when: context.change == "open"')


class Office:
    """A store, the people who decide, and the calls that ran. `clock` is the store's."""

    def __init__(self, where: Any, clock: Any = None, people: People = PEOPLE) -> None:
        self.people = people
        self.store = SqlStore(where, clock)
        self.service = ApprovalService(self.store, lambda: self.people, SIGNER)
        self.ran: list[tuple[str, float]] = []

    def requester(self) -> Requester:
        return Requester(self.store, lambda: self.people, Verifier([SIGNER.public]))

    def guard(self, policy: str = POLICY, **settings: Any) -> TestGuard:
        settings.setdefault("approvals", self.requester())
        return guard_over(policy, **settings)

    def pay(self, guard: Any, amount: float = 900, to: str = "ACME") -> str:
        def run(to: str, amount: float) -> str:
            self.ran.append((to, amount))
            return "paid"

        return str(guard.run("pay", {"to": to, "amount": amount}, run))

    async def apay(self, guard: Any, amount: float = 900, to: str = "ACME") -> str:
        async def run(to: str, amount: float) -> str:
            self.ran.append((to, amount))
            return "paid"

        return str(await guard.arun("pay", {"to": to, "amount": amount}, run))


def ask(office: Office, guard: Any, amount: float = 900) -> str:
    """The id of the request that a call opens, or that is open for it still."""
    with pytest.raises(ApprovalRequired) as caught:
        office.pay(guard, amount)
    assert caught.value.request
    return caught.value.request


def requests(office: Office, kind: Kind = Kind.APPROVAL) -> tuple[ApprovalRequest, ...]:
    return office.store.list(Filter(kinds=(kind,))).requests


def acting(guard: Any, **settings: Any) -> Any:
    given = {"subject": "agent-7", "on_behalf_of": "dana@example.com", "id": "task-1", **settings}
    return guard.session(**given)


def pending(office: Office, after: float = 0.0) -> ApprovalRequest:
    """The request that is pending, as soon as there is one; seconds after which to look."""
    time.sleep(after)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = office.store.list(Filter(statuses=(Status.PENDING,))).requests
        if found:
            return found[0]
        time.sleep(0.01)
    raise AssertionError("no request is pending")


def soon(act: Callable[[], object]) -> threading.Thread:
    """A thread in which `act` runs; join it."""
    thread = threading.Thread(target=act)
    thread.start()
    return thread
