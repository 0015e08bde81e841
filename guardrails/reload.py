"""Policies that follow their folder: watched, loaded aside, and swapped whole.

A set that doesn't load leaves the last good one in force. Events of the file system are only
hints; what counts is the state of the folder, which is also looked at from time to time, since no
event tells of everything (a link above the folder, a network mount).
"""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING

from guardrails.errors import LogUnavailable
from guardrails.language.difference import find_difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watchdog.observers.api import BaseObserver

    from guardrails.engine import PolicySet
    from guardrails.language.difference import Difference

    State = tuple[tuple[str, int, int, int, int], ...]

LOOK_EVERY = 1.0
"""Seconds between two looks at the folder where no event came."""

SETTLE = 0.05
"""Seconds that the folder must stay the same before it is read: editors and git write in steps."""

SETTLE_AT_MOST = 2.0
"""Seconds after which it is read though it still changes; what is read then must hold together."""


@dataclass(frozen=True, slots=True)
class Reload:
    """The end of one attempt to load.

    `policies` are the new set, None where the attempt failed; then `error` says why. `difference`
    is against the set in force before. `seconds` is what loading took.
    """

    policies: PolicySet | None
    difference: Difference | None
    error: str
    seconds: float


class Reloader:
    """Watches `folder` in a thread of its own and hands over what it loads.

    `load` reads the folder, `state` is what `read_state` said of it before the policies in force
    were read, and `current` returns those; `deliver` gets the end of each attempt, and puts new
    policies in force if it can (it may raise LogUnavailable, which is tried again). With
    `polling` the folder is compared instead of waiting for events, as network mounts need it.
    """

    def __init__(
        self,
        folder: str,
        load: Callable[[str], PolicySet],
        current: Callable[[], PolicySet],
        deliver: Callable[[Reload], None],
        *,
        state: State,
        polling: bool = False,
    ) -> None:
        self._folder = folder
        self._load = load
        self._current = current
        self._deliver = deliver
        self._polling = polling
        self._state = state
        self._start()
        _after_fork(self)

    def _start(self) -> None:
        self._wake = Event()
        self._stopped = Event()
        self._lock = Lock()
        self._observer = _observe(self._folder, self._wake.set, polling=self._polling)
        self._thread = Thread(target=self._run, name="guardrails-reload", daemon=True)
        self._thread.start()

    def in_child(self) -> None:
        """Watch on in a forked child, which has none of its parent's threads."""
        if not self._stopped.is_set():
            self._start()

    def close(self) -> None:
        """Watch no more; the policies in force stay so."""
        self._stopped.set()
        self._wake.set()
        if self._observer is not None:
            self._observer.stop()
        self._thread.join(timeout=SETTLE_AT_MOST)

    def check(self) -> None:
        """Look at the folder now, and load it if it differs from what was loaded last."""
        with self._lock:
            state = self._settled()
            if state == self._state:
                return
            reload = self._attempt()
            if read_state(self._folder) != state:
                self._wake.set()  # it changed while it was read: what was read counts for nothing
                return
            try:
                self._deliver(reload)
            except LogUnavailable:
                return  # the record comes first; the next look tries again
            self._state = state

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait(LOOK_EVERY)
            self._wake.clear()
            if not self._stopped.is_set():
                self.check()

    def _settled(self) -> State:
        """The state of the folder once it has stopped changing."""
        state = read_state(self._folder)
        if state == self._state:
            return state
        deadline = monotonic() + SETTLE_AT_MOST
        while not self._stopped.wait(SETTLE) and monotonic() < deadline:
            seen, state = state, read_state(self._folder)
            if seen == state:
                break
        return state

    def _attempt(self) -> Reload:
        began = monotonic()
        try:
            policies = self._load(self._folder)
        except Exception as error:  # noqa: BLE001 - whatever it is, the last good set stays
            text = str(error) or "the policies can't be loaded"
            return Reload(None, None, text, monotonic() - began)
        difference = find_difference(self._current().bundle, policies.bundle)
        return Reload(policies, difference, "", monotonic() - began)


def read_state(folder: str) -> State:
    """Return what tells one state of a folder from another: its files, links followed.

    What is hidden is left out, as loading leaves it out.
    """
    found: list[tuple[str, int, int, int, int]] = []
    for root, names in walk(folder):
        found.extend(_stat(os.path.join(root, name)) for name in names)  # noqa: PTH118
    return tuple(sorted(found))


def walk(folder: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder in `folder` with its files, links followed, each once, hidden ones not."""
    seen: set[tuple[int, int]] = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        _, inode, _, _, device = _stat(root)
        if (device, inode) in seen:
            folders.clear()
            continue
        seen.add((device, inode))
        folders[:] = [each for each in folders if each[0] != "."]
        yield root, [name for name in names if name[0] != "."]


def _stat(path: str) -> tuple[str, int, int, int, int]:
    """A path with its inode, size, time of change and device; zeros where there is nothing."""
    try:
        status = os.stat(path)  # noqa: PTH116 - `os.walk` gives texts
    except OSError:
        return path, 0, 0, 0, 0
    # The time of the inode moves with every change, also one that sets the time of the content.
    return path, status.st_ino, status.st_size, status.st_ctime_ns, status.st_dev


def _observe(folder: str, wake: Callable[[], None], *, polling: bool) -> BaseObserver | None:
    """An observer that calls `wake` at events below `folder`; None where none can be had."""
    from watchdog.events import FileSystemEventHandler  # noqa: PLC0415 - only to watch
    from watchdog.observers import Observer  # noqa: PLC0415 - likewise
    from watchdog.observers.polling import PollingObserver  # noqa: PLC0415 - likewise

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: object) -> None:
            del event
            wake()

    observer = PollingObserver() if polling else Observer()
    try:
        observer.schedule(Handler(), folder, recursive=True)
        observer.start()
    except OSError:  # no watches left, no such folder now: the looks from time to time remain
        return None
    return observer


def _after_fork(reloader: Reloader) -> None:
    """Have a forked child watch too; the interpreter keeps the hook, so it keeps no reloader."""
    reference = weakref.ref(reloader)

    def in_child() -> None:
        reloader = reference()
        if reloader is not None:
            reloader.in_child()

    os.register_at_fork(after_in_child=in_child)
