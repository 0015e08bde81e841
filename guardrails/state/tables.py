"""The tables of what guards share, and the steps by which they came to be what they are."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from guardrails.approvals.migrations import APPROVALS
from guardrails.errors import StateUnavailable
from guardrails.store.schema import Schema, script

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

texts = Table(
    "state_session_texts",
    metadata,
    Column("session", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("body", Text, nullable=False),
)
"""What people said in sessions and what tools with labels gave, as JSON and by its digest."""

sessions = Table(
    "state_sessions",
    metadata,
    Column("session", Text, primary_key=True),
    Column("latest_ns", BigInteger, nullable=False),
    Index("state_sessions_latest", "latest_ns"),
)
"""The sessions of which more is kept than that they ended, and when something last happened."""

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

_TEXTS_AND_RETENTION = """
CREATE TABLE state_session_texts (
    session TEXT NOT NULL,
    digest TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (session, digest)
);
CREATE TABLE state_sessions (
    session TEXT NOT NULL PRIMARY KEY,
    latest_ns BIGINT NOT NULL
);
CREATE INDEX state_sessions_latest ON state_sessions (latest_ns);
INSERT INTO state_sessions (session, latest_ns)
    SELECT session, max(at_ns) FROM state_session_events GROUP BY session
"""

STATE = Schema(
    title="the shared state",
    unavailable=StateUnavailable,
    versions="state_versions",
    steps=(script(_FIRST), script(_TEXTS_AND_RETENTION)),
    rests_on=APPROVALS,
)
"""The tables, written to in the line of approvals: one order, and one present, of everything."""
