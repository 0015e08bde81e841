"""A place for shared state: a file, or a schema of a PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.postgresql import Missing, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
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


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a state of the test's own is: a path, or a URL."""
    if request.param == "sqlite":
        yield str(tmp_path / "state.db")
        return
    server: Server = request.getfixturevalue("server")
    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
        yield server.url(options=f"-csearch_path%3D{name}")
        connection.execute(f"DROP SCHEMA {name} CASCADE".encode())
