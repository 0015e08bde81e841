"""Stores to test: each test that takes one runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardrails.approvals.sql_store import SqlStore
from tests.approvals.guarded import Office
from tests.approvals.scenes import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Open = Callable[..., SqlStore]


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
