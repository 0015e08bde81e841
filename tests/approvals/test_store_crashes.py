"""kill -9 at any moment of whoever opens, votes and uses; and of the database."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardrails.approvals.request import Status
from guardrails.approvals.sql_store import SqlStore
from guardrails.approvals.store import Filter
from guardrails.errors import ApprovalsUnavailable
from tests.approvals.scenes import decide, request
from tests.postgresql import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.approvals.conftest import Open

ROOT = Path(__file__).resolve().parents[2]

WORKER = """
import sys
from guardrails.approvals.request import Status
from guardrails.approvals.sql_store import SqlStore
from tests.approvals.scenes import decide, request

store = SqlStore(sys.argv[1])
ran = open(sys.argv[2], "a", buffering=1)
print("ready", flush=True)
number = 0
while True:
    number += 1
    asked = store.open(request(tool=f"t{sys.argv[3]}-{number}", now_ns=store.now_ns()))
    decide(store, asked, Status.APPROVED)
    if store.use(asked.id, asked.digest):
        ran.write(asked.id + chr(10))
"""
"""Opens, votes and uses without end; writes down what it ran."""


@pytest.mark.slow
def test_a_process_killed_at_any_moment_leaves_nothing_half_done(
    where: str, tmp_path: Path, open_store: Open
) -> None:
    store = open_store()
    ran = tmp_path / "ran"
    chance = random.Random(4)
    for number in range(12):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, where, str(ran), str(number)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.0, 0.15))
        worker.kill()
        worker.wait()
        worker.stdout.close()
    page = store.list(Filter(limit=10_000))
    by_id = {each.id: each for each in page.requests}
    assert page.damaged == ()
    assert len(by_id) >= 12
    done = ran.read_text().split()
    assert len(done) == len(set(done))
    assert all(by_id[each].status is Status.USED for each in done)
    for each in page.requests:
        assert (len(each.votes) == 1) == (each.status is not Status.PENDING)
        assert (each.uses == 1) == (each.status is Status.USED)
        assert not (each.status is Status.USED and store.use(each.id, each.digest))
    # At most one of each killed process was used and not written down as run.
    used = {each.id for each in page.requests if each.status is Status.USED}
    assert len(used - set(done)) <= 12


@pytest.fixture
def mortal() -> Iterator[Server]:
    """A server that may be killed."""
    server = Server()
    yield server
    server.close()


@pytest.mark.slow
def test_postgresql_killed_and_back_has_lost_nothing_and_waiters_go_on(mortal: Server) -> None:
    store = SqlStore(mortal.url())
    asked = store.open(request(now_ns=store.now_ns()))
    found: list[Status] = []
    waiter = threading.Thread(target=lambda: found.append(store.wait(asked.id, 60).status))
    waiter.start()
    time.sleep(0.5)
    mortal.kill()
    with pytest.raises(ApprovalsUnavailable, match="can't be used"):
        store.use(asked.id, asked.digest)
    with pytest.raises(ApprovalsUnavailable):
        store.get(asked.id)
    time.sleep(1.5)
    assert waiter.is_alive()
    (mortal.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
    mortal.start()
    assert store.get(asked.id) == asked
    decide(store, asked, Status.APPROVED)
    waiter.join(5)
    assert found == [Status.APPROVED]
    assert store.use(asked.id, asked.digest)
    mortal.kill()
    (mortal.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
    mortal.start()
    assert not store.use(asked.id, asked.digest)
    store.close()
