"""Databases of a test's own: each test that takes `where` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import secrets
import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.postgresql import Missing, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


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
    execute(server.url(), f"CREATE SCHEMA {name}")
    yield server.url(options=f"-csearch_path%3D{name}")
    execute(server.url(), f"DROP SCHEMA {name} CASCADE")


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store of the test's own is: a path, or a URL."""
    if request.param == "sqlite":
        return str(tmp_path / "approvals.db")
    url: str = request.getfixturevalue("schema")
    return url


@pytest.fixture(name="execute")
def execute_there(where: str) -> Callable[[str], list[tuple[object, ...]]]:
    """Runs a statement behind the store's back, and returns its rows."""
    return lambda statement: execute(where, statement)


def execute(where: str, statement: str) -> list[tuple[object, ...]]:
    """The rows that a statement gives in the database at a path or URL."""
    if where.startswith("postgresql"):
        import psycopg  # only where there is a server

        with psycopg.connect(where, autocommit=True) as remote:
            found = remote.execute(statement.encode())
            return list(found.fetchall()) if found.description else []
    local = sqlite3.connect(where)
    try:
        with local:
            return local.execute(statement).fetchall()
    finally:
        local.close()
