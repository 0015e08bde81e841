"""Ledgers to test: each test that takes one runs in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardrails.budgets import Ledger, MemoryLedger
from guardrails.budgets.sql_ledger import SqlLedger
from tests.approvals.conftest import schema, server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["schema", "server"]


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger that processes share is: a path, or a URL."""
    if request.param == "sqlite":
        return str(tmp_path / "approvals.db")
    url: str = request.getfixturevalue("schema")
    return url


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    sqlite = request.param == "sqlite"
    place = str(tmp_path / "approvals.db") if sqlite else request.getfixturevalue("schema")
    shared = SqlLedger.at(place)
    yield shared
    shared.close()
