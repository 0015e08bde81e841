"""A database that holds the tables of a schema in their present version, and errs in its words."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from guardrails.store.connections import Connections
from guardrails.store.schema import exclude_others, read_version, take_steps
from guardrails.store.urls import read_url

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import URL, Connection

    from guardrails.forks import Crossing
    from guardrails.store.connections import Clock
    from guardrails.store.schema import Schema

FAILURES = (SQLAlchemyError, sqlite3.Error, OSError, UnicodeError)
"""Whatever a database can raise: itself, its driver, its file, or a text that it can't hold."""


class Database:
    """The tables of `schema` over `connections`, made or brought to their present version.

    What fails raises the error of the schema, tables of a later release among it.
    """

    __slots__ = ("_owned", "connections", "schema")

    def __init__(self, connections: Connections, schema: Schema, *, owned: bool = False) -> None:
        self.connections = connections
        self.schema = schema
        self._owned = owned
        try:
            self._bring_up(schema)
        except BaseException:
            self.close()
            raise

    @classmethod
    def at(
        cls, where: str | os.PathLike[str] | Database, schema: Schema, clock: Clock | None = None
    ) -> Database:
        """The tables in the database at a path or URL, made if it is not there, or in a given one.

        One that is given stays open when this is closed. `clock` is for the connections that are
        opened, see there. Raises ConfigurationError for what can't be a store.
        """
        if isinstance(where, Database):
            return cls(where.connections, schema)
        url = read_url(where)
        with _refusals(schema):
            connections = Connections(url, clock)
        return cls(connections, schema, owned=True)

    @property
    def url(self) -> URL:
        """Where the database is, the password included."""
        return self.connections.url

    @property
    def path(self) -> Path | None:
        """The file of the database, None on PostgreSQL."""
        return self.connections.path

    @property
    def crossing(self) -> Crossing:
        """Where forks wait for what is at work in SQLite."""
        return self.connections.crossing

    def close(self) -> None:
        """Give back the connections, if they are this database's own."""
        if self._owned:
            self.connections.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection on which everything read is of one moment."""
        with _refusals(self.schema), self.connections.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection whose changes hold when the block ends, and are undone when it raises.

        On SQLite it is the only one that writes; on PostgreSQL rows that are read need locks.
        """
        with _refusals(self.schema), self.connections.writing() as connection:
            yield connection

    def _bring_up(self, schema: Schema) -> None:
        if schema.rests_on is not None:
            self._bring_up(schema.rests_on)
        with self.reading() as connection:
            version = self._version(connection, schema)
        if version < len(schema.steps):
            self._migrate(schema)

    def _migrate(self, schema: Schema) -> None:
        with self.writing() as connection:
            exclude_others(connection)
            version = self._version(connection, schema)  # another may have come first
            if version < len(schema.steps):
                now_ns = self.connections.read_clock(connection)
                take_steps(connection, schema, version, now_ns)

    def _version(self, connection: Connection, schema: Schema) -> int:
        """The version of the tables, refused where a later release has made it."""
        version, known = read_version(connection, schema), len(schema.steps)
        if version > known:
            msg = (
                f"{schema.title} is of version {version}, written by a later release;"
                f" this one knows version {known}: upgrade it"
            )
            raise self.schema.unavailable(msg)
        return version


@contextmanager
def _refusals(schema: Schema) -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        raise schema.refuse(error) from error
