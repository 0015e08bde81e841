"""Requests told as they come: none twice, none left out, and an outage is no end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.approvals.request import Status
from guardrails.approvals.sql_store import SqlStore
from guardrails.errors import ApprovalsUnavailable
from guardrails.toolchain.approvals.following import follow, newest_change
from tests.approvals.scenes import Clock, decide, request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = SqlStore(tmp_path / "approvals.db", Clock())
    yield made
    made.close()


@pytest.mark.parametrize("count", range(10))
def test_the_newest_change_is_found_whatever_there_is(store: SqlStore, count: int) -> None:
    for number in range(count):
        store.open(request(tool=f"t{number}"))
    known = store.changes()
    assert newest_change(store) == (known[-1].number if known else 0)


def test_what_is_pending_is_told_first_then_what_happens(store: SqlStore) -> None:
    old, gone = store.open(request(tool="a")), store.open(request(tool="b"))
    decide(store, gone, Status.DENIED)
    stop = threading.Event()
    sights = follow(store, stop)
    first = next(sights)
    assert first is not None
    assert (first.event, first.request.id) == ("waiting", old.id)
    new = store.open(request(tool="c"))
    decide(store, new, Status.APPROVED)
    seen = [sight for sight in (next(sights) for _ in range(3)) if sight is not None]
    assert [(each.event, each.actor) for each in seen] == [
        ("opened", "agent-7"),
        ("voted", "fay@example.com"),
        ("approved", "fay@example.com"),
    ]
    assert {each.request.id for each in seen} == {new.id}
    stop.set()
    assert list(sights) == []


def test_what_happens_in_an_outage_is_told_after_it(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardrails.toolchain.approvals.following.LOOK_S", 0.01)
    stop = threading.Event()
    store.open(request(tool="a"))
    sights = follow(store, stop)
    assert next(sights) is not None

    def fail(*_: Any) -> Any:
        raise ApprovalsUnavailable("away")

    with monkeypatch.context() as outage:
        outage.setattr(SqlStore, "wait_for_changes", fail)
        assert next(sights) is None
        new = store.open(request(tool="b"))
        assert next(sights) is None
    sight = next(sights)
    assert sight is not None
    assert (sight.event, sight.request.id) == ("opened", new.id)
    stop.set()
