"""Databases that earlier releases have made go on working.

`released_*.sql` are dumps of one that held an approval, a stop, an event of a session, and two
budgets, made before budgets kept the version of their tables.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import inspect

from guardrails.approvals.migrations import APPROVALS
from guardrails.approvals.request import Status
from guardrails.approvals.sql_store import SqlStore
from guardrails.approvals.store import Filter
from guardrails.budgets import Reservation
from guardrails.budgets.sql_ledger import SqlLedger
from guardrails.budgets.tables import BUDGETS
from guardrails.errors import ApprovalsUnavailable, BudgetsUnavailable, StateUnavailable
from guardrails.spending import Charge
from guardrails.state.sql import SqlState
from guardrails.state.tables import STATE
from guardrails.store.database import Database
from guardrails.store.schema import script
from tests.approvals.scenes import START, Clock
from tests.databases import execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.store.schema import Schema
    from tests.postgresql import Server

HERE = Path(__file__).parent
DAY = 86_400 * 10**9


def release(where: str) -> str:
    """Make a database as an earlier release has left it, and return where."""
    if where.startswith("postgresql"):
        execute(where, (HERE / "released_postgresql.sql").read_text())
        return where
    local = sqlite3.connect(where)
    local.executescript((HERE / "released_sqlite.sql").read_text())
    local.close()
    return where


@pytest.fixture
def released(where: str) -> str:
    return release(where)


def test_an_approval_is_there_and_is_used_once(released: str) -> None:
    store = SqlStore(released, Clock())
    (asked,) = store.list(Filter()).requests
    assert (asked.tool, asked.status) == ("payments.transfer", Status.APPROVED)
    assert store.use(asked.id, asked.digest)
    assert not store.use(asked.id, asked.digest)
    store.close()


def test_a_stop_holds_and_a_session_is_known(released: str) -> None:
    database = Database.at(released, STATE, Clock())
    state = SqlState(database)
    assert [(each.name, each.reason, each.by) for each in state.stops()] == [
        ("agent-7", "wild", "dana")
    ]
    assert [event[1:] for event in state.read("s-1", 0)] == [("call", "{}", START)]
    assert state.resume("agent-7", "fay")
    assert state.stops() == ()
    database.close()


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


def test_a_role_that_may_make_no_tables_goes_on_with_those_that_are_there(
    schema: str, server: Server
) -> None:
    Database.at(release(schema), STATE).close()
    name = schema.rpartition("%3D")[2]
    role = f"{name}_agent"
    for statement in (
        f"CREATE ROLE {role} LOGIN",
        f"GRANT USAGE ON SCHEMA {name} TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO {role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {name} TO {role}",
    ):
        execute(server.url(), statement)
    url = schema.replace("user=guardrails", f"user={role}")
    with pytest.raises(BudgetsUnavailable, match="permission denied"):
        Database.at(url, replace(BUDGETS, steps=(*BUDGETS.steps, script("SELECT 1"))))
    database = Database.at(url, STATE, Clock())
    assert SqlState(database).resume("agent-7", "fay")
    charge = Charge("p/ever", '["ever"]', 3, 10)
    assert isinstance(SqlLedger(database).reserve([charge], START), Reservation)
    database.close()
    execute(server.url(), f"DROP OWNED BY {role}")
    execute(server.url(), f"DROP ROLE {role}")


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


def bring_up(where: str) -> dict[str, Any]:
    """What tables there are once every one is of the present version."""
    database = Database.at(where, STATE)
    Database.at(database, BUDGETS)
    found = describe(database)
    database.close()
    return found


def test_one_that_is_made_anew_has_the_same_tables(
    released: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if released.startswith("postgresql"):
        server: Server = request.getfixturevalue("server")
        execute(server.url(), "CREATE SCHEMA fresh")
        request.addfinalizer(lambda: execute(server.url(), "DROP SCHEMA fresh CASCADE"))
        fresh = server.url(options="-csearch_path%3Dfresh")
    else:
        fresh = str(tmp_path / "fresh.db")
    made = bring_up(fresh)
    assert made.pop("budget_versions")
    assert made == bring_up(released)


LATER = [
    (APPROVALS, SqlStore, ApprovalsUnavailable),
    (STATE, SqlState, StateUnavailable),
    (APPROVALS, SqlState, StateUnavailable),
    (BUDGETS, SqlLedger, BudgetsUnavailable),
]


@pytest.mark.parametrize(("schema_", "open_", "error"), LATER)
def test_one_of_a_later_release_is_refused(
    where: str, schema_: Schema, open_: Callable[[str], object], error: type[Exception]
) -> None:
    bring_up(where)
    execute(where, f"INSERT INTO {schema_.versions} (version, applied_ns) VALUES (99, 1)")
    with pytest.raises(error) as refused:
        open_(where)
    assert str(refused.value) == (
        f"{schema_.title} is of version 99, written by a later release;"
        f" this one knows version {len(schema_.steps)}: upgrade it"
    )
