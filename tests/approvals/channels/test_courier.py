"""Notices brought to channels: in the end all of them, whatever fails on the way."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from guardrails.approvals.channels import Courier, DeliveryFailed, Notice
from guardrails.approvals.channels.channel import ALL_EVENTS, USUAL_EVENTS
from guardrails.approvals.channels.courier import (
    LEASE_S,
    LONGEST_PAUSE_S,
    MAX_ATTEMPTS,
    pause_after,
)
from guardrails.approvals.channels.message import write_message
from guardrails.approvals.channels.webhook import Webhook
from guardrails.approvals.request import Status
from guardrails.approvals.terms import Stage, Terms
from guardrails.errors import ConfigurationError
from tests.approvals.scenes import MINUTE, SECOND, Clock, decide, request, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from guardrails.approvals.sql_store import SqlStore
    from tests.approvals.channels.receiver import Receiver
    from tests.approvals.conftest import Open

ROOT = Path(__file__).resolve().parents[3]


class Board:
    """A channel that keeps what it is told, or fails as it is told to."""

    def __init__(self, name: str = "board", events: Iterable[str] = USUAL_EVENTS) -> None:
        self.name = name
        self.events = tuple(events)
        self.told: list[Notice] = []
        self.failures: list[Exception] = []

    def deliver(self, notice: Notice) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.told.append(notice)


def until(holds: Callable[[], bool], within_s: float = 15.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.02)


def test_a_notice_is_told_while_it_happens(open_store: Open) -> None:
    store, board = open_store(), Board()
    with Courier(store, [board]):
        asked = store.open(request(now_ns=store.now_ns()))
        until(lambda: len(board.told) == 1)
        decide(store, asked, Status.APPROVED)
        until(lambda: len(board.told) == 2)
    opened, approved = board.told
    assert (opened.event, opened.actor, opened.request.id) == ("opened", "agent-7", asked.id)
    assert (approved.event, approved.actor) == ("approved", "fay@example.com")
    assert approved.request.status is Status.APPROVED
    assert store.outbox.waiting("board") == ()


def test_an_expiry_that_nobody_else_notices_is_told(open_store: Open) -> None:
    store, board = open_store(), Board()
    terms = Terms.any_of(["finance"], timeout_ns=SECOND)
    with Courier(store, [board]):
        store.open(request(rule(terms=terms), now_ns=store.now_ns()))
        until(lambda: [each.event for each in board.told] == ["opened", "expired"])


def test_what_failed_comes_again_under_the_same_id(store: SqlStore, clock: Clock) -> None:
    board = Board()
    board.failures = [DeliveryFailed("busy"), ValueError("s3cret")]
    courier = Courier(store, [board])
    store.open(request())
    assert courier.deliver_due(board)
    (waits,) = store.outbox.waiting("board")
    assert waits.error == "busy"
    assert not courier.deliver_due(board)
    clock.move(2 * SECOND)
    assert courier.deliver_due(board)
    (again,) = store.outbox.waiting("board")
    assert (again.error, again.notice) == ("it raised ValueError", waits.notice)
    clock.move(4 * SECOND)
    assert courier.deliver_due(board)
    assert [each.id for each in board.told] == [waits.notice]


def test_an_answer_that_asks_for_time_gets_it(store: SqlStore, clock: Clock) -> None:
    board = Board()
    board.failures = [DeliveryFailed("busy", 600.0)]
    courier = Courier(store, [board])
    store.open(request())
    assert courier.deliver_due(board)
    clock.move(599 * SECOND)
    assert not courier.deliver_due(board)
    clock.move(SECOND)
    assert courier.deliver_due(board)


def test_a_notice_is_given_up_after_so_many_attempts_and_told(
    store: SqlStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    board = Board(events=["opened"])
    courier = Courier(store, [board])
    asked = store.open(request())
    for _ in range(MAX_ATTEMPTS):
        board.failures = [DeliveryFailed("nobody answers there")]
        assert courier.deliver_due(board)
        clock.move(int(LONGEST_PAUSE_S) * SECOND)
    gone = {each.event: each for each in store.outbox.given_up()}
    assert (gone["opened"].attempts, gone["opened"].error) == (MAX_ATTEMPTS, "nobody answers there")
    assert f"request {asked.id} was opened: nobody answers there" in caplog.text


def test_a_notice_on_which_processes_die_is_given_up_too(store: SqlStore, clock: Clock) -> None:
    board = Board(events=["opened"])
    courier = Courier(store, [board])
    store.open(request())
    store.outbox.collect("board", board.events)
    for _ in range(MAX_ATTEMPTS):
        assert store.outbox.take("board", int(LEASE_S) * SECOND) is not None
        clock.move(int(LEASE_S) * SECOND)
    assert courier.deliver_due(board)
    assert board.told == []
    assert [each.error for each in store.outbox.given_up()] == [
        "the process ended while delivering it"
    ]


def test_what_is_of_no_use_is_not_tried_again(store: SqlStore) -> None:
    board = Board()
    board.failures = [DeliveryFailed("the address answers 410", final=True)]
    courier = Courier(store, [board])
    store.open(request())
    assert courier.deliver_due(board)
    assert [each.attempts for each in store.outbox.given_up()] == [1]


def test_pauses_grow_and_are_bounded_and_spread() -> None:
    for attempts in range(1, MAX_ATTEMPTS + 1):
        whole = min(2.0**attempts, LONGEST_PAUSE_S)
        pauses = {pause_after(attempts) for _ in range(50)}
        assert len(pauses) > 10
        assert all(whole / 2 <= pause <= whole for pause in pauses)


def test_people_who_join_later_are_not_told_of_what_is_decided(
    store: SqlStore, clock: Clock
) -> None:
    board = Board(events=["widened"])
    courier = Courier(store, [board])
    terms = Terms.any_of(["finance"], then=(Stage(10 * MINUTE, ("oncall",)),))
    decided = store.open(request(rule(terms=terms)))
    waits = store.open(request(rule(terms=terms), tool="other"))
    store.outbox.collect("board", board.events)
    decide(store, decided, Status.APPROVED)
    clock.move(10 * MINUTE)
    while courier.deliver_due(board):
        pass
    assert [(each.event, each.request.id) for each in board.told] == [("widened", waits.id)]


def test_a_dead_address_holds_up_no_other_channel(open_store: Open, receiver: Receiver) -> None:
    store, board = open_store(), Board()
    receiver.hold.clear()
    dead = Webhook("dead", receiver.url, write_message)
    with Courier(store, [dead, board]):
        for number in range(5):
            store.open(request(tool=f"t{number}", now_ns=store.now_ns()))
        until(lambda: len(board.told) == 5, 5.0)
        until(lambda: len(receiver.received) == 1)
        receiver.hold.set()
        until(lambda: len(receiver.received) == 5)


def test_an_address_that_fails_first_gets_everything_in_the_end(
    open_store: Open, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardrails.approvals.channels.courier.FIRST_PAUSE_S", 0.05)
    store = open_store()
    receiver.answers = [(500, {}), (503, {}), (500, {})]
    asked = [store.open(request(tool=f"t{n}", now_ns=store.now_ns())).id for n in range(3)]
    with Courier(store, [Webhook("desk", receiver.url, write_message, (bytes(32),))]):
        until(lambda: len(receiver.received) == 6)
        until(lambda: store.outbox.waiting("desk") == ())
    ids = [got.headers["webhook-id"] for got in receiver.received]
    assert sorted(set(ids)) == sorted(f"{each}.{ids_of(ids, each)}" for each in asked)


def ids_of(ids: list[str], request_id: str) -> str:
    return next(each.partition(".")[2] for each in ids if each.startswith(request_id))


KILLED = """
import sys, time
from guardrails.approvals.channels import Courier
from guardrails.approvals.sql_store import SqlStore

