"""Several processes at one store: of those that try what one may do, one does."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from guardrails.approvals.request import Status
from guardrails.approvals.sql_store import SqlStore
from guardrails.approvals.store import Filter
from guardrails.errors import VoteRefused
from tests.approvals.scenes import decide, request

if TYPE_CHECKING:
    from tests.approvals.conftest import Open

ROUNDS = 50

USER = """
import sys
from guardrails.approvals.sql_store import SqlStore

store = SqlStore(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    id, digest = line.split()
    print(int(store.use(id, digest)), flush=True)
"""


@pytest.mark.slow
def test_of_two_processes_that_use_an_approval_one_does(where: str, open_store: Open) -> None:
    store = open_store()
    users = [
        subprocess.Popen(
            [sys.executable, "-c", USER, where],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        for user in users:
            assert user.stdout is not None
            assert user.stdout.readline() == "ready\n"
        winners = [race(store, users, number) for number in range(ROUNDS)]
    finally:
        for user in users:
            user.communicate()
    assert {sum(each) for each in winners} == {1}
    assert len(store.list(Filter(statuses=(Status.USED,), limit=ROUNDS)).requests) == ROUNDS


def race(store: SqlStore, users: list[subprocess.Popen[str]], number: int) -> list[int]:
    asked = store.open(request(tool=f"t{number}", now_ns=store.now_ns()))
    decide(store, asked, Status.APPROVED)
    for user in users:
        assert user.stdin is not None
        user.stdin.write(f"{asked.id} {asked.digest}\n")
    for user in users:
        assert user.stdin is not None
        user.stdin.flush()
    return [int(user.stdout.readline()) for user in users if user.stdout is not None]


def together(count: int) -> ThreadPoolExecutor:
    """Threads that begin at the same moment."""
    barrier = threading.Barrier(count)
    return ThreadPoolExecutor(count, initializer=barrier.wait)


def test_of_many_threads_that_use_an_approval_one_does(open_store: Open) -> None:
    store = open_store()
    asked = store.open(request(now_ns=store.now_ns()))
    decide(store, asked, Status.APPROVED)
    with together(8) as threads:
        used = list(threads.map(lambda _: store.use(asked.id, asked.digest), range(8)))
    assert sorted(used) == [False] * 7 + [True]


def test_of_many_who_open_the_same_all_get_one(open_store: Open) -> None:
    stores = [open_store() for _ in range(4)]
    now = stores[0].now_ns()
    with together(8) as threads:
        ids = set(threads.map(lambda n: stores[n % 4].open(request(now_ns=now)).id, range(8)))
    assert len(ids) == 1


def test_many_threads_that_open_at_once_all_get_their_turn(open_store: Open) -> None:
    store = open_store()
    now = store.now_ns()
    with together(64) as threads:
        asked = threads.map(lambda n: store.open(request(tool=f"t{n}", now_ns=now)), range(128))
        assert len({each.id for each in asked}) == 128


def test_of_many_votes_that_decide_one_does(open_store: Open) -> None:
    store = open_store()
    asked = store.open(request(now_ns=store.now_ns()))

    def vote(number: int) -> str:
        try:
            status = (Status.APPROVED, Status.DENIED)[number % 2]
            return str(decide(store, asked, status, f"p{number}@example.com").status)
        except VoteRefused as refused:
            return refused.code

    with together(8) as threads:
        outcomes = list(threads.map(vote, range(8)))
    assert sorted(outcomes)[1:] == ["not_open"] * 7 or outcomes.count("not_open") == 7
    assert len(store.get(asked.id).votes) == 1


def test_many_processes_may_make_the_store_at_once(where: str) -> None:
    code = "import sys; from guardrails.approvals.sql_store import SqlStore; SqlStore(sys.argv[1])"
    makers = [subprocess.Popen([sys.executable, "-c", code, where]) for _ in range(4)]
    assert [maker.wait(60) for maker in makers] == [0] * 4
    store = SqlStore(where)
    assert store.list(Filter()).requests == ()
    store.close()


def test_a_fork_and_its_parent_go_on_by_themselves(open_store: Open) -> None:
    import multiprocessing

    store = open_store()
    asked = store.open(request(now_ns=store.now_ns()))
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=decide, args=(store, asked, Status.APPROVED))
    child.start()
    assert store.wait(asked.id, 20).status is Status.APPROVED
    child.join(20)
    assert child.exitcode == 0
    assert store.use(asked.id, asked.digest)
