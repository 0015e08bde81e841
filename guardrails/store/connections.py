"""Transactions on a file of SQLite or a server of PostgreSQL, for threads and across forks.

What a database raises comes out as it is: `Database` says it in the words of whose tables failed.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from guardrails.forks import Crossing, after_fork
from guardrails.store.drivers import WRITES, connect_postgresql, connect_sqlite, create_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import URL, Connection, Engine

    Clock = Callable[[], int]

LINE_S = 30.0
"""How long a writer waits for the others of its process, each of which takes milliseconds."""

_SERVER_CLOCK = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000")


class Connections:
    """The connections to one database by URL; of SQLite the file is made if it is not there.

    `clock` gives nanoseconds since 1970; by default it is this machine's for SQLite, and the
    server's for PostgreSQL, so that hosts need not agree. Safe to use from threads and after a
    fork. Raises ConfigurationError for a URL that can't work, OSError for a file.
    """

    def __init__(self, url: URL, clock: Clock | None = None) -> None:
        self.url = url
        sqlite = url.get_backend_name() == "sqlite"
        self.path = Path(os.path.abspath(url.database or "")) if sqlite else None  # noqa: PTH100 - links stay as they are
        self.crossing = Crossing()
        self._clock = clock
        self._line = threading.Lock()
        if self.path is not None:
            create_file(self.path)
        self._engine = self._connect()
        after_fork(self, Connections._leave_parent)

    def _connect(self) -> Engine:
        return connect_postgresql(self.url) if self.path is None else connect_sqlite(self.path)

    def _leave_parent(self) -> None:
        """Leave connections, and the line in which its threads may stand, to the parent."""
        self._engine.dispose(close=False)
        self._line = threading.Lock()

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self._connection() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write; on SQLite the only one at that moment."""
        with self._turn(), self._connection() as connection:
            connection.execution_options(**{WRITES: True})
            with connection.begin():
                yield connection

    def read_clock(self, connection: Connection) -> int:
        """The present by the clock of these connections, in nanoseconds since 1970."""
        if self._clock is not None:
            return self._clock()
        if self.path is not None:
            return time.time_ns()
        now: int = connection.execute(_SERVER_CLOCK).scalar_one()
        return now

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with self.crossing.working(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """A place in the line of this process's writers on SQLite; raises TimeoutError.

        SQLite has no line: who finds the file locked sleeps, and of many who do one may starve.
        """
        if self.path is None:
            yield
            return
        line = self._line  # a fork within the block makes another
        if not line.acquire(timeout=LINE_S):
            raise TimeoutError("too many write to it")
        try:
            yield
        finally:
            line.release()
