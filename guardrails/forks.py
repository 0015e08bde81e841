"""What a forked child must put right, its parent's locks and threads, and what it can't."""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

PATIENCE_S = 2.0
"""How long a fork waits for work that it should not interrupt; transactions take milliseconds."""


def after_fork(owner: T, begin_again: Callable[[T], None]) -> None:
    """Have every forked child call `begin_again(owner)`, for as long as `owner` is in use.

    The interpreter keeps the hook for ever, so it must not keep the owner.
    """
    reference = weakref.ref(owner)

    def in_child() -> None:
        owner = reference()
        if owner is not None:
            begin_again(owner)

    os.register_at_fork(after_in_child=in_child)


class Crossing:
    """Where forks and the work of a C library wait for each other.

    SQLite holds locks of the whole process while it works, which nobody can make anew: a child that
    is forked meanwhile would wait for them for ever.
    """

    __slots__ = ("__weakref__", "_busy", "_closed", "_free")

    def __init__(self) -> None:
        self._clear()
        reference = weakref.ref(self)

        def hook(step: Callable[[Crossing], None]) -> Callable[[], None]:
            def at_fork() -> None:
                crossing = reference()
                if crossing is not None:
                    step(crossing)

            return at_fork

        os.register_at_fork(
            before=hook(Crossing._close),
            after_in_parent=hook(Crossing._open),
            after_in_child=hook(Crossing._clear),
        )

    @contextmanager
    def working(self) -> Iterator[None]:
        """Let no fork happen before the block ends."""
        with self._free:
            self._busy += 1
        try:
            yield
        finally:
            with self._free:
                self._busy -= 1
                self._free.notify_all()

    def _close(self) -> None:
        self._free.acquire()
        self._closed = True
        self._free.wait_for(lambda: not self._busy, PATIENCE_S)

    def _open(self) -> None:
        if self._closed:  # not so where it was made while another kept the fork waiting
            self._closed = False
            self._free.release()

    def _clear(self) -> None:
        self._free = threading.Condition()
        self._busy = 0
        self._closed = False
