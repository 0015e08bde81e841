"""Short transactions on SQLite and PostgreSQL, a connection being kept for the next one."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from guardrails.errors import BudgetsUnavailable
from guardrails.forks import Crossing, after_fork
from guardrails.store.drivers import open_sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy import Connection

    from guardrails.store.database import Database

    Row = Sequence[Any]


class Transaction(Protocol):
    """A transaction that has begun."""

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> Sequence[Row]:
        """The rows that a statement gives, with `values` for its question marks."""


class Transactions(Protocol):
    """Where transactions come from."""

    def begin(self, *, writes: bool) -> AbstractContextManager[Transaction]:
        """A transaction, undone if its block raises; raises BudgetsUnavailable."""

    def close(self) -> None:
        """Give back the connections."""


class SqliteTransactions:
    """Transactions on a file, one at a time in this process and, if they write, in all.

    In WAL with synchronous=NORMAL a commit survives the process, and a loss of power may undo the
    last ones: a write to the disk each time would cost milliseconds.
    """

    __slots__ = (
        "__weakref__",
        "_closed",
        "_crossing",
        "_database",
        "_file",
        "_lock",
        "_open",
        "_parents",
        "_path",
    )

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._path = path
        self._parents: list[sqlite3.Connection | None] = []
        self._open: sqlite3.Connection | None = None
        self._closed = False
        self._file = (0, 0)
        self._lock = Lock()
        self._crossing = Crossing()
        after_fork(self, SqliteTransactions._leave_parent)

    def _leave_parent(self) -> None:
        self._parents.append(self._open)  # closed here, it could take the parent's log away
        self._open = None
        self._lock = Lock()

    @contextmanager
    def begin(self, *, writes: bool) -> Iterator[Transaction]:
        """A transaction, undone if its block raises; raises BudgetsUnavailable."""
        with self._lock, self._crossing.working():
            try:
                connection = self._connect()
                connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
                try:
                    yield _SqliteTransaction(connection)
                except BaseException:
                    connection.rollback()
                    raise
                connection.execute("COMMIT")
            except (sqlite3.Error, OSError) as error:
                self._drop()
                raise self._database.schema.refuse(error) from error

    def close(self) -> None:
        """Close the connection; a transaction to come is refused."""
        with self._lock, self._crossing.working():
            self._closed = True
            self._drop()
        self._database.close()

    def __del__(self) -> None:
        self._drop()  # a guard may be dropped without being closed

    def _connect(self) -> sqlite3.Connection:
        """The open connection; a file that was put in its place is another store."""
        if self._closed:
            raise BudgetsUnavailable("the ledger of budgets is closed")
        status = self._path.stat()
        if self._open is None or self._file != (status.st_dev, status.st_ino):
            self._drop()
            self._open = open_sqlite(self._path)
            self._open.execute("PRAGMA synchronous=NORMAL")
            self._file = (status.st_dev, status.st_ino)
        return self._open

    def _drop(self) -> None:
        connection, self._open = self._open, None
        if connection is not None:
            connection.close()


class _SqliteTransaction:
    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> Sequence[Row]:
        return self._connection.execute(statement, values).fetchall()


class PostgresTransactions:
    """Transactions on PostgreSQL, by the connections of its database."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def begin(self, *, writes: bool) -> Iterator[Transaction]:  # noqa: ARG002 - rows are locked
        """A transaction, undone if its block raises; raises BudgetsUnavailable."""
        with self._database.writing() as connection:
            yield _PostgresTransaction(connection)

    def close(self) -> None:
        """Give back the connections."""
        self._database.close()


class _PostgresTransaction:
    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> Sequence[Row]:
        result = self._connection.exec_driver_sql(statement.replace("?", "%s"), values)
        return result.fetchall() if result.returns_rows else ()
