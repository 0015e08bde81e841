"""What happens to requests, told to the browsers that are open, as server-sent events."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, StreamingResponse

from guardrails.errors import ApprovalsUnavailable
from guardrails.server.inbox import identify

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from guardrails.approvals.store import Store
    from guardrails.server.inbox import Inbox

BEAT_S = 15.0
"""How often an open stream is written to, and its sign-in looked at."""

PER_ACCOUNT = 10
"""How many streams one account may hold open: tabs, not an army."""

_LOOK_S = 30.0
_RETRY_S = 1.0

_log = logging.getLogger("guardrails.server")


class _Listener:
    """One open stream: the requests that have changed since it was last told."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.changed: set[str] = set()
        self.woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def tell(self, ids: frozenset[str]) -> None:
        """Wake the stream; from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._take, ids)
        except RuntimeError:  # the loop has ended, and the stream with it
            return

    def _take(self, ids: frozenset[str]) -> None:
        self.changed |= ids
        self.woken.set()


class Live:
    """Follows the store in one thread, and tells every listener."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._listeners: set[_Listener] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="guardrails-live", daemon=True)

    @property
    def closed(self) -> bool:
        """Whether streams are to end."""
        return self._stop.is_set()

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """End the thread and every stream."""
        self._stop.set()
        self._tell(frozenset())

    @contextmanager
    def listening(self, account: str) -> Iterator[_Listener | None]:
        """A listener for that account, None where it has too many; from a running loop."""
        listener = _Listener(account)
        with self._lock:
            held = sum(each.account == account for each in self._listeners)
            if held < PER_ACCOUNT:
                self._listeners.add(listener)
        try:
            yield listener if held < PER_ACCOUNT else None
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def _follow(self) -> None:
        last: int | None = None
        while not self._stop.is_set():
            try:
                if last is None:
                    last = self._newest(0)
                    self._tell(frozenset([""]))  # whatever happened meanwhile was not heard
                if self._store.wait_for_changes(last, _LOOK_S, self._stop):
                    found = self._store.changes(last)
                    last = found[-1].number if found else last
                    self._tell(frozenset(change.request_id for change in found))
            except ApprovalsUnavailable:
                last = None
                self._stop.wait(_RETRY_S)
            except Exception:  # noqa: BLE001 - a thread that ends unseen would leave pages stale
                _log.exception("following the store failed, and goes on")
                last = None
                self._stop.wait(_RETRY_S)

    def _newest(self, number: int) -> int:
        while found := self._store.changes(number):
            number = found[-1].number
        return number

    def _tell(self, ids: frozenset[str]) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.tell(ids)


async def stream_changes(inbox: Inbox, live: Live, request: Request) -> Response:
    """The events for one browser, as long as its sign-in holds."""
    visit = await run_in_threadpool(identify, inbox, request, {})
    if visit.account is None:
        return PlainTextResponse("sign in first\n", 401)
    stream = _write_events(inbox, live, visit.account.id, visit.secret)
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _write_events(inbox: Inbox, live: Live, account: str, token: str) -> AsyncIterator[str]:
    with live.listening(account) as listener:
        if listener is None:
            yield "retry: 60000\n\n"
            return
        yield "retry: 2000\n: open\n\n"
        while not live.closed:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await listener.woken.wait()
            if not await run_in_threadpool(_holds, inbox, token):
                return
            listener.woken.clear()
            ids, listener.changed = sorted(listener.changed), set()
            yield f"event: change\ndata: {json.dumps(ids)}\n\n" if ids else ": beat\n\n"


def _holds(inbox: Inbox, token: str) -> bool:
    try:
        return inbox.sign_ins.find(token, inbox.service.people(), use=False) is not None
    except ApprovalsUnavailable:
        return False
