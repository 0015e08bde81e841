"""Waiting for people: in a thread or on an event loop, through outages, until the time is over."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from typing import TYPE_CHECKING

from guardrails.approvals.request import Status
from guardrails.errors import ApprovalsUnavailable
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.watch import Watch

    Get = Callable[[str], ApprovalRequest]

OUTAGE_S = 120.0
"""How long a store may be away before waiting for it ends: a minute's restart, and a margin."""

_LOOK_S = 10.0  # how often a waiter looks for itself, were it never woken; a thousand may wait
_LOST_S = 1.0  # how often while the store is away, and how often for any change
_STOP_S = 0.1  # how often it looks whether it is to stop


class _Wait:
    """One waiter's view: the request as last read, and when to look again."""

    __slots__ = ("_end", "_get", "_id", "_lost", "request")

    def __init__(self, get: Get, request_id: str, timeout_s: float | None) -> None:
        self._get = get
        self._id = request_id
        self._end = None if timeout_s is None else time.monotonic() + timeout_s
        self._lost: float | None = None
        self.request = get(request_id)

    def look(self) -> bool:
        """Whether the wait is over; raises ApprovalsUnavailable after a long outage."""
        try:
            self.request = self._get(self._id)
            self._lost = None
        except ApprovalsUnavailable:
            now = time.monotonic()
            self._lost = now if self._lost is None else self._lost
            if now - self._lost > OUTAGE_S or self._is_late(now):
                raise
            return False
        return self.request.status is not Status.PENDING or self._is_late(time.monotonic())

    def pause(self, now_ns: int) -> float:
        """How many seconds may pass before the next look."""
        until = (self.request.expires_ns - now_ns) / NANOSECONDS
        # Random, so that those who began together don't all look together.
        look = _LOOK_S * random.uniform(0.5, 1.0) if self._lost is None else _LOST_S  # noqa: S311
        left = look if self._end is None else self._end - time.monotonic()
        return max(0.01, min(look, left, until if until > 0 else _LOST_S))

    def _is_late(self, now: float) -> bool:
        return self._end is not None and now >= self._end


def wait_for(
    get: Get,
    watch: Watch,
    request_id: str,
    timeout_s: float | None,
    stop: threading.Event | None,
) -> ApprovalRequest:
    """The request when it is no longer pending, or at the timeout, or when `stop` is set."""
    woken = threading.Event()
    with watch.waking(request_id, woken.set):
        wait = _Wait(get, request_id, timeout_s)
        over = wait.request.status is not Status.PENDING
        while not over and not (stop is not None and stop.is_set()):
            pause = wait.pause(time.time_ns())
            if stop is None:
                woken.wait(pause)
            elif not _wait_stoppable(woken, stop, pause):
                break
            woken.clear()
            over = wait.look()
    return wait.request


def _wait_stoppable(woken: threading.Event, stop: threading.Event, pause_s: float) -> bool:
    end = time.monotonic() + pause_s
    while not woken.wait(_STOP_S):
        if stop.is_set():
            return False
        if time.monotonic() >= end:
            break
    return True


async def wait_for_async(
    get: Get, watch: Watch, request_id: str, timeout_s: float | None
) -> ApprovalRequest:
    """The request, as `wait_for` gives it; reads in a thread, so that the loop goes on."""
    woken = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wake() -> None:
        try:
            loop.call_soon_threadsafe(woken.set)
        except RuntimeError:  # the loop has ended, and its waiters with it
            return

    with watch.waking(request_id, wake):
        wait = await asyncio.to_thread(_Wait, get, request_id, timeout_s)
        over = wait.request.status is not Status.PENDING
        while not over:
            try:
                async with asyncio.timeout(wait.pause(time.time_ns())):
                    await woken.wait()
            except TimeoutError:
                pass
            woken.clear()
            over = await asyncio.to_thread(wait.look)
    return wait.request


def wait_for_any(
    happened: Callable[[], bool],
    watch: Watch,
    timeout_s: float,
    stop: threading.Event | None,
) -> bool:
    """Whether `happened()`, asked again whenever anything changes, until the timeout or `stop`."""
    woken = threading.Event()
    end = time.monotonic() + timeout_s
    with watch.waking(None, woken.set):
        while not happened():
            left = end - time.monotonic()
            if left <= 0 or (stop is not None and stop.is_set()):
                return False
            if stop is None:
                woken.wait(min(left, _LOST_S))
            else:
                _wait_stoppable(woken, stop, min(left, _LOST_S))
            woken.clear()
    return True
