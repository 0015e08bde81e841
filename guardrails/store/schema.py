"""Tables of one purpose in a database, and the steps by which they came to be what they are.

The version of a schema is how many of its steps a database has gone through; a table of the
schema's own keeps it. A step that has been released is never changed: a database somewhere has gone
through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, inspect, select, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection

    from guardrails.errors import GuardrailsError

    Step = Callable[[Connection], None]

_LOCK = 0x6775_6172_6472  # "guardr": the number of PostgreSQL's advisory lock while migrating

_TYPES = {
    "sqlite": {"bytes": "BLOB", "serial": "INTEGER PRIMARY KEY AUTOINCREMENT"},
    "postgresql": {"bytes": "BYTEA", "serial": "BIGSERIAL PRIMARY KEY"},
}
"""What the databases call differently, by the names that steps use."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables called `title` in errors, which are of the kind `unavailable`.

    `versions` is the table that keeps the version. `unversioned` is the last table that the first
    step made in releases that kept no version: where it is found alone, the version is 1.
    `rests_on` is a schema whose tables are used beside the own ones, so they are there first.
    """

    title: str
    unavailable: type[GuardrailsError]
    versions: str
    steps: tuple[Step, ...]
    unversioned: str = ""
    rests_on: Schema | None = None

    def refuse(self, cause: BaseException) -> GuardrailsError:
        """The error that tells of what a database raised, by its first line.

        The text of a driver may repeat what it was given; the first line says what failed.
        """
        lines = str(getattr(cause, "orig", None) or cause).strip().splitlines() or [""]
        return self.unavailable(f"{self.title} can't be used: {lines[0]}")


def script(statements: str) -> Step:
    """A step of these statements, parted by `;`, with `{bytes}` and `{serial}` for two types."""

    def step(connection: Connection) -> None:
        types = _TYPES[connection.dialect.name]
        execute_all(connection, statements.format(**types).split(";"))

    return step


def execute_all(connection: Connection, statements: Iterable[str]) -> None:
    """Execute the statements of a step, one after the other."""
    for statement in statements:
        connection.execute(text(statement))


def read_version(connection: Connection, schema: Schema) -> int:
    """How many steps the tables have gone through, 0 where there are none yet."""
    present = inspect(connection)
    if present.has_table(schema.versions):
        versions = _table(schema)
        return max(connection.scalars(select(versions.c.version)), default=0)
    return int(bool(schema.unversioned) and present.has_table(schema.unversioned))


def exclude_others(connection: Connection) -> None:
    """Let one transaction migrate at a time: on SQLite one that writes is the only one anyway.

    On PostgreSQL, of several that make the same table at once, all but one would fail.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))


def take_steps(connection: Connection, schema: Schema, version: int, now_ns: int) -> None:
    """Take the tables from `version` to the present one, within a transaction that writes."""
    versions = _table(schema)
    versions.create(connection, checkfirst=True)
    kept = set(connection.scalars(select(versions.c.version)))
    for number, step in enumerate(schema.steps, 1):
        if number > version:
            step(connection)
        if number not in kept:  # of tables from before versions were kept, the first is not
            connection.execute(versions.insert().values(version=number, applied_ns=now_ns))


def _table(schema: Schema) -> Table:
    return Table(
        schema.versions,
        MetaData(),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("applied_ns", BigInteger, nullable=False),
    )
