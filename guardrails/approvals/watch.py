"""Waiting for what other processes do to the store, without asking it all the time.

One thread for each store, alive only while somebody waits. On PostgreSQL it listens; on SQLite it
looks every 50 ms at a counter that every commit moves (`PRAGMA data_version`), which costs a few
microseconds and reads no table.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from guardrails.approvals.line import CHANNEL
from guardrails.approvals.tables import changes
from guardrails.errors import ApprovalsUnavailable
from guardrails.forks import after_fork
from guardrails.store.drivers import PATIENCE_S, open_sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from guardrails.forks import Crossing
    from guardrails.store.database import Database

    Changed = Callable[[], bool]
    Wake = Callable[[], None]

POLL_S = 0.05
"""How often the counter of SQLite is looked at: a fifth of the 250 ms in which waiters know."""

_FILE_S = 1.0  # how often it is looked whether the file at the path is still the one watched
_LISTEN_S = 0.5  # how long a listener sleeps before it looks whether anybody still waits
_RETRY_S = 0.25
_IDLE_S = 5.0  # how long the thread stays for the next waiter


class Watch:
    """Wakes those who wait as soon as something has happened to their request, or to any."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begin_again()
        after_fork(self, Watch._begin_again)

    def _begin_again(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[object, tuple[str | None, Wake]] = {}
        self._thread: threading.Thread | None = None
        self._idle_since = 0.0
        self._closed = False

    @contextmanager
    def waking(self, request_id: str | None, wake: Wake) -> Iterator[None]:
        """Call `wake`, in another thread, when the request changes (None: any), till the end."""
        token = object()
        with self._lock:
            self._waiting[token] = (request_id, wake)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._run, name="guardrails-approvals", daemon=True
                )
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._waiting.pop(token, None)
                self._idle_since = time.monotonic()

    def close(self) -> None:
        """Wake everybody, so that they look for themselves, and end the thread."""
        with self._lock:
            self._closed, thread = True, self._thread
        self._tell(None)
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        last: int | None = None
        while self._needed():
            try:
                with self._listening() as changed:
                    # Whatever happened before the listening began was not heard.
                    last = self._tell_since(last)
                    while self._needed():
                        if changed():
                            last = self._tell_since(last)
            except ApprovalsUnavailable:
                time.sleep(_RETRY_S)

    def _needed(self) -> bool:
        with self._lock:
            idle = not self._waiting and time.monotonic() - self._idle_since >= _IDLE_S
            if not idle and not self._closed:
                return True
            self._thread = None
            return False

    def _tell_since(self, last: int | None) -> int:
        """Wake those whose requests changed after number `last`, and return the present one."""
        with self._database.reading() as connection:
            newest: int = connection.execute(select(func.max(changes.c.number))).scalar() or 0
            if last is None or newest < last:
                self._tell(None)
                return newest
            found = select(changes.c.request_id).where(changes.c.number > last).distinct()
            ids = frozenset(connection.scalars(found))
        self._tell(ids)
        return newest

    def _tell(self, ids: frozenset[str] | None) -> None:
        with self._lock:
            waiting = list(self._waiting.values())
        for request_id, wake in waiting:
            if ids is None or request_id in ids or (request_id is None and ids):
                wake()

    @contextmanager
    def _listening(self) -> Iterator[Changed]:
        path = self._database.path
        if path is None:
            listening = _listen_postgresql(self._database)
        else:
            listening = _poll_sqlite(path, self._database.crossing)
        with listening as changed:
            yield changed


@contextmanager
def _poll_sqlite(path: Path, crossing: Crossing) -> Iterator[Changed]:
    import sqlite3  # noqa: PLC0415 - beside its only use

    try:
        watched = os.stat(path)  # noqa: PTH116 - compared by `os.path`
        with crossing.working():
            connection = open_sqlite(path)
    except (OSError, sqlite3.Error) as error:
        raise ApprovalsUnavailable("the store of approvals can't be watched") from error
    seen = -1
    looked = time.monotonic()

    def changed() -> bool:
        nonlocal seen, looked
        time.sleep(POLL_S)
        try:
            if time.monotonic() - looked > _FILE_S:
                looked = time.monotonic()
                if not os.path.samestat(watched, os.stat(path)):  # noqa: PTH116 - likewise
                    raise ApprovalsUnavailable("another file has taken the place of the store")
            with crossing.working():
                (version,) = connection.execute("PRAGMA data_version").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise ApprovalsUnavailable("the store of approvals can't be watched") from error
        moved = bool(version != seen)
        seen = version
        return moved

    try:
        yield changed
    finally:
        with crossing.working():
            connection.close()


@contextmanager
def _listen_postgresql(database: Database) -> Iterator[Changed]:
    import psycopg  # noqa: PLC0415 - an extra

    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=int(PATIENCE_S)) as connection:
            connection.execute(f"LISTEN {CHANNEL}".encode())
            yield lambda: any(True for _ in connection.notifies(timeout=_LISTEN_S, stop_after=1))
    except psycopg.Error as error:
        raise ApprovalsUnavailable("the store of approvals can't be listened to") from error
