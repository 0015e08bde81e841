"""Who is stopped: known in memory at every moment, and no older than a second.

A thread asks the store four times a second. A guard that has not heard from it for a second lets
nothing run, so that a stop reaches every host in that time, or the host stands still by itself.
"""

from __future__ import annotations

import threading
import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

from guardrails.decision import Code
from guardrails.errors import ConfigurationError, StateUnavailable
from guardrails.forks import after_fork
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Notice = Callable[[str, "Stop"], None]
    """Hears of each `stop` and `resume` that comes to be known."""

EVERYONE = "all"
"""The name that stands for every subject and every session."""

POLL_S = 0.25
"""How often the store is asked: so that a slow answer still comes within a second."""

VALID_NS = NANOSECONDS
"""How long an answer of the store holds, from when it was asked."""

_FAREWELL_S = 1.0  # how long closing waits for a question that is on its way
_PATIENCE_S = 0.2  # how long a call waits for an answer that is on its way


def read_name(given: str) -> str:
    """Return whom a stop names, without the white space around; raises ConfigurationError.

    A stop that nobody bears the name of would pass for one that holds.
    """
    name = given.strip() if type(given) is str else ""
    if not name:
        raise ConfigurationError("say whom to stop by a name")
    return EVERYONE if name.casefold() == EVERYONE else name


class Stop(NamedTuple):
    """A subject or session that is stopped, by whom or what, since when and why."""

    name: str
    reason: str
    by: str
    since_ns: int


class Halt(NamedTuple):
    """Why nothing may run now, and what the agent is told."""

    code: Code
    message: str


STOPPED = Halt(Code.STOPPED, "This action was refused: the agent has been stopped.")
UNKNOWN = Halt(
    Code.UNAVAILABLE,
    "This action was refused: whether the agent has been stopped can't be told at present.",
)


LOST = Halt(
    Code.UNAVAILABLE,
    "This action was refused: what happened in the session can't be told at present.",
)


class StopStore(Protocol):
    """Where stops are kept. What fails raises StateUnavailable."""

    def stops(self) -> tuple[Stop, ...]:
        """Whoever is stopped now."""

    def stop(self, name: str, reason: str, by: str) -> Stop:
        """Stop `name`; whoever is stopped already stays so, as it was."""

    def resume(self, name: str, by: str) -> bool:
        """Let `name` go on; whether it was stopped."""


class _View(NamedTuple):
    """Who is stopped, by name, and until when (on the monotonic clock) that is to be believed."""

    stopped: Mapping[str, Stop]
    until_ns: float


class Stops:
    """Who is stopped, as one guard knows it; without a `store`, in this process alone.

    `notice` hears of every change that comes to be known, in whatever thread. Raises
    StateUnavailable where the store can't be asked to begin with.
    """

    def __init__(self, store: StopStore | None = None, notice: Notice | None = None) -> None:
        self._store = store
        self._notice: Notice = (lambda _kind, _stop: None) if notice is None else notice
        self._unsaved: dict[str, Stop] = {}
        self._view = _View({}, float("inf") if store is None else 0)
        self._begin()
        if store is not None:
            self._refresh(store)
            self._watch()
            after_fork(self, Stops._begin_again)

    def halt(self, names: Iterable[str]) -> Halt | None:
        """Why nothing may run now for whoever bears one of `names`; None where it may."""
        view = self._view
        if view.until_ns < time.monotonic_ns():
            if not self._renew():
                return UNKNOWN
            view = self._view
        stopped = view.stopped
        if not stopped:
            return None
        return STOPPED if EVERYONE in stopped or any(map(stopped.__contains__, names)) else None

    @property
    def stopped(self) -> tuple[Stop, ...]:
        """Whoever is stopped, as far as is known, by name."""
        return tuple(sorted(self._view.stopped.values()))

    def stop(self, name: str, reason: str, by: str) -> None:
        """Stop `name`: here at once, and elsewhere as soon as the store takes it."""
        with self._lock:
            if name in self._view.stopped:
                return
            stop = Stop(name, reason, by, time.time_ns())
            self._unsaved[name] = stop
            self._take({**self._view.stopped, name: stop}, self._view.until_ns)
        if self._store is not None:
            self._renew()

    def resume(self, name: str, by: str) -> bool:
        """Let `name` go on, and return whether it was stopped; raises StateUnavailable."""
        found = self._store is not None and self._store.resume(name, by)
        with self._lock:
            found = name in self._view.stopped or found
            self._unsaved.pop(name, None)
            left = {key: stop for key, stop in self._view.stopped.items() if key != name}
            self._take(left, self._view.until_ns)
        return found

    def close(self) -> None:
        """Ask the store no more; without news, nothing runs after a second."""
        self._closed.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_FAREWELL_S)

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def _begin_again(self) -> None:
        closed = self._closed.is_set()
        self._begin()
        if closed:
            self._closed.set()
        else:
            self._watch()

    def _watch(self) -> None:
        """Ask the store from now on, until this is closed or nobody holds it."""
        arguments = (weakref.ref(self), self._closed)
        name = "guardrails-stops"
        self._thread = threading.Thread(target=_ask_on, args=arguments, name=name, daemon=True)
        self._thread.start()

    def _renew(self) -> bool:
        """Whether the store has just been heard, by this thread or another."""
        store = self._store
        assert store is not None
        if not self._lock.acquire(timeout=_PATIENCE_S):
            return False
        try:
            if self._unsaved or self._view.until_ns < time.monotonic_ns():
                self._refresh(store)
        except StateUnavailable:
            return False
        finally:
            self._lock.release()
        return self._view.until_ns >= time.monotonic_ns()

    def ask(self) -> None:
        """Ask the store who is stopped; raises StateUnavailable."""
        if self._store is not None:
            with self._lock:
                self._refresh(self._store)

    def _refresh(self, store: StopStore) -> None:
        until = time.monotonic_ns() + VALID_NS
        for stop in tuple(self._unsaved.values()):
            store.stop(stop.name, stop.reason, stop.by)
            self._unsaved.pop(stop.name, None)
        self._take({stop.name: stop for stop in store.stops()}, until)

    def _take(self, stopped: Mapping[str, Stop], until_ns: float) -> None:
        before, self._view = self._view.stopped, _View(stopped, until_ns)
        for name in stopped.keys() - before.keys():
            self._notice("stop", stopped[name])
        for name in before.keys() - stopped.keys():
            self._notice("resume", before[name])


def _ask_on(known: weakref.ref[Stops], closed: threading.Event) -> None:
    while not closed.wait(POLL_S):
        stops = known()
        if stops is None:
            return
        with suppress(StateUnavailable):  # what is known grows old by itself: then nothing runs
            stops.ask()
        del stops
