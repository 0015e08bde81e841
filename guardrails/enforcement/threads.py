"""Decisions that wait for a store, kept off the event loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from guardrails.enforcement.proposal import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")


async def in_thread(settle: Callable[[Call, BaseException], None], work: Callable[[], T]) -> T:
    """What `work` gives, done in a thread.

    If the task is cancelled meanwhile, a call that the thread has begun ends so: `settle` is told.
    """
    future = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError as cancelled:
        # The thread goes on: what it has taken or used must not be left without an outcome.
        while not future.done():
            with suppress(asyncio.CancelledError):  # whoever is impatient cancels again
                await asyncio.wait([future])
        if future.exception() is None and isinstance(call := future.result(), Call):
            settle(call, cancelled)
        raise
