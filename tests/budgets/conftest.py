"""Ledgers to test: each test that takes one runs in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardrails.budgets import Ledger, MemoryLedger
from guardrails.budgets.sql_ledger import SqlLedger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    sqlite = request.param == "sqlite"
    place = str(tmp_path / "approvals.db") if sqlite else request.getfixturevalue("schema")
    shared = SqlLedger(place)
    yield shared
    shared.close()
