"""A folder that is watched: when it has changed, and when it has come to rest.

Events of the file system are only hints; what counts is the state of the folder, which is also
looked at from time to time, since no event tells of everything (a link above the folder, a network
mount, a limit of the system).
"""

from __future__ import annotations

from pathlib import Path
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

from guardrails.source.folder_state import LOCK_AT_MOST, is_checked_out, is_folder, read_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from watchdog.observers.api import BaseObserver

    from guardrails.source.folder_state import State

LOOK_EVERY = 1.0
"""Seconds between two looks at the folder where no event came."""

SETTLE = 0.05
"""Seconds that the folder must stay the same before it is read: editors and git write in steps."""

SETTLE_AT_MOST = 2.0
"""Seconds after which it is told though it still changes."""


class FolderWatch:
    """Watches `path`, a folder or one file; for one thread that looks, again and again.

    With `polling` the folder is compared instead of waiting for events, as network mounts need it.
    """

    def __init__(self, path: str, *, polling: bool = False) -> None:
        self._path = path
        self._polling = polling
        self._wake = Event()
        self._closed = Event()
        self._observer: BaseObserver | None = None
        self._observed: tuple[int, int] | None = None
        self._observe()

    @property
    def closed(self) -> bool:
        """Whether it was told to watch no more."""
        return self._closed.is_set()

    def look(self, known: State) -> State:
        """Return the state of the folder, after an event or a second.

        A state other than `known` is one that the folder has settled in, if it does so in time.
        """
        self._wake.wait(LOOK_EVERY)
        self._wake.clear()
        state = self._settle(known)
        if state != known:
            self._observe()
        return state

    def is_still(self, state: State) -> bool:
        """Whether the folder is in that state; if not, the next look comes at once."""
        same = read_state(self._path) == state
        if not same:
            self._wake.set()
        return same

    def close(self) -> None:
        """Watch no more: a look that waits returns, and later ones don't wait."""
        self._closed.set()
        self._wake.set()
        self._drop_observer()

    def _settle(self, known: State) -> State:
        """The state of the folder once it has stopped changing, unless it is `known` anyway."""
        state = read_state(self._path)
        if state == known:
            return state
        began = monotonic()
        while not self._closed.wait(SETTLE):
            seen, state = state, read_state(self._path)
            locked = is_checked_out(self._path)
            if seen == state and not locked:
                break
            if monotonic() - began > (LOCK_AT_MOST if locked else SETTLE_AT_MOST):
                break
        return state

    def _observe(self) -> None:
        """Wait for events of the folder that is now there; without them the looks remain."""
        path = Path(self._path)
        folder = path if is_folder(path) else path.parent
        try:
            status = folder.stat()
        except OSError:
            return
        identity = (status.st_dev, status.st_ino)
        observer = self._observer
        alive = observer is not None and all(each.is_alive() for each in observer.emitters)
        if not self._closed.is_set() and not (alive and identity == self._observed):
            self._drop_observer()
            self._observed = identity
            recursive = folder is path
            self._observer = _observe(
                str(folder), self._wake.set, polling=self._polling, recursive=recursive
            )

    def _drop_observer(self) -> None:
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()


def _observe(
    folder: str, wake: Callable[[], None], *, polling: bool, recursive: bool
) -> BaseObserver | None:
    """An observer that calls `wake` at changes in `folder`; None where none can be had."""
    from watchdog import events  # noqa: PLC0415 - only to watch
    from watchdog.observers import Observer  # noqa: PLC0415 - likewise
    from watchdog.observers.polling import PollingObserver  # noqa: PLC0415 - likewise

    class Handler(events.FileSystemEventHandler):
        def on_any_event(self, event: events.FileSystemEvent) -> None:
            del event
            wake()

    changes = [
        events.DirCreatedEvent,
        events.DirDeletedEvent,
        events.DirModifiedEvent,
        events.DirMovedEvent,
        events.FileCreatedEvent,
        events.FileDeletedEvent,
        events.FileModifiedEvent,
        events.FileMovedEvent,
    ]
    observer = None
    try:
        observer = PollingObserver() if polling else Observer()
        observer.schedule(Handler(), folder, recursive=recursive, event_filter=changes)
        observer.start()
    except (OSError, RuntimeError):  # no watch or thread to be had: the looks remain
        if observer is not None:
            observer.stop()
        return None
    return observer
