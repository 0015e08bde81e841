"""The steps by which the tables of the store came to be what `tables` says they are.

A step that has been released is never changed: a store somewhere has gone through it. Besides the
tables, the first step writes down in the database itself what may never happen: that something of a
request changes after it was made, that it comes back from its end, that a vote or the history is
altered. An account that does not own the tables can't get round that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.errors import ApprovalsUnavailable
from guardrails.store.schema import Schema, execute_all, script

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

_TABLES = """
CREATE TABLE approval_requests (
    id TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    tool TEXT NOT NULL,
    agent TEXT NOT NULL,
    session TEXT,
    digest TEXT NOT NULL,
    action_digest TEXT NOT NULL,
    body TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    expires_ns BIGINT NOT NULL,
    decided_ns BIGINT NOT NULL,
    used_ns BIGINT NOT NULL,
    uses INTEGER NOT NULL,
    ended_by TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX approval_requests_action ON approval_requests (action_digest);
CREATE INDEX approval_requests_status ON approval_requests (status, expires_ns);
CREATE INDEX approval_requests_agent ON approval_requests (agent, status);
CREATE INDEX approval_requests_session ON approval_requests (session);
CREATE UNIQUE INDEX approval_requests_open ON approval_requests (digest)
    WHERE kind = 'approval' AND status IN ('pending', 'approved');
CREATE TABLE approval_rules (
    request_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    PRIMARY KEY (request_id, rule)
);
CREATE INDEX approval_rules_rule ON approval_rules (rule);
CREATE TABLE approval_votes (
    request_id TEXT NOT NULL,
    voter TEXT NOT NULL,
    number BIGINT NOT NULL,
    digest TEXT NOT NULL,
    content TEXT NOT NULL,
    outcome TEXT NOT NULL,
    comment TEXT NOT NULL,
    cast_ns BIGINT NOT NULL,
    seen_ns BIGINT NOT NULL,
    key TEXT NOT NULL,
    signature {bytes} NOT NULL,
    PRIMARY KEY (request_id, voter)
);
CREATE INDEX approval_votes_voter ON approval_votes (voter);
CREATE TABLE approval_views (
    request_id TEXT NOT NULL,
    account TEXT NOT NULL,
    first_ns BIGINT NOT NULL,
    PRIMARY KEY (request_id, account)
);
CREATE TABLE approval_changes (
    number BIGINT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    at_ns BIGINT NOT NULL
);
CREATE TABLE approval_cursors (
    name TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
);
CREATE TABLE approval_attempts (
    number BIGINT NOT NULL PRIMARY KEY,
    agent TEXT NOT NULL,
    at_ns BIGINT NOT NULL
);
CREATE INDEX approval_attempts_agent ON approval_attempts (agent, at_ns);
CREATE TABLE approval_suspensions (
    agent TEXT NOT NULL PRIMARY KEY,
    since_ns BIGINT NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE approval_state (
    id INTEGER NOT NULL PRIMARY KEY,
    latest_ns BIGINT NOT NULL,
    number BIGINT NOT NULL
);
INSERT INTO approval_state (id, latest_ns, number) VALUES (1, 0, 0)
"""

_REWRITTEN = """
    OLD.id <> NEW.id OR OLD.number <> NEW.number OR OLD.kind <> NEW.kind OR OLD.tool <> NEW.tool
    OR OLD.agent <> NEW.agent OR OLD.digest <> NEW.digest OR OLD.body <> NEW.body
    OR OLD.action_digest <> NEW.action_digest OR OLD.created_ns <> NEW.created_ns
    OR OLD.expires_ns <> NEW.expires_ns OR OLD.uses > NEW.uses
    OR (OLD.used_ns <> 0 AND OLD.used_ns <> NEW.used_ns)
    OR (OLD.decided_ns <> 0 AND OLD.decided_ns <> NEW.decided_ns)
    OR NOT (
        OLD.status = NEW.status
        OR (OLD.status = 'pending' AND NEW.status IN ('approved', 'denied', 'expired', 'cancelled'))
        OR (OLD.status = 'approved' AND NEW.status IN ('used', 'expired', 'cancelled'))
    )
"""
"""When an update of a request is refused: it rewrites what was asked, or revives what is over."""

_KEPT = ("approval_requests", "approval_rules", "approval_votes", "approval_changes")
"""Tables of which no row is ever deleted; but for the first, none is ever changed either."""


def _first(connection: Connection) -> None:
    script(_TABLES)(connection)
    sqlite = connection.dialect.name == "sqlite"
    execute_all(connection, _sqlite_triggers() if sqlite else _postgresql_triggers())


def _sqlite_triggers() -> Iterable[str]:
    refuse = "BEGIN SELECT RAISE(ABORT, 'what was decided is not rewritten'); END"
    yield (
        "CREATE TRIGGER approval_requests_kept_update BEFORE UPDATE ON approval_requests"
        f" WHEN {_REWRITTEN} {refuse}"
    )
    for table in _KEPT:
        yield f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} {refuse}"
    for table in _KEPT[1:]:
        yield f"CREATE TRIGGER {table}_kept_update BEFORE UPDATE ON {table} {refuse}"


def _postgresql_triggers() -> Iterable[str]:
    yield (
        "CREATE FUNCTION approval_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'what was decided is not rewritten'; END $$"
    )
    yield (
        "CREATE TRIGGER approval_requests_kept_update BEFORE UPDATE ON approval_requests"
        f" FOR EACH ROW WHEN ({_REWRITTEN}) EXECUTE FUNCTION approval_refuse()"
    )
    for table in _KEPT:
        yield (
            f"CREATE TRIGGER {table}_kept BEFORE DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION approval_refuse()"
        )
    for table in _KEPT[1:]:
        yield (
            f"CREATE TRIGGER {table}_kept_update BEFORE UPDATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION approval_refuse()"
        )


_OUTBOX = """
CREATE TABLE approval_deliveries (
    channel TEXT NOT NULL,
    notice TEXT NOT NULL,
    number BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    at_ns BIGINT NOT NULL,
    due_ns BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    given_up_ns BIGINT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (channel, notice)
);
CREATE INDEX approval_deliveries_due ON approval_deliveries (channel, given_up_ns, due_ns);
CREATE TABLE approval_nonces (
    channel TEXT NOT NULL,
    nonce TEXT NOT NULL,
    until_ns BIGINT NOT NULL,
    PRIMARY KEY (channel, nonce)
);
CREATE INDEX approval_nonces_until ON approval_nonces (until_ns)
"""


APPROVALS = Schema(
    title="the store of approvals",
    unavailable=ApprovalsUnavailable,
    versions="approval_migrations",
    steps=(_first, script(_OUTBOX)),
)
"""The tables of `tables`, as a database is brought to hold them."""
