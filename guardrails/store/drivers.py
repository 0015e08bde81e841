"""Connections as the two databases need them: durable, bounded in time, and never a new file."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import create_engine, event
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.pool import NullPool, QueuePool

from guardrails.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import URL, Connection, Engine

PATIENCE_S = 5.0
"""How long a transaction waits for a lock or a connection before it fails."""

WRITES = "guardrails_writes"
"""The option of a connection that says that its transaction is to write."""

_BOUNDED = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
"""Settings of PostgreSQL that keep one stuck client from holding up all others."""


def create_file(path: Path) -> None:
    """Make an empty file that is its owner's alone, where there is none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return


def open_sqlite(path: Path, patience_s: float = PATIENCE_S) -> sqlite3.Connection:
    """A connection to a file that is there; one that is gone is an error, not a new one."""
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw",
        uri=True,
        timeout=patience_s,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        _set_journal(connection, patience_s)
        # A used approval must be known as used after a loss of power, too.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA trusted_schema=OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def _set_journal(connection: sqlite3.Connection, patience_s: float) -> None:
    """Choose the write-ahead log; SQLite doesn't wait for others who are just doing the same."""
    end = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() >= end:
                raise
            time.sleep(0.01)
        else:
            return


def connect_sqlite(path: Path) -> Engine:
    """What gives connections to a file, a new one for each transaction.

    So a fork inherits none, and a file that is gone is noticed.
    """
    engine = create_engine(
        "sqlite://", creator=lambda: open_sqlite(path), poolclass=NullPool, hide_parameters=True
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def connect_postgresql(url: URL) -> Engine:
    """What gives connections to a server; raises ConfigurationError where its driver is missing."""
    try:
        engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=12,
            pool_timeout=PATIENCE_S,
            pool_pre_ping=True,
            connect_args={"connect_timeout": int(PATIENCE_S)},
            hide_parameters=True,
        )
    except (ModuleNotFoundError, NoSuchModuleError):
        raise ConfigurationError(
            "PostgreSQL needs a driver: pip install 'policy-guardrails[postgres]'"
        ) from None

    @event.listens_for(engine, "connect")
    def bound(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            for name in _BOUNDED:
                cursor.execute(f"SET {name} = {int(PATIENCE_S * 1000)}")
        connection.commit()

    return engine
