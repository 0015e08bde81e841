"""What the store does, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from guardrails.approvals.request import Actor, Kind, Status, make_request
from guardrails.approvals.store import Change, Filter
from guardrails.errors import EscalationRefused, RequestUnknown, VoteRefused
from guardrails.values import Duration, Timestamp, UInt
from tests.approvals.scenes import (
    AGENT,
    APPROVE,
    MINUTE,
    SECOND,
    START,
    case,
    decide,
    request,
    rule,
    vote,
)

if TYPE_CHECKING:
    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.sql_store import SqlStore
    from guardrails.approvals.store import Crowd
    from tests.approvals.conftest import Open
    from tests.approvals.scenes import Clock

ENDED = [Status.DENIED, Status.EXPIRED, Status.CANCELLED, Status.USED]


def bring(store: SqlStore, clock: Clock, status: Status) -> ApprovalRequest:
    """A request of that status."""
    asked = store.open(request(now_ns=clock()))
    if status in (Status.APPROVED, Status.USED):
        decide(store, asked, Status.APPROVED)
    if status is Status.USED:
        assert store.use(asked.id, asked.digest)
    elif status is Status.DENIED:
        decide(store, asked, Status.DENIED)
    elif status is Status.CANCELLED:
        store.cancel(asked.id, "agent-7")
    elif status is Status.EXPIRED:
        clock.move(31 * MINUTE)
    assert store.get(asked.id).status is status
    return asked


def test_a_request_comes_back_as_it_was_asked(store: SqlStore) -> None:
    arguments = {
        "int": 1,
        "float": 1.0,
        "minus": -0.0,
        "text": "ü\u202e\x00",
        "bytes": b"\xff",
        "deep": [{"a": [None, True]}, UInt(3)],
        "at": Timestamp(5),
        "for": Duration(-5),
    }
    asked = make_request(
        case(arguments=arguments, subjects=(Actor("root", attributes={"n": 1.0}), AGENT)),
        START,
        revision="sha256:abc",
        environment={"host": "h"},
        evidence={"traits": ["spend"]},
        labels={"b", "a"},
    )
    store.open(asked)
    found = store.get(asked.id)
    assert found == asked
    assert found.labels == ("a", "b")
    assert found.content == asked.content
    assert {key: type(value) for key, value in found.arguments.items()} == {
        key: type(value) for key, value in arguments.items()
    }
    assert str(found.arguments["minus"]) == "-0.0"


def test_a_second_request_of_one_digest_is_the_first_while_that_is_open(store: SqlStore) -> None:
    first = store.open(request())
    assert store.open(request()).id == first.id
    decide(store, first, Status.APPROVED)
    assert store.open(request()).id == first.id
    assert store.use(first.id, first.digest)
    assert store.open(request()).id != first.id


def test_a_denial_holds_until_the_time_of_the_request_is_over(
    store: SqlStore, clock: Clock
) -> None:
    denied = bring(store, clock, Status.DENIED)
    again = store.open(request(now_ns=clock()))
    assert (again.id, again.status) == (denied.id, Status.DENIED)
    clock.move(30 * MINUTE)
    assert store.open(request(now_ns=clock())).id != denied.id


def test_other_arguments_are_another_request(store: SqlStore) -> None:
    first = store.open(request())
    second = store.open(request(arguments={"to": "ACME", "amount": 900}))
    assert first.id != second.id


def test_reviews_are_never_one_with_another(store: SqlStore) -> None:
    ids = {store.open(make_request(case(), START, kind=Kind.REVIEW)).id for _ in range(3)}
    assert len(ids) == 3


def test_an_unknown_request_is_told(store: SqlStore) -> None:
    for call in (store.get, lambda id_: store.cancel(id_, "x")):
        with pytest.raises(RequestUnknown, match="no such request"):
            call("nothing")
    assert store.use("nothing", "sha256:0") is False


def test_an_approval_is_used_once(store: SqlStore, clock: Clock) -> None:
    asked = bring(store, clock, Status.APPROVED)
    clock.move(SECOND)
    assert store.use(asked.id, asked.digest)
    assert not store.use(asked.id, asked.digest)
    found = store.get(asked.id)
    assert (found.status, found.uses, found.used_ns) == (Status.USED, 1, START + SECOND)


def test_an_approval_is_not_used_for_another_digest(store: SqlStore, clock: Clock) -> None:
    asked = bring(store, clock, Status.APPROVED)
    assert not store.use(asked.id, case(tool="other").digest)
    assert store.get(asked.id).status is Status.APPROVED


@pytest.mark.parametrize("status", [Status.PENDING, *ENDED])
def test_what_is_not_approved_is_not_used(store: SqlStore, clock: Clock, status: Status) -> None:
    asked = bring(store, clock, status)
    assert not store.use(asked.id, asked.digest)
    assert store.get(asked.id).status is status


@pytest.mark.parametrize("kind", [Kind.REVIEW, Kind.SAMPLE])
def test_a_review_is_no_approval(store: SqlStore, kind: Kind) -> None:
    asked = store.open(make_request(case(), START, kind=kind))
    decide(store, asked, Status.APPROVED)
    assert not store.use(asked.id, asked.digest)


def test_a_remembered_approval_serves_until_then(store: SqlStore, clock: Clock) -> None:
    asked = bring(store, clock, Status.APPROVED)
    until = START + 5 * MINUTE
    assert store.use(asked.id, asked.digest, until)
    clock.move(5 * MINUTE - 1)
    assert store.use(asked.id, asked.digest, until)
    clock.move(1)
    assert not store.use(asked.id, asked.digest, until)
    assert store.get(asked.id).uses == 2


def test_an_approval_ends_with_its_time(store: SqlStore, clock: Clock) -> None:
    asked = bring(store, clock, Status.APPROVED)
    clock.move(30 * MINUTE)
    assert not store.use(asked.id, asked.digest)
    assert store.get(asked.id).status is Status.EXPIRED


@pytest.mark.parametrize("status", [Status.APPROVED, *ENDED])
def test_what_is_decided_takes_no_votes(store: SqlStore, clock: Clock, status: Status) -> None:
    asked = bring(store, clock, status)
    before = store.get(asked.id)
    with pytest.raises(VoteRefused, match=f"request is {status}") as refused:
        decide(store, asked, Status.APPROVED, "finn@example.com")
    assert refused.value.code == "not_open"
    assert store.get(asked.id) == before


def test_a_person_votes_once(store: SqlStore) -> None:
    asked = store.open(request())
    decide(store, asked, Status.PENDING)
    with pytest.raises(VoteRefused, match="voted on this request already") as refused:
        decide(store, asked, Status.APPROVED)
    assert refused.value.code == "voted"
    assert len(store.get(asked.id).votes) == 1


def test_votes_stand_in_the_order_in_which_they_were_cast(store: SqlStore, clock: Clock) -> None:
    asked = store.open(request())
    names = ["z@example.com", "a@example.com", "m@example.com"]
    for name in names:
        clock.move(SECOND)
        decide(store, asked, Status.PENDING, name)
    found = store.get(asked.id)
    assert [each.voter for each in found.votes] == names
    assert found.votes[0] == vote(asked, names[0], at_ns=START + SECOND)


def test_a_judge_who_refuses_leaves_no_vote(store: SqlStore) -> None:
    asked = store.open(request())

    def refuse(_: ApprovalRequest) -> Status:
        raise VoteRefused("no", "separated")

    with pytest.raises(VoteRefused):
        store.vote(vote(asked, "fay@example.com"), refuse)
    assert store.get(asked.id) == asked


@pytest.mark.parametrize("status", [Status.PENDING, Status.APPROVED])
def test_what_is_open_can_be_cancelled(store: SqlStore, clock: Clock, status: Status) -> None:
    asked = bring(store, clock, status)
    found = store.cancel(asked.id, "agent-7", "not needed")
    assert (found.status, found.ended_by, found.reason) == (
        Status.CANCELLED,
        "agent-7",
        "not needed",
    )
    assert store.get(asked.id) == found
    assert not store.use(asked.id, asked.digest)


@pytest.mark.parametrize("status", ENDED)
def test_what_is_over_stays_as_it_is(store: SqlStore, clock: Clock, status: Status) -> None:
    asked = bring(store, clock, status)
    assert store.cancel(asked.id, "agent-7").status is status


def test_expire_ends_what_is_due_and_names_it(store: SqlStore, clock: Clock) -> None:
    first = store.open(request())
    clock.move(MINUTE)
    second = store.open(request(tool="other", now_ns=clock()))
    clock.move(29 * MINUTE)
    assert store.expire() == (first.id,)
    assert store.expire() == ()
    assert store.get(second.id).status is Status.PENDING


def test_find_gives_what_is_not_over_of_one_action(store: SqlStore, clock: Clock) -> None:
    used = bring(store, clock, Status.USED)
    bring(store, clock, Status.CANCELLED)
    fewer = store.open(request(rule("pay/other")))
    store.open(request(tool="another"))
    store.open(make_request(case(), START, kind=Kind.REVIEW))
    assert fewer.case.action_digest == used.case.action_digest
    assert [each.id for each in store.find(used.case.action_digest)] == [fewer.id, used.id]


def test_find_gives_of_used_ones_only_those_that_may_be_remembered(
    store: SqlStore, clock: Clock
) -> None:
    used = bring(store, clock, Status.USED)
    action = used.case.action_digest
    clock.move(MINUTE)
    assert [each.id for each in store.find(action, 2 * MINUTE)] == [used.id]
    assert store.find(action, MINUTE) == ()
    assert store.find(action, 0) == ()


def test_lists_are_narrowed_by_every_field(store: SqlStore, clock: Clock) -> None:
    plain = store.open(request())
    other = store.open(
        request(rule("ops/wipe"), tool="disk.wipe", subjects=(Actor("agent-9"),), session="s-2")
    )
    clock.move(MINUTE)
    review = store.open(make_request(case(), clock(), kind=Kind.REVIEW))
    decide(store, other, Status.DENIED)
    for which, expected in (
        (Filter(), [review, other, plain]),
        (Filter(statuses=(Status.DENIED,)), [other]),
        (Filter(statuses=(Status.DENIED, Status.PENDING), kinds=(Kind.APPROVAL,)), [other, plain]),
        (Filter(agent="agent-9"), [other]),
        (Filter(session="s-1"), [review, plain]),
        (Filter(tool="disk.wipe"), [other]),
        (Filter(rule="ops/wipe"), [other]),
        (Filter(voter="fay@example.com"), [other]),
        (Filter(since_ns=START + 1), [review]),
        (Filter(until_ns=START + 1), [other, plain]),
        (Filter(text="wip"), [other]),
        (Filter(text="w%p"), []),
        (Filter(text=plain.id[:8]), [plain]),
        (Filter(before=review.id), [other, plain]),
        (Filter(before=review.id, statuses=(Status.PENDING,)), [plain]),
    ):
        page = store.list(which)
        assert [each.id for each in page.requests] == [each.id for each in expected], which
        assert not page.more
        assert page.damaged == ()


def test_a_long_list_comes_in_pages(store: SqlStore) -> None:
    ids = [store.open(request(tool=f"t{number}")).id for number in range(5)]
    first = store.list(Filter(limit=2))
    assert [each.id for each in first.requests] == ids[:2:-1]
    assert first.more
    second = store.list(Filter(limit=2, before=ids[3]))
    assert [each.id for each in second.requests] == [ids[2], ids[1]]
    assert not store.list(Filter(limit=2, before=ids[1])).more


def test_a_list_shows_nothing_pending_that_is_over(store: SqlStore, clock: Clock) -> None:
    store.open(request())
    clock.move(30 * MINUTE)
    assert store.list(Filter(statuses=(Status.PENDING,))).requests == ()
    assert len(store.list(Filter(statuses=(Status.EXPIRED,))).requests) == 1


def test_what_happened_is_told_in_order(store: SqlStore, clock: Clock) -> None:
    asked = bring(store, clock, Status.USED)
    other = store.open(request(tool="other"))
    clock.move(30 * MINUTE)
    store.expire()
    told = store.changes()
    assert [change[1:] for change in told] == [
        (asked.id, "opened", "agent-7", START),
        (asked.id, "voted", "fay@example.com", START),
        (asked.id, "approved", "fay@example.com", START),
        (asked.id, "used", "", START),
        (other.id, "opened", "agent-7", START),
        (other.id, "expired", "", START + 30 * MINUTE),
    ]
    assert list(told) == sorted(told, key=lambda change: change.number)
    assert store.changes(told[3].number) == told[4:]
    assert store.changes(told[3].number, 1) == told[4:5]
    assert isinstance(told[0], Change)


def test_a_reader_finds_its_place_again(open_store: Open) -> None:
    first = open_store()
    assert first.cursor("hook") == 0
    first.advance("hook", 7)
    first.advance("hook", 3)  # a reader that lags behind another of its name
    assert open_store().cursor("hook") == 7
    assert first.cursor("other") == 0


def test_what_was_shown_first_is_kept(store: SqlStore, clock: Clock) -> None:
    asked = store.open(request())
    assert store.see(asked.id, "fay@example.com") == START
    clock.move(SECOND)
    assert store.see(asked.id, "fay@example.com") == START
    assert store.see(asked.id, "finn@example.com") == START + SECOND


def test_a_rule_is_overdue_while_a_review_of_it_waits_too_long(
    store: SqlStore, clock: Clock
) -> None:
    asked = store.open(make_request(case(rule("ops/glass")), START, kind=Kind.REVIEW))
    names = ["ops/glass", "pay/large"]
    clock.move(30 * MINUTE - 1)
    assert store.overdue(names) == ()
    clock.move(1)
    assert store.overdue(names) == ("ops/glass",)
    assert store.get(asked.id).status is Status.PENDING
    decide(store, asked, Status.DENIED)
    assert store.overdue(names) == ()


def test_the_crowd_is_counted_in_the_step_that_opens(store: SqlStore, clock: Clock) -> None:
    crowds: list[Crowd] = []
    store.open(request(tool="a"), crowds.append, MINUTE)
    store.open(request(tool="b", subjects=(Actor("agent-9"),)), crowds.append, MINUTE)
    clock.move(MINUTE + 1)
    store.open(request(tool="c", now_ns=clock()), crowds.append, MINUTE)
    store.open(request(tool="c", now_ns=clock()), crowds.append, MINUTE)  # the same: not counted
    assert [(c.mine, c.open, c.recent, c.suspended) for c in crowds] == [
        (0, 0, 1, ""),
        (0, 1, 1, ""),
        (1, 2, 1, ""),
    ]


def test_a_refused_attempt_is_counted_and_opens_nothing(store: SqlStore) -> None:
    def refuse(crowd: Crowd) -> None:
        raise EscalationRefused(f"tried {crowd.recent} times", "agent_budget")

    for number in (1, 2, 3):
        with pytest.raises(EscalationRefused, match=f"tried {number} times"):
            store.open(request(), refuse, MINUTE)
    assert store.list(Filter()).requests == ()
    assert store.suspensions() == ()


def test_a_flood_suspends_until_somebody_lifts_it(store: SqlStore) -> None:
    def admit(crowd: Crowd) -> None:
        if crowd.suspended or crowd.recent > 2:
            raise EscalationRefused("too many", "suspended")

    for name in "ab":
        store.open(request(tool=name), admit, MINUTE)
    for name in "cd":
        with pytest.raises(EscalationRefused):
            store.open(request(tool=name), admit, MINUTE)
    (suspended,) = store.suspensions()
    assert (suspended.agent, suspended.since_ns, suspended.reason) == (
        "agent-7",
        START,
        "too many",
    )
    store.lift("agent-7")
    assert store.suspensions() == ()
    store.open(request(tool="e"), admit, MINUTE)
    store.suspend("agent-7", "by hand")
    assert [each.reason for each in store.suspensions()] == ["by hand"]


def test_a_waiter_knows_of_a_decision_within_a_quarter_of_a_second(open_store: Open) -> None:
    waiting, deciding = open_store(), open_store()
    asked = waiting.open(request(now_ns=waiting.now_ns()))
    told: list[float] = []

    def wait() -> None:
        assert waiting.wait(asked.id, 10).status is Status.APPROVED
        told.append(time.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.4)
    decide(deciding, asked, Status.APPROVED)
    decided = time.monotonic()
    thread.join()
    assert told[0] - decided < 0.25


async def test_waiters_on_an_event_loop_are_woken_one_by_one(open_store: Open) -> None:
    store = open_store()
    asked = [store.open(request(tool=f"t{n}", now_ns=store.now_ns())) for n in range(20)]
    tasks = [asyncio.create_task(store.wait_async(each.id, 20)) for each in asked]
    await asyncio.sleep(0.3)
    assert not any(task.done() for task in tasks)
    for each, task in zip(asked, tasks, strict=True):
        await asyncio.to_thread(decide, store, each, Status.DENIED)
        assert (await asyncio.wait_for(task, 1)).status is Status.DENIED


async def test_waiting_is_cancelled_with_its_task(open_store: Open) -> None:
    store = open_store()
    asked = store.open(request(now_ns=store.now_ns()))
    task = asyncio.create_task(store.wait_async(asked.id))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert store.get(asked.id).status is Status.PENDING


def test_waiting_ends_when_told_to(open_store: Open) -> None:
    store = open_store()
    asked = store.open(request(now_ns=store.now_ns()))
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    assert store.wait(asked.id, 10, stop).status is Status.PENDING
    assert time.monotonic() - began < 1
    assert store.wait(asked.id, 0.1).status is Status.PENDING


def test_waiting_ends_when_time_is_over(open_store: Open) -> None:
    store = open_store()
    terms = replace(rule().terms, timeout_ns=SECOND // 2)
    asked = store.open(request(rule(terms=terms), now_ns=store.now_ns()))
    began = time.monotonic()
    assert store.wait(asked.id, 10).status is Status.EXPIRED
    assert 0.3 < time.monotonic() - began < 3


def test_whoever_waits_for_any_change_is_woken(open_store: Open) -> None:
    store, other = open_store(), open_store()
    assert not store.wait_for_changes(0, 0.1)
    threading.Timer(0.2, lambda: other.open(request(now_ns=other.now_ns()))).start()
    began = time.monotonic()
    assert store.wait_for_changes(0, 10)
    assert time.monotonic() - began < 2
    stop = threading.Event()
    stop.set()
    assert not store.wait_for_changes(10_000, 10, stop)


def test_the_present_is_that_of_the_store(open_store: Open) -> None:
    store = open_store()
    assert abs(store.now_ns() - time.time_ns()) < 10 * SECOND


def test_an_approval_outlives_its_process(open_store: Open, clock: Clock) -> None:
    asked = bring(open_store(clock=clock), clock, Status.APPROVED)
    again = open_store(clock=clock)
    assert again.get(asked.id).votes[0].outcome is APPROVE
    assert again.use(asked.id, asked.digest)
    assert not open_store(clock=clock).use(asked.id, asked.digest)
