"""Stores to test: each test that takes one runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from guardrails.approvals.sql_store import SqlStore
from tests.approvals.guarded import Office
from tests.approvals.scenes import Clock
from tests.postgresql import Missing, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Open = Callable[..., SqlStore]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    try:
        running = Server()
    except Missing as missing:
        if os.environ.get("CI"):
            pytest.fail(f"PostgreSQL is not tested: {missing}")
        pytest.skip(f"POSTGRESQL IS NOT TESTED: {missing}")
    yield running
    running.close()


@pytest.fixture
def schema(server: Server) -> Iterator[str]:
    """The URL of an empty schema of the test's own."""
    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
        yield server.url(options=f"-csearch_path%3D{name}")
        connection.execute(f"DROP SCHEMA {name} CASCADE".encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store of the test's own is: a path, or a URL."""
    if request.param == "sqlite":
        return str(tmp_path / "approvals.db")
    url: str = request.getfixturevalue("schema")
    return url


@pytest.fixture
def open_store(where: str) -> Iterator[Open]:
    """Opens the test's store, by default with this machine's clock or the server's."""
    opened: list[SqlStore] = []

    def open_(**settings: Any) -> SqlStore:
        opened.append(SqlStore(where, **settings))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(open_store: Open, clock: Clock) -> SqlStore:
    """A store whose time is `clock`'s."""
    return open_store(clock=clock)


@pytest.fixture
def office(tmp_path: Path, clock: Clock) -> Iterator[Office]:
    """Guards and people around a store whose time is `clock`'s."""
    made = Office(tmp_path / "approvals.db", clock)
    yield made
    made.store.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Office]:
    """Guards and people around a store whose time is the machine's."""
    made = Office(tmp_path / "approvals.db")
    yield made
    made.store.close()
