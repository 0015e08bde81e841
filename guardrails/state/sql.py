"""The state that guards share, in the store of approvals: SQLite or PostgreSQL."""

from __future__ import annotations

from contextlib import suppress
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from guardrails.approvals.line import Line
from guardrails.errors import StateUnavailable
from guardrails.forks import after_fork
from guardrails.state.retention import AT_ONCE, RETENTION, Rounds, end_sessions, read_retention
from guardrails.state.stops import Stop
from guardrails.state.tables import STATE, events, keys, sessions, stops, texts, tokens
from guardrails.store.database import Database

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Mapping, Sequence
    from datetime import timedelta

    from sqlalchemy import Connection, Select

    from guardrails.approvals.line import Writer
    from guardrails.session.journal import Event

_KEY = "delegation"
_IDENTITY = "identity"
_KEY_BYTES = 32


class SqlState:
    """The shared state in one database. What fails raises StateUnavailable.

    It is the one store that it found first: one that is put in its place, empty perhaps, knows
    neither who is stopped nor what was spent. A database that is given stays open when this is
    closed. A session that nothing has happened in for the `retention` has ended, see there. Raises
    ConfigurationError for what can't be a store.
    """

    def __init__(
        self, where: str | os.PathLike[str] | Database, retention: timedelta = RETENTION
    ) -> None:
        self._retention_ns = read_retention(retention)
        self._rounds = Rounds()
        after_fork(self._rounds, Rounds.begin)
        self._database = Database.at(where, STATE)
        self._line = Line(self._database)
        try:
            self._identity = self._secret(_IDENTITY)
            self._end_sessions()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give back the connections, unless the database was given."""
        self._database.close()

    def stops(self) -> tuple[Stop, ...]:
        """Whoever is stopped now, by name."""
        with self._line.reading() as connection:
            if connection.scalar(_secret_of(_IDENTITY)) != self._identity:
                raise StateUnavailable(
                    "the shared state can't be used: another store was put in its place;"
                    " put it back, or start the guards anew"
                )
            query = select(stops).where(stops.c.ended_ns == 0).order_by(stops.c.name)
            rows = connection.execute(query).all()
        return tuple(Stop(row.name, row.reason, row.stopped_by, row.since_ns) for row in rows)

    def stop(self, name: str, reason: str, by: str) -> Stop:
        """Stop `name`; whoever is stopped already stays so, as it was."""
        with self._line.writing() as writer:
            present = (stops.c.name == name) & (stops.c.ended_ns == 0)
            row = writer.connection.execute(select(stops).where(present)).first()
            if row is not None:
                return Stop(row.name, row.reason, row.stopped_by, row.since_ns)
            stop = Stop(name, reason, by, writer.now_ns)
            values: dict[str, Any] = {
                "number": writer.next_number(),
                "name": name,
                "reason": reason,
                "stopped_by": by,
                "since_ns": stop.since_ns,
                "ended_ns": 0,
                "ended_by": "",
            }
            writer.connection.execute(insert(stops).values(values))
        return stop

    def resume(self, name: str, by: str) -> bool:
        """Let `name` go on; whether it was stopped."""
        with self._line.writing() as writer:
            present = (stops.c.name == name) & (stops.c.ended_ns == 0)
            ending = {"ended_ns": max(writer.now_ns, 1), "ended_by": by}
            ended = writer.connection.execute(update(stops).where(present).values(ending))
        return ended.rowcount > 0

    def append(
        self, session: str, happened: Sequence[tuple[str, str, int]], named: Mapping[str, str]
    ) -> None:
        """Keep what happened in a session: of each event its kind, body and time, all or none.

        The texts that events have `named` by their digests are kept with them, each once.
        """
        with self._line.writing() as writer:
            rows = [
                {
                    "session": session,
                    "number": writer.next_number(),
                    "kind": kind,
                    "body": body,
                    "at_ns": at_ns,
                }
                for kind, body, at_ns in happened
            ]
            writer.connection.execute(insert(events), rows)
            if named:
                _add_texts(writer.connection, session, named)
            _touch(writer, session)
        self._end_sessions()

    def read(self, session: str, after: int) -> tuple[Event, ...]:
        """What happened in a session after event number `after`, in order."""
        query = (
            select(events.c.number, events.c.kind, events.c.body, events.c.at_ns)
            .where(events.c.session == session, events.c.number > after)
            .order_by(events.c.number)
        )
        with self._line.reading() as connection:
            return tuple((row[0], row[1], row[2], row[3]) for row in connection.execute(query))

    def texts(self, session: str, digests: Collection[str]) -> dict[str, str]:
        """The texts of a session that are kept by `digests`; those that aren't are missing."""
        query = select(texts.c.digest, texts.c.body).where(
            texts.c.session == session, texts.c.digest.in_(digests)
        )
        with self._line.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def _end_sessions(self) -> None:
        """End sessions that have been still for too long, if it is time to look for some."""
        if not self._rounds.are_due():
            return
        with suppress(StateUnavailable):  # nothing depends on it; it is tried again
            with self._line.writing() as writer:
                ended = end_sessions(writer, self._retention_ns)
            if ended == AT_ONCE:
                self._rounds.hasten()

    def key(self) -> bytes:
        """The key that tokens of delegations are signed with, made when it is first asked for."""
        return self._secret(_KEY)

    def _secret(self, name: str) -> bytes:
        """The random bytes kept under `name`, made when they are first asked for."""
        query = _secret_of(name)
        with self._line.reading() as connection:
            secret = connection.scalar(query)
        if secret is None:
            with self._line.writing() as writer:
                secret = writer.connection.scalar(query)
                if secret is None:
                    secret = token_bytes(_KEY_BYTES)
                    writer.connection.execute(insert(keys).values(name=name, secret=secret))
        return bytes(secret)

    def redeem(self, nonce: str, expires_ns: int) -> bool:
        """Whether the token of that nonce was not used before; now it is."""
        with self._line.writing() as writer:
            connection = writer.connection
            connection.execute(delete(tokens).where(tokens.c.expires_ns < writer.now_ns))
            known = select(tokens.c.nonce).where(tokens.c.nonce == nonce)
            if connection.scalar(known) is not None:
                return False
            connection.execute(insert(tokens).values(nonce=nonce, expires_ns=expires_ns))
        return True


def _add_texts(connection: Connection, session: str, named: Mapping[str, str]) -> None:
    """Keep the texts that a session has not; whoever writes is the only one at that moment."""
    present = select(texts.c.digest).where(texts.c.session == session, texts.c.digest.in_(named))
    known = set(connection.scalars(present))
    rows = [
        {"session": session, "digest": digest, "body": body}
        for digest, body in named.items()
        if digest not in known
    ]
    if rows:
        connection.execute(insert(texts), rows)


def _touch(writer: Writer, session: str) -> None:
    """Take note that something has just happened in a session."""
    latest = {"latest_ns": writer.now_ns}
    known = update(sessions).where(sessions.c.session == session).values(latest)
    if not writer.connection.execute(known).rowcount:
        writer.connection.execute(insert(sessions).values(session=session, **latest))


def _secret_of(name: str) -> Select[Any]:
    return select(keys.c.secret).where(keys.c.name == name)
