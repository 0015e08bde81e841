"""The line of those who write to the store of approvals, and the present that they act on.

Every writer first locks the one row of `approval_state`, so writers stand in line on PostgreSQL as
they do on SQLite. People decide some dozens of things in an hour: what is simple enough to be
believed is worth more here than what is parallel.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select, text

from guardrails.approvals.tables import changes, state
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Row

    from guardrails.store.database import Database

T = TypeVar("T")

CHANNEL = "guardrails_approvals"
"""The channel on which PostgreSQL tells of changes."""

SKEW_NS = 5 * 60 * NANOSECONDS
"""How far the clock may be behind a present already acted on: what hosts differ by, at worst."""


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


class Line:
    """The line in a database that holds the tables of approvals. What fails is as that says it."""

    __slots__ = ("database",)

    def __init__(self, database: Database) -> None:
        self.database = database

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection on which everything read is of one moment; nobody stands in line for it."""
        with self.database.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """The only writer. What it did holds when the block ends, and is undone when it raises."""
        with self._first() as (connection, row):
            writer = Writer(connection, self._advance(connection, row.latest_ns), row.number)
            yield writer
            writer.finish()

    def present(self, connection: Connection) -> int:
        """The later of the clock and of the latest present that a writer has acted on."""
        latest: int = connection.execute(select(state.c.latest_ns)).scalar_one()
        return max(latest, self._read_clock(connection))

    def set_clock(self, before: Callable[[Writer], T]) -> T:
        """Take the clock's word for the present, even if it goes back; `before(writer)` first."""
        with self._first() as (connection, row):
            writer = Writer(connection, self._read_clock(connection), row.number)
            result = before(writer)
            writer.finish()
        return result

    @contextmanager
    def _first(self) -> Iterator[tuple[Connection, Row[Any]]]:
        with self.database.writing() as connection:
            yield connection, connection.execute(select(state).with_for_update()).one()

    def _advance(self, connection: Connection, latest_ns: int) -> int:
        now = self._read_clock(connection)
        if latest_ns - now > SKEW_NS:
            # To go on would let time stand still, and whatever waits for its end with it.
            behind = (latest_ns - now) // NANOSECONDS
            msg = (
                f"the clock is {behind} s behind what the store of approvals has seen: set it"
                " right, or run `guardrails approvals reset-clock`, which ends every open request"
            )
            raise self.database.schema.unavailable(msg)
        return max(now, latest_ns)

    def _read_clock(self, connection: Connection) -> int:
        return self.database.connections.read_clock(connection)
