"""The tables of what guards share, and the steps by which they came to be what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    inspect,
    select,
    text,
)

from guardrails.errors import StateUnavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

metadata = MetaData()

stops = Table(
    "state_stops",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("stopped_by", Text, nullable=False),
    Column("since_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger, nullable=False, default=0),
    Column("ended_by", Text, nullable=False, default=""),
    Index("state_stops_present", "ended_ns", "name"),
)
"""One row for each stop, kept when it ends: who stopped whom, and who let them go on."""

events = Table(
    "state_session_events",
    metadata,
    Column("session", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
)
"""What happened in sessions, in the order of its numbers."""

keys = Table(
    "state_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
)

tokens = Table(
    "state_tokens",
    metadata,
    Column("nonce", Text, primary_key=True),
    Column("expires_ns", BigInteger, nullable=False),
)
"""Tokens of delegations that have been used; each is good for once."""

versions = Table(
    "state_versions",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("applied_ns", BigInteger, nullable=False),
)

_FIRST = """
CREATE TABLE state_stops (
    number BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    reason TEXT NOT NULL,
    stopped_by TEXT NOT NULL,
    since_ns BIGINT NOT NULL,
    ended_ns BIGINT NOT NULL,
    ended_by TEXT NOT NULL
);
CREATE INDEX state_stops_present ON state_stops (ended_ns, name);
CREATE TABLE state_session_events (
    session TEXT NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    at_ns BIGINT NOT NULL,
    PRIMARY KEY (session, number)
);
CREATE TABLE state_keys (
    name TEXT NOT NULL PRIMARY KEY,
    secret {bytes} NOT NULL
);
CREATE TABLE state_tokens (
    nonce TEXT NOT NULL PRIMARY KEY,
    expires_ns BIGINT NOT NULL
)
"""

_STEPS = (_FIRST,)
"""The steps in order; one that has been released is never changed."""


def present_version(connection: Connection) -> int:
    """How many steps the tables have gone through; raises StateUnavailable for later ones."""
    if not inspect(connection).has_table(versions.name):
        return 0
    version = max(connection.scalars(select(versions.c.version)), default=0)
    if version > len(_STEPS):
        msg = (
            f"the shared state is of version {version}, written by a later release;"
            f" this one knows version {len(_STEPS)}: upgrade it"
        )
        raise StateUnavailable(msg)
    return version


def is_present(connection: Connection) -> bool:
    """Whether nothing needs to be done; raises StateUnavailable for tables of a later release."""
    return present_version(connection) == len(_STEPS)


def bring_up(connection: Connection, now_ns: int) -> None:
    """Take the tables to the present version, within the writing transaction of `connection`."""
    version = present_version(connection)
    if version == 0:
        versions.create(connection, checkfirst=True)
    binary = "BLOB" if connection.dialect.name == "sqlite" else "BYTEA"
    for number, step in enumerate(_STEPS[version:], version + 1):
        for statement in step.format(bytes=binary).split(";"):
            connection.execute(text(statement))
        connection.execute(versions.insert().values(version=number, applied_ns=now_ns))
