"""What channels are yet to be told: written with what happened, and kept until it is delivered."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text

from guardrails.approvals.channels.channel import ALL_EVENTS, USUAL_EVENTS
from guardrails.approvals.migrations import APPROVALS
from guardrails.approvals.request import Kind, Status, make_request
from guardrails.approvals.sql_store import SqlStore
from guardrails.approvals.terms import Stage, Terms
from guardrails.approvals.untold import Untold
from guardrails.store.database import Database
from tests.approvals.scenes import MINUTE, SECOND, START, Clock, case, decide, request, rule

LEASE = 60 * SECOND


def told(store: SqlStore, channel: str = "desk") -> list[tuple[str, str]]:
    return [(each.request_id, each.event) for each in store.outbox.waiting(channel)]


def test_a_new_channel_is_told_of_what_is_pending_and_of_nothing_before(store: SqlStore) -> None:
    decide(store, store.open(request(tool="done")), Status.DENIED)
    asked = store.open(request())
    store.outbox.collect("desk", USUAL_EVENTS)
    assert told(store) == [(asked.id, "opened")]


def test_everything_after_that_is_told_once_and_in_order(store: SqlStore, clock: Clock) -> None:
    store.outbox.collect("desk", ALL_EVENTS)
    first, second = store.open(request()), store.open(request(tool="other"))
    decide(store, first, Status.APPROVED)
    store.outbox.collect("desk", ALL_EVENTS)
    store.outbox.collect("desk", ALL_EVENTS)
    assert store.use(first.id, first.digest)
    clock.move(31 * MINUTE)
    store.outbox.collect("desk", ALL_EVENTS)
    assert told(store) == [
        (first.id, "opened"),
        (second.id, "opened"),
        (first.id, "voted"),
        (first.id, "approved"),
        (first.id, "used"),
        (second.id, "expired"),
    ]


def test_a_channel_is_told_of_the_events_it_asks_for(store: SqlStore) -> None:
    store.outbox.collect("desk", ["denied"])
    decide(store, store.open(request()), Status.DENIED)
    store.outbox.collect("desk", ["denied"])
    assert [event for _, event in told(store)] == ["denied"]


def test_channels_do_not_share_what_they_are_told(store: SqlStore) -> None:
    store.open(request())
    store.outbox.collect("desk", USUAL_EVENTS)
    store.outbox.collect("pager", USUAL_EVENTS)
    mine = store.outbox.take("desk", LEASE)
    assert mine is not None
    store.outbox.confirm(mine)
    assert told(store) == []
    assert len(told(store, "pager")) == 1


def test_a_notice_that_was_taken_is_nobody_elses_until_its_lease_is_over(
    store: SqlStore, clock: Clock
) -> None:
    store.open(request())
    store.outbox.collect("desk", USUAL_EVENTS)
    first = store.outbox.take("desk", LEASE)
    assert first is not None
    assert store.outbox.take("desk", LEASE) is None
    clock.move(LEASE)
    again = store.outbox.take("desk", LEASE)
    assert again is not None
    assert (again.notice, again.attempts) == (first.notice, 2)


def test_a_notice_that_is_given_up_is_kept_and_not_tried_again(
    store: SqlStore, clock: Clock
) -> None:
    store.open(request())
    store.outbox.collect("desk", USUAL_EVENTS)
    taken = store.outbox.take("desk", LEASE)
    assert taken is not None
    store.outbox.postpone(taken, SECOND, "the address answers 500")
    clock.move(SECOND)
    taken = store.outbox.take("desk", LEASE)
    assert taken is not None
    assert taken.error == "the address answers 500"
    store.outbox.give_up(taken, "the address answers 410")
    clock.move(1000 * MINUTE)
    assert store.outbox.take("desk", LEASE) is None
    assert [each.error for each in store.outbox.given_up()] == ["the address answers 410"]


def give_up(store: SqlStore, channel: str, error: str) -> None:
    taken = store.outbox.take(channel, LEASE)
    assert taken is not None
    store.outbox.give_up(taken, error)


def test_what_channels_could_not_be_told_is_counted_with_what_of_it_still_waits(
    store: SqlStore, clock: Clock
) -> None:
    over, waits = store.open(request()), store.open(request(tool="other"))
    for channel in ("desk", "slack", "works"):
        store.outbox.collect(channel, ["opened", "denied"])
    decide(store, over, Status.DENIED)
    store.outbox.collect("desk", ["opened", "denied"])
    assert store.outbox.untold() == ()
    for error in ("first", "second", "third"):
        clock.move(SECOND)
        give_up(store, "desk", error)
    give_up(store, "slack", "the address answers 410")
    at = clock()
    assert store.outbox.untold() == (
        Untold("desk", 3, 1, at, "third"),
        Untold("slack", 1, 0, at, "the address answers 410"),
    )
    assert [each.notices for each in store.outbox.untold(at)] == [1, 1]
    assert store.outbox.untold(at + 1) == ()
    store.cancel(waits.id, "fay")
    assert [each.pending for each in store.outbox.untold()] == [0, 0]


def test_people_who_join_later_are_told_when_they_join(store: SqlStore, clock: Clock) -> None:
    terms = Terms.any_of(["finance"], then=(Stage(10 * MINUTE, ("oncall",)),))
    store.open(request(rule(terms=terms)))
    store.outbox.collect("desk", USUAL_EVENTS)
    taken = store.outbox.take("desk", LEASE)
    assert taken is not None
    store.outbox.confirm(taken)
    assert store.outbox.take("desk", LEASE) is None
    assert store.outbox.next_due_ns("desk") == START + 10 * MINUTE
    clock.move(10 * MINUTE)
    joined = store.outbox.take("desk", LEASE)
    assert joined is not None
    assert (joined.event, joined.at_ns) == ("widened", START + 10 * MINUTE)


def test_a_review_is_told_when_it_is_overdue(store: SqlStore, clock: Clock) -> None:
    store.open(make_request(case(), clock(), kind=Kind.REVIEW))
    store.outbox.collect("desk", USUAL_EVENTS)
    assert [event for _, event in told(store)] == ["opened", "overdue"]
    assert store.outbox.next_due_ns("desk") == START
    clock.move(30 * MINUTE)
    taken = [store.outbox.take("desk", LEASE) for _ in range(2)]
    assert [each and each.event for each in taken] == ["opened", "overdue"]


def test_a_damaged_request_holds_up_no_other(store: SqlStore) -> None:
    store.open(request(tool="bad"))
    store.open(request(tool="good"))
    with store._database.writing() as connection:
        drop = "DROP TRIGGER approval_requests_kept_update"
        postgresql = connection.dialect.name == "postgresql"
        connection.execute(text(drop + (" ON approval_requests" if postgresql else "")))
        spoil = text("UPDATE approval_requests SET body = 'x' WHERE tool = 'bad'")
        connection.execute(spoil)
    store.outbox.collect("desk", USUAL_EVENTS)
    assert [event for _, event in told(store)] == ["opened", "opened"]


def test_a_store_of_the_first_version_gets_its_outbox(where: str) -> None:
    Database.at(where, replace(APPROVALS, steps=APPROVALS.steps[:1])).close()
    store = SqlStore(where)
    store.open(request(now_ns=store.now_ns()))
    store.outbox.collect("desk", USUAL_EVENTS)
    assert [event for _, event in told(store)] == ["opened"]
    store.close()
