"""Databases that earlier releases have made go on working.

`released_*.sql` are dumps of one that held an approval, a stop, an event of a session, and two
budgets, made before budgets kept the version of their tables.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import inspect

from guardrails.approvals.request import Status
from guardrails.approvals.sql_store import SqlStore
from guardrails.approvals.store import Filter
from guardrails.budgets import Reservation
from guardrails.budgets.sql_ledger import SqlLedger
from guardrails.errors import ApprovalsUnavailable, BudgetsUnavailable, StateUnavailable
from guardrails.spending import Charge
from guardrails.state.sql import SqlState
from tests.approvals.scenes import START, Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.store.database import Database

    Execute = Callable[[str], list[tuple[object, ...]]]

HERE = Path(__file__).parent
DAY = 86_400 * 10**9


@pytest.fixture
def released(where: str) -> str:
    """A database as an earlier release has left it."""
    if where.startswith("postgresql"):
        import psycopg

        with psycopg.connect(where) as server:
            server.execute((HERE / "released_postgresql.sql").read_bytes())
        return where
    local = sqlite3.connect(where)
    local.executescript((HERE / "released_sqlite.sql").read_text())
    local.close()
    return where


def test_an_approval_is_there_and_is_used_once(released: str) -> None:
    store = SqlStore(released, Clock())
    (asked,) = store.list(Filter()).requests
    assert (asked.tool, asked.status) == ("payments.transfer", Status.APPROVED)
    assert store.use(asked.id, asked.digest)
    assert not store.use(asked.id, asked.digest)
    store.close()


def test_a_stop_holds_and_a_session_goes_on(released: str) -> None:
    store = SqlStore(released, Clock())
    state = SqlState(store._database)
    assert [(each.name, each.reason, each.by) for each in state.stops()] == [
        ("agent-7", "wild", "dana")
    ]
    state.append("s-1", [("call", "{}", 6)])
    assert [event[1:] for event in state.read("s-1", 0)] == [("call", "{}", 5), ("call", "{}", 6)]
    store.close()


def test_what_was_spent_stays_spent(released: str) -> None:
    ledger = SqlLedger(released)
    ever, rolls = (
        Charge("p/ever", '["ever"]', 3, 10),
        Charge("p/rolls", '["ever"]', 2, 10, DAY),
    )
    assert [ledger.spent(each, START) for each in (ever, rolls)] == [3, 2]
    assert isinstance(ledger.reserve([ever, rolls], START), Reservation)
    assert [ledger.spent(each, START) for each in (ever, rolls)] == [6, 4]
    ledger.close()


def describe(database: Database) -> dict[str, Any]:
    """The columns and indexes of each table."""
    with database.reading() as connection:
        found = inspect(connection)
        return {
            name: (
                [(each["name"], str(each["type"])) for each in found.get_columns(name)],
                sorted(str(each["name"]) for each in found.get_indexes(name)),
            )
            for name in found.get_table_names()
        }


def open_all(where: str) -> tuple[SqlState, SqlLedger]:
    state = SqlState(where)
    return state, SqlLedger(state._database)


def test_one_that_is_made_anew_has_the_same_tables(
    released: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    state, _ = open_all(released)
    before = describe(state._database)
    state.close()
    if released.startswith("postgresql"):
        server = request.getfixturevalue("server")
        fresh = server.url(options="-csearch_path%3Dfresh")
        import psycopg

        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE SCHEMA fresh")
        request.addfinalizer(lambda: drop_fresh(server.url()))
    else:
        fresh = str(tmp_path / "fresh.db")
    state, _ = open_all(fresh)
    after = describe(state._database)
    state.close()
    assert after.pop("budget_versions")
    assert after == before


def drop_fresh(url: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA fresh CASCADE")


LATER = [
    ("approval_migrations", SqlStore, ApprovalsUnavailable, "the store of approvals", 2),
    ("approval_migrations", SqlState, StateUnavailable, "the store of approvals", 2),
    ("state_versions", SqlState, StateUnavailable, "the shared state", 1),
    ("budget_versions", SqlLedger, BudgetsUnavailable, "the ledger of budgets", 1),
]


@pytest.mark.parametrize(("table", "open_", "error", "title", "known"), LATER)
def test_one_of_a_later_release_is_refused(
    where: str,
    execute: Execute,
    table: str,
    open_: Callable[[str], object],
    error: type[Exception],
    title: str,
    known: int,
) -> None:
    state, _ = open_all(where)
    state.close()
    execute(f"INSERT INTO {table} (version, applied_ns) VALUES (99, 1)")
    with pytest.raises(error) as refused:
        open_(where)
    assert str(refused.value) == (
        f"{title} is of version 99, written by a later release; this one knows version {known}:"
        " upgrade it"
    )
