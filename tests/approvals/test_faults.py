"""Agents, services and databases that die in the middle: nothing runs unapproved, or twice.

Every agent writes down what it ran, in a file that it syncs, as a real tool would leave its mark.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardrails import ApprovalRequired
from guardrails.approvals.request import Kind, Status
from guardrails.approvals.service import ApprovalService
from guardrails.approvals.sql_store import SqlStore
from guardrails.approvals.store import Filter
from guardrails.approvals.tally import genuine, tally
from guardrails.errors import ApprovalsUnavailable, GuardrailsError, VoteRefused
from tests.approvals.guarded import FAY
from tests.approvals.scenes import MINUTE, PEOPLE, SIGNER
from tests.postgresql import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardrails.approvals.request import ApprovalRequest
    from tests.approvals.conftest import Open

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]

AGENT = """
import os, sys, threading
from guardrails import GuardrailsError
from tests.approvals.guarded import Office, acting

where, mark, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
office = Office(where)
guard = office.guard(on_escalate="wait")
file = os.open(mark, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

def run(to, amount):
    os.write(file, f"{int(amount)}\\n".encode())
    return "paid"

def pay(amount):
    with acting(guard):
        try:
            guard.run("pay", {"to": "ACME", "amount": amount}, run)
            print("ran", amount, flush=True)
        except GuardrailsError as error:
            print("refused", amount, type(error).__name__, flush=True)

print("ready", flush=True)
threads = [threading.Thread(target=pay, args=(first + n,)) for n in range(count)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
"""Pays amounts from `first` on, each in a thread that waits for people."""

SERVICE = """
import sys
from guardrails.approvals.request import Kind, Status
from guardrails.approvals.store import Filter
from guardrails.errors import GuardrailsError
from tests.approvals.guarded import FAY, Office

office = Office(sys.argv[1])
print("ready", flush=True)
while True:
    try:
        for asked in office.store.list(Filter(statuses=(Status.PENDING,))).requests:
            office.service.approve(asked.id, FAY)
    except GuardrailsError:
        pass
"""
"""Approves whatever is pending, without end."""


@contextmanager
def running(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """The program, as soon as it is ready; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def until(holds: Callable[[], bool], within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.05)


def everything(store: SqlStore) -> tuple[ApprovalRequest, ...]:
    page = store.list(Filter(kinds=(Kind.APPROVAL,), limit=10_000))
    assert page.damaged == ()
    return page.requests


def check_books(store: SqlStore, mark: Path) -> list[int]:
    """What ran, after making sure that each run used up one approval that people gave for it."""
    ran = [int(line) for line in mark.read_text().split()] if mark.exists() else []
    approved: dict[int, int] = {}
    service = ApprovalService(store, lambda: PEOPLE, SIGNER)
    for each in everything(store):
        if each.status is Status.USED:
            stands = tally(each, genuine(each, service.verifier), PEOPLE)
            assert (stands.approved, each.uses) == (True, 1)
            amount = int(each.arguments["amount"])
            approved[amount] = approved.get(amount, 0) + 1
    for amount in set(ran):
        assert ran.count(amount) <= approved.get(amount, 0), f"{amount} ran more than approved"
    return ran


def test_an_agent_killed_at_any_moment_runs_nothing_twice(
    where: str, open_store: Open, tmp_path: Path
) -> None:
    store, mark, chance = open_store(), tmp_path / "mark", random.Random(7)
    with running(SERVICE, where):
        for _ in range(6):
            with running(AGENT, where, mark, 1000, 4):
                time.sleep(chance.uniform(0.02, 0.6))
        check_books(store, mark)
        with running(AGENT, where, mark, 1000, 4) as agent:
            assert agent.wait(60) == 0
    ran = check_books(store, mark)
    assert set(ran) == {1000, 1001, 1002, 1003}


def test_of_two_agents_that_wait_for_one_approval_one_runs(
    where: str, open_store: Open, tmp_path: Path
) -> None:
    store, mark = open_store(), tmp_path / "mark"
    service = ApprovalService(store, lambda: PEOPLE, SIGNER)
    with running(AGENT, where, mark, 1000, 1), running(AGENT, where, mark, 1000, 1):
        until(lambda: len(everything(store)) == 1)
        time.sleep(0.5)  # both wait for it
        service.approve(everything(store)[0].id, FAY)
        until(lambda: len(everything(store)) == 2)  # the other asks again
        time.sleep(0.5)
        assert check_books(store, mark) == [1000]
        assert [each.status for each in everything(store)] == [Status.PENDING, Status.USED]


def test_a_service_killed_at_any_moment_loses_no_request_and_no_vote(
    where: str, open_store: Open, tmp_path: Path
) -> None:
    store, mark, chance = open_store(), tmp_path / "mark", random.Random(8)
    with running(AGENT, where, mark, 2000, 10) as agent:
        until(lambda: len(everything(store)) == 10)
        for _ in range(5):
            with running(SERVICE, where):
                time.sleep(chance.uniform(0.0, 0.1))
        with running(SERVICE, where):
            assert agent.wait(60) == 0
    assert sorted(check_books(store, mark)) == list(range(2000, 2010))
    assert all(len(each.votes) == 1 for each in everything(store))


@pytest.fixture
def mortal() -> Iterator[Server]:
    """A server that may be killed."""
    server = Server()
    yield server
    server.close()


def kill(server: Server, away_s: float = 0.0) -> None:
    """Kill the database and start it again after so many seconds."""
    server.kill()
    time.sleep(away_s)
    (server.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
    server.start()


def test_a_database_killed_at_any_moment_loses_nothing_that_was_decided(
    mortal: Server, tmp_path: Path
) -> None:
    mark, chance = tmp_path / "mark", random.Random(9)
    store = SqlStore(mortal.url())
    with running(AGENT, mortal.url(), mark, 3000, 10) as agent:
        until(lambda: len(everything(store)) == 10)
        with running(SERVICE, mortal.url()):
            for _ in range(3):
                time.sleep(chance.uniform(0.0, 0.1))
                kill(mortal)
            assert agent.wait(60) == 0
        assert agent.stdout is not None
        told = agent.stdout.read().split("\n")
    ran = check_books(store, mark)
    refused = [line for line in told if line.startswith("refused")]
    # Each call ran or was refused, and a refused one left at most its approval behind.
    assert len(ran) + len(refused) == 10
    assert len(set(ran)) == len(ran)
    store.close()


def test_a_database_that_is_away_for_long_ends_no_call_that_waits(
    mortal: Server, tmp_path: Path
) -> None:
    """Here for ten seconds, more than any of its timeouts; calls wait through two minutes."""
    mark = tmp_path / "mark"
    store = SqlStore(mortal.url())
    with running(AGENT, mortal.url(), mark, 4000, 5) as agent:
        until(lambda: len(everything(store)) == 5)
        kill(mortal, away_s=10.0)
        assert agent.poll() is None
        assert mark.read_text() == ""
        until(lambda: answers(store))
        with running(SERVICE, mortal.url()):
            assert agent.wait(60) == 0
    assert sorted(check_books(store, mark)) == list(range(4000, 4005))
    store.close()


def answers(store: SqlStore) -> bool:
    try:
        store.now_ns()
    except ApprovalsUnavailable:
        return False
    return True


class Jumping:
    """The machine's clock, some way off."""

    def __init__(self) -> None:
        self.off_ns = 0

    def __call__(self) -> int:
        return time.time_ns() + self.off_ns


@pytest.mark.parametrize("off", [45 * MINUTE, -2 * MINUTE, -60 * MINUTE], ids=["+45", "-2", "-60"])
def test_a_clock_that_jumps_while_people_are_asked_opens_nothing(
    where: str, tmp_path: Path, off: int
) -> None:
    from tests.approvals.guarded import Office, acting, pending

    clock = Jumping()
    office = Office(where, clock)
    guard = office.guard(on_escalate="wait")
    found: list[str] = []

    def call() -> None:
        with acting(guard):
            try:
                found.append(office.pay(guard))
            except GuardrailsError as error:
                found.append(type(error).__name__)

    waiter = threading.Thread(target=call)
    waiter.start()
    asked = pending(office)
    clock.off_ns = off
    outcome = vote(office.service, asked.id)
    clock.off_ns = 0
    if off == -60 * MINUTE:  # a clock that can't be right: nothing is taken until it is set right
        assert outcome == "ApprovalsUnavailable"
        office.service.approve(asked.id, FAY)
    waiter.join(30)
    if off > 0:  # the request's time was over, and stays so when the clock is set right
        assert (outcome, found, office.ran) == ("not_open", ["ApprovalExpired"], [])
        assert office.store.get(asked.id).status is Status.EXPIRED
    else:
        assert (found, len(office.ran)) == (["paid"], 1)
    guard.close()
    office.store.close()


def vote(service: ApprovalService, request_id: str) -> str:
    try:
        return str(service.approve(request_id, FAY).status)
    except VoteRefused as refused:
        return refused.code
    except ApprovalsUnavailable:
        return "ApprovalsUnavailable"


def test_fifty_calls_wait_among_two_hundred_requests_and_each_runs_once(
    where: str, open_store: Open, tmp_path: Path
) -> None:
    from guardrails.approvals.budget import Budget
    from guardrails.approvals.requester import Requester
    from guardrails.approvals.vote import Verifier
    from tests.approvals.guarded import Office, acting

    office = Office(where)
    crowd = Budget(per_agent=1_000, per_approver=1_000, flood=1_000)
    requester = Requester(office.store, lambda: PEOPLE, Verifier([SIGNER.public]), crowd)
    asking = office.guard(approvals=requester)
    waiting = office.guard(approvals=requester, on_escalate="wait")
    lock, failures = threading.Lock(), list[GuardrailsError]()

    def wait_and_pay(amount: int) -> None:
        try:
            with acting(waiting):
                office.pay(waiting, amount)
        except GuardrailsError as error:
            with lock:
                failures.append(error)

    with acting(asking):
        for amount in range(1_000, 1_150):
            with pytest.raises(ApprovalRequired):
                office.pay(asking, amount)
    threads = [threading.Thread(target=wait_and_pay, args=(n,)) for n in range(5_000, 5_050)]
    for thread in threads:
        thread.start()
    pending = (Status.PENDING,)
    until(lambda: len(office.store.list(Filter(statuses=pending, limit=500)).requests) == 200)
    assert office.ran == []
    for each in office.store.list(Filter(statuses=pending, limit=500)).requests:
        if each.arguments["amount"] >= 5_000:
            office.service.approve(each.id, FAY)
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert sorted(amount for _, amount in office.ran) == list(range(5_000, 5_050))
    left = office.store.list(Filter(statuses=pending, limit=500)).requests
    assert sorted(each.arguments["amount"] for each in left) == list(range(1_000, 1_150))
    asking.close()
    waiting.close()
    office.store.close()