class Slow:
    name, events = "slow", ("opened",)
    def deliver(self, notice):
        print(notice.id, flush=True)
        time.sleep(60)

store = SqlStore(sys.argv[1])
Courier(store, [Slow()]).start()
time.sleep(60)
"""


def test_a_notice_survives_the_kill_of_its_process(
    open_store: Open, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    store.open(request(now_ns=store.now_ns()))
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, where], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert process.stdout is not None
    begun = process.stdout.readline().strip()
    process.kill()
    process.wait()
    process.stdout.close()
    (waits,) = store.outbox.waiting("slow")
    assert (waits.notice, waits.attempts) == (begun, 1)
    monkeypatch.setattr(store._database.connections, "_clock", lambda: time.time_ns() + 61 * SECOND)
    slow = Board("slow", ["opened"])
    assert Courier(store, [slow]).deliver_due(slow)
    assert [each.id for each in slow.told] == [begun]


def test_two_couriers_tell_everything_once(open_store: Open) -> None:
    boards = [Board("board"), Board("board")]
    couriers = [Courier(open_store(), [board]) for board in boards]
    store = open_store()
    for courier in couriers:
        courier.start()
    for number in range(20):
        store.open(request(tool=f"t{number}", now_ns=store.now_ns()))
    until(lambda: sum(len(board.told) for board in boards) >= 20)
    for courier in couriers:
        courier.close()
    told = [each.request.tool for board in boards for each in board.told]
    assert sorted(told) == sorted(f"t{number}" for number in range(20))


def test_a_store_that_is_away_ends_no_courier(open_store: Open, tmp_path: Path) -> None:
    from guardrails.approvals.sql_store import SqlStore as Opened

    path = tmp_path / "away" / "approvals.db"
    store, board = Opened(path), Board()
    with Courier(store, [board]):
        time.sleep(0.3)
        aside = path.with_suffix(".aside")
        path.rename(aside)
        time.sleep(1.2)
        aside.rename(path)
        store.open(request(now_ns=store.now_ns()))
        until(lambda: len(board.told) == 1)
    store.close()


def test_a_request_that_was_deleted_holds_up_no_other(store: SqlStore) -> None:
    board = Board(events=["opened"])
    courier = Courier(store, [board])
    gone, other = store.open(request()), store.open(request(tool="other"))
    with store._database.writing() as connection:
        postgresql = connection.dialect.name == "postgresql"
        drop = "DROP TRIGGER approval_requests_kept"
        table = " ON approval_requests" if postgresql else ""
        connection.execute(text(drop + table))
        connection.execute(text(f"DELETE FROM approval_requests WHERE id = '{gone.id}'"))
    store.outbox.collect("board", board.events)
    store.outbox.collect("late", board.events)
    while courier.deliver_due(board):
        pass
    assert [each.request.id for each in board.told] == [other.id]


def test_a_fault_of_the_library_itself_ends_no_channel(
    open_store: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, board = open_store(), Board()
    courier = Courier(store, [board])
    faults = [ZeroDivisionError()]
    deliver_due = courier.deliver_due

    def fail_once(channel: Board) -> bool:
        if faults:
            raise faults.pop()
        return deliver_due(channel)

    monkeypatch.setattr(courier, "deliver_due", fail_once)
    store.open(request(now_ns=store.now_ns()))
    with courier:
        until(lambda: len(board.told) == 1)
    assert "channel `board` failed, and goes on" in caplog.text


def test_a_courier_ends_at_once(open_store: Open) -> None:
    courier = Courier(open_store(), [Board(), Board("other")])
    courier.start()
    began = time.monotonic()
    courier.close()
    assert time.monotonic() - began < 3
    assert not [each for each in threading.enumerate() if "guardrails-channel" in each.name]


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ([Board(), Board()], "two channels are called `board`"),
        ([Board(events=["opend"])], "channel `board`: there is no event `opend`"),
    ],
)
def test_channels_that_cannot_be_are_refused(
    open_store: Open, channels: list[Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Courier(open_store(), channels)
    assert "overdue" in ALL_EVENTS
