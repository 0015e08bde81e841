"""The tables of the store; `migrations` holds the steps by which an older one becomes these."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData()

requests = Table(
    "approval_requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("tool", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("session", Text),
    Column("digest", Text, nullable=False),
    Column("action_digest", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("decided_ns", BigInteger, nullable=False, default=0),
    Column("used_ns", BigInteger, nullable=False, default=0),
    Column("uses", Integer, nullable=False, default=0),
    Column("ended_by", Text, nullable=False, default=""),
    Column("reason", Text, nullable=False, default=""),
    Index("approval_requests_action", "action_digest"),
    Index("approval_requests_status", "status", "expires_ns"),
    Index("approval_requests_agent", "agent", "status"),
    Index("approval_requests_session", "session"),
)

OPEN = text("kind = 'approval' AND status IN ('pending', 'approved')")

Index(
    "approval_requests_open",
    requests.c.digest,
    unique=True,
    sqlite_where=OPEN,
    postgresql_where=OPEN,
)

rules = Table(
    "approval_rules",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Index("approval_rules_rule", "rule"),
)

votes = Table(
    "approval_votes",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("voter", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("cast_ns", BigInteger, nullable=False),
    Column("seen_ns", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Index("approval_votes_voter", "voter"),
)

views = Table(
    "approval_views",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("first_ns", BigInteger, nullable=False),
)

changes = Table(
    "approval_changes",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("request_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
)

cursors = Table(
    "approval_cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

attempts = Table(
    "approval_attempts",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("agent", Text, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Index("approval_attempts_agent", "agent", "at_ns"),
)

suspensions = Table(
    "approval_suspensions",
    metadata,
    Column("agent", Text, primary_key=True),
    Column("since_ns", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)

deliveries = Table(
    "approval_deliveries",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("notice", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("given_up_ns", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    Index("approval_deliveries_due", "channel", "given_up_ns", "due_ns"),
)
"""The outbox: what channels are yet to be told, and what they could not be."""

nonces = Table(
    "approval_nonces",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("nonce", Text, primary_key=True),
    Column("until_ns", BigInteger, nullable=False),
    Index("approval_nonces_until", "until_ns"),
)
"""The callbacks that came, for as long as they could come again."""

state = Table(
    "approval_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("latest_ns", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
)
"""One row, the lock of every writer: the latest present acted on, and the last number given."""
