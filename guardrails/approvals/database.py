"""Transactions on SQLite and PostgreSQL: whole or not at all, one writer at a time.

Every writer first locks the one row of `approval_state`, so writers stand in line on PostgreSQL as
they do on SQLite. People decide some dozens of things in an hour: what is simple enough to be
believed is worth more here than what is parallel.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from sqlalchemy import create_engine, event, make_url, select, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from guardrails.approvals.migrations import STEPS, check_version, migrate, version_of
from guardrails.approvals.tables import changes, state
from guardrails.errors import ApprovalsUnavailable, ConfigurationError
from guardrails.forks import Crossing, after_fork
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import URL, Connection, Engine, Row

    Clock = Callable[[], int]

T = TypeVar("T")

CHANNEL = "guardrails_approvals"
"""The channel on which PostgreSQL tells of changes."""

SKEW_NS = 5 * 60 * NANOSECONDS
"""How far the clock may be behind a present already acted on: what hosts differ by, at worst."""

PATIENCE_S = 5.0
"""How long a transaction waits for a lock or a connection before it fails."""

LINE_S = 30.0
"""How long a writer waits for the others of its process, each of which takes milliseconds."""

_BOUNDED = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
"""Settings of PostgreSQL that keep one stuck client from holding up all others."""

_SERVER_CLOCK = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000")


class Writer:
    """A writing transaction: its connection and the present it acts on."""

    __slots__ = ("_number", "connection", "now_ns")

    def __init__(self, connection: Connection, now_ns: int, number: int) -> None:
        self.connection = connection
        self.now_ns = now_ns
        self._number = number

    def next_number(self) -> int:
        """The next number of the store; the order of numbers is the order of events."""
        self._number += 1
        return self._number

    def tell(self, request_id: str, what: str, actor: str = "") -> None:
        """Write a change down, and wake whoever waits for one."""
        self.connection.execute(
            changes.insert().values(
                number=self.next_number(),
                request_id=request_id,
                event=what,
                actor=actor,
                at_ns=self.now_ns,
            )
        )
        if self.connection.dialect.name == "postgresql":
            notify = text("SELECT pg_notify(:channel, :id)")
            self.connection.execute(notify, {"channel": CHANNEL, "id": request_id})

    def finish(self) -> None:
        """Keep the present and the numbers given for the writers to come."""
        self.connection.execute(state.update().values(latest_ns=self.now_ns, number=self._number))


class Database:
    """One database by URL, brought to the present version of its tables.

    `clock` gives nanoseconds since 1970; by default it is this machine's for SQLite, and the
    server's for PostgreSQL, so that hosts need not agree. Safe to use from threads and after a
    fork. Raises ConfigurationError for a URL that can't work, ApprovalsUnavailable where the
    database can't be reached.
    """

    def __init__(self, url: URL, clock: Clock | None = None) -> None:
        self.url = url
        self.path = Path(os.path.abspath(url.database or "")) if _is_sqlite(url) else None  # noqa: PTH100 - links stay as they are
        self._clock = clock
        self._line = threading.Lock()
        self.crossing = Crossing()
        self._engine = self._connect()
        after_fork(self, Database._leave_parent)
        self._prepare()

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection on which everything read is of one moment."""
        with self._connection() as connection, connection.begin():
            yield connection

    @contextmanager
    def beside(self) -> Iterator[Connection]:
        """A connection in a transaction that does not stand in the line of writers.

        It is for tables of which each row is a matter of its own.
        """
        with self._connection() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """The only writer. What it did holds when the block ends, and is undone when it raises."""
        with self._writing() as (connection, row):
            writer = Writer(connection, self._advance(connection, row.latest_ns), row.number)
            yield writer
            writer.finish()

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, Row[Any]]]:
        with self._turn(), self._connection() as connection:
            connection.execution_options(guardrails_writes=True)
            with connection.begin():
                yield connection, connection.execute(select(state).with_for_update()).one()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with self.crossing.working(), _refusals(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """A place in the line of this process's writers on SQLite.

        SQLite has no line: who finds the file locked sleeps, and of many who do one may starve.
        """
        if self.path is None:
            yield
            return
        if not self._line.acquire(timeout=LINE_S):
            raise ApprovalsUnavailable("the store of approvals can't be used: too many write to it")
        try:
            yield
        finally:
            self._line.release()

    def present(self, connection: Connection) -> int:
        """The later of the clock and of the latest present that a writer has acted on."""
        latest: int = connection.execute(select(state.c.latest_ns)).scalar_one()
        return max(latest, self._read_clock(connection))

    def set_clock(self, before: Callable[[Writer], T]) -> T:
        """Take the clock's word for the present, even if it goes back; `before(writer)` first."""
        with self._writing() as (connection, row):
            now = self._read_clock(connection)
            writer = Writer(connection, now, row.number)
            result = before(writer)
            writer.finish()
        return result

    def _advance(self, connection: Connection, latest_ns: int) -> int:
        now = self._read_clock(connection)
        if latest_ns - now > SKEW_NS:
            # To go on would let time stand still, and whatever waits for its end with it.
            behind = (latest_ns - now) // NANOSECONDS
            msg = (
                f"the clock is {behind} s behind what the store of approvals has seen: set it"
                " right, or run `guardrails approvals reset-clock`, which ends every open request"
            )
            raise ApprovalsUnavailable(msg)
        return max(now, latest_ns)

    def _read_clock(self, connection: Connection) -> int:
        if self._clock is not None:
            return self._clock()
        if self.path is not None:
            return time.time_ns()
        now: int = connection.execute(_SERVER_CLOCK).scalar_one()
        return now

    def _connect(self) -> Engine:
        if self.path is None:
            return _connect_postgresql(self.url)
        return _connect_sqlite(self.path)

    def _leave_parent(self) -> None:
        """Leave connections, and the line in which its threads may stand, to the parent."""
        self._engine.dispose(close=False)
        self._line = threading.Lock()

    def _prepare(self) -> None:
        """Create the tables, or take them to the present version."""
        if self.path is not None:
            with _refusals():
                _create_file(self.path)
        with self.reading() as connection:
            version = version_of(connection)
            check_version(version)
        if version < len(STEPS):
            with self._connection() as connection:
                connection.execution_options(guardrails_writes=True)
                with connection.begin():
                    migrate(connection, self._read_clock(connection))


def read_url(where: str | os.PathLike[str]) -> URL:
    """The URL of a store: of a file's path, or as given. Raises ConfigurationError for others."""
    given = os.fspath(where)
    if "://" not in given:
        return make_url("sqlite://").set(database=given)
    try:
        url = make_url(given)
    except ArgumentError:
        raise ConfigurationError("the URL of the store of approvals can't be read") from None
    kind = url.get_backend_name()
    if kind == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise ConfigurationError("approvals outlive the process: name a file for their store")
        return url
    if kind in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    msg = f"approvals are kept in SQLite or PostgreSQL, not in `{kind}`"
    raise ConfigurationError(msg)


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn whatever a database can raise into ApprovalsUnavailable."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, UnicodeError) as error:
        # The text of a driver may repeat what it was given; the first line says what failed.
        cause = str(getattr(error, "orig", None) or error).strip().splitlines() or [""]
        msg = f"the store of approvals can't be used: {cause[0]}"
        raise ApprovalsUnavailable(msg) from error


def _create_file(path: Path) -> None:
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


def _connect_sqlite(path: Path) -> Engine:
    # A connection for each transaction: a fork inherits none, a file that is gone is noticed.
    engine = create_engine(
        "sqlite://", creator=lambda: open_sqlite(path), poolclass=NullPool, hide_parameters=True
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("guardrails_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _connect_postgresql(url: URL) -> Engine:
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
