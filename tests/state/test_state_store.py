"""The shared state on SQLite and PostgreSQL: what is kept, in which order, and by how many."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from guardrails.errors import StateUnavailable
from guardrails.past import Calls, Outcome
from guardrails.session.shared import SharedState
from guardrails.state.sql import SqlState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def state(where: str) -> Iterator[SqlState]:
    made = SqlState(where)
    yield made
    made.close()


def test_a_stop_is_kept_once_and_ends_once(state: SqlState, where: str) -> None:
    first = state.stop("agent-7", "wild", "dana")
    assert state.stop("agent-7", "again", "erin") == first
    other = SqlState(where)
    assert [(each.name, each.reason, each.by) for each in other.stops()] == [
        ("agent-7", "wild", "dana")
    ]
    assert other.resume("agent-7", "erin")
    assert not other.resume("agent-7", "erin")
    assert state.stops() == ()
    other.close()


def test_events_come_in_one_order_and_only_those_of_the_session(state: SqlState) -> None:
    state.append("s", [("a", "1", 5), ("b", "2", 4)], {})
    state.append("t", [("c", "3", 6)], {})
    state.append("s", [("d", "4", 3)], {})
    found = state.read("s", 0)
    assert [event[1:] for event in found] == [("a", "1", 5), ("b", "2", 4), ("d", "4", 3)]
    assert [event[1:] for event in state.read("s", found[1][0])] == [("d", "4", 3)]


def test_a_text_is_kept_once_and_for_its_session_alone(
    state: SqlState, execute: Callable[[str], list[tuple[object, ...]]]
) -> None:
    state.append("s", [("a", "1", 5)], {"d1": "one", "d2": "two"})
    state.append("s", [("b", "2", 6)], {"d2": "two", "d3": "three"})
    assert state.texts("s", ["d1", "d3", "d4"]) == {"d1": "one", "d3": "three"}
    assert state.texts("t", ["d1"]) == {}
    assert execute("SELECT count(*) FROM state_session_texts") == [(3,)]


def test_the_key_is_one_for_all_and_a_token_is_used_once(state: SqlState, where: str) -> None:
    other = SqlState(where)
    assert state.key() == other.key()
    assert len(state.key()) == 32
    later = 4_000_000_000_000_000_000
    assert state.redeem("nonce", later)
    assert not other.redeem("nonce", later)
    other.close()


def test_a_store_that_was_put_in_the_place_of_the_first_is_not_believed(tmp_path: Path) -> None:
    path, other = tmp_path / "state.db", tmp_path / "other.db"
    state = SqlState(str(path))
    state.stop("agent-7", "wild", "dana")
    SqlState(str(other)).close()
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    path.rename(tmp_path / "kept.db")
    other.rename(path)
    with pytest.raises(StateUnavailable, match="another store was put in its place"):
        state.stops()
    state.close()


def test_many_at_once_lose_no_call(state: SqlState, where: str) -> None:
    def call(_: int) -> None:
        own = SqlState(where)
        session = SharedState("s", None, own)
        for _ in range(5):
            session.started("t", None)
        own.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(call, range(4)))
    whole = SharedState("s", None, state)
    assert whole.count(Calls(("t",), None, Outcome.CALLED), None) == 20


def test_a_state_of_a_later_release_is_refused(
    state: SqlState, where: str, execute: Callable[[str], object]
) -> None:
    execute("INSERT INTO state_versions (version, applied_ns) VALUES (99, 1)")
    with pytest.raises(StateUnavailable, match="of version 99, written by a later release"):
        SqlState(where)
