"""How long a session that nothing happens in is kept, and what is left of it then.

A session has no end that anybody announces. One that has been still for the time of retention is
taken for ended: what was known of it is removed, and an event that says so is left, for good. It
keeps whoever opens the session again, or still holds it, from taking it for a fresh one.
"""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from guardrails.errors import ConfigurationError
from guardrails.session.events import ENDED
from guardrails.session.token import MAX_TTL_S
from guardrails.state.tables import events, sessions, texts
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from guardrails.approvals.line import Writer

RETENTION = timedelta(days=30)
"""How long a session is kept after the last thing that happened in it, unless told otherwise."""

LEAST = timedelta(seconds=MAX_TTL_S)
"""The shortest retention: a token may open a part of a session for so long."""

EVERY_NS = 3600 * NANOSECONDS
"""How often a process looks for sessions to end."""

SOON_NS = 10 * NANOSECONDS
"""When it looks again where there were more than it ends at once."""

AT_ONCE = 20
"""How many sessions are ended at once: others wait meanwhile, and each may have megabytes."""


def read_retention(given: object) -> int:
    """Return a time of retention in nanoseconds; raises ConfigurationError for less than a day."""
    if not isinstance(given, timedelta) or given < LEAST:
        raise ConfigurationError(
            "`retention` is a `timedelta` of a day or more: tokens live so long"
        )
    return given // timedelta(microseconds=1) * 1000


class Rounds:
    """When a process looks for sessions to end: when it starts, and now and then."""

    __slots__ = ("__weakref__", "_due_ns", "_lock")

    def __init__(self) -> None:
        self._due_ns = 0
        self.begin()

    def begin(self) -> None:
        """Take a lock of its own, in a forked child too."""
        self._lock = Lock()

    def are_due(self) -> bool:
        """Whether it is time to look; who is told so is the only one, and will look."""
        if time.monotonic_ns() < self._due_ns or not self._lock.acquire(blocking=False):
            return False
        try:
            due = time.monotonic_ns() >= self._due_ns
            if due:
                self._due_ns = time.monotonic_ns() + EVERY_NS
            return due
        finally:
            self._lock.release()

    def hasten(self) -> None:
        """Look again soon: there is more."""
        self._due_ns = time.monotonic_ns() + SOON_NS


def end_sessions(writer: Writer, retention_ns: int) -> int:
    """End sessions that have been still for longer than `retention_ns`; return how many.

    At most `AT_ONCE`, those that have been still the longest first. By the store's own present:
    the times of events are those of the hosts.
    """
    still = (
        select(sessions.c.session)
        .where(sessions.c.latest_ns < writer.now_ns - retention_ns)
        .order_by(sessions.c.latest_ns)
        .limit(AT_ONCE)
    )
    names = writer.connection.scalars(still).all()
    if not names:
        return 0
    for table in (events, texts, sessions):
        writer.connection.execute(delete(table).where(table.c.session.in_(names)))
    left = [
        {
            "session": name,
            "number": writer.next_number(),
            "kind": ENDED,
            "body": "{}",
            "at_ns": writer.now_ns,
        }
        for name in names
    ]
    writer.connection.execute(insert(events), left)
    return len(names)
