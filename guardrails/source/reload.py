"""Policies that follow their folder: watched, loaded aside, and swapped whole.

A set that doesn't load leaves the last good one in force.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections import deque
from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

from guardrails.errors import LogUnavailable
from guardrails.forks import after_fork
from guardrails.language.difference import find_difference
from guardrails.source.folder_watch import SETTLE_AT_MOST, FolderWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.engine import PolicySet
    from guardrails.language.difference import Difference
    from guardrails.source.folder_state import State

T = TypeVar("T")

CONFIRM_AFTER = 2.5
"""Seconds after a load when the content is compared once more: where times of change are kept in
whole seconds (or two, as on FAT), a file that is saved twice within one looks the same."""

DISTURBED_AT_MOST = 5
"""How often the folder may change while it is read before that is told as a failure."""

MOST_UNHEARD = 100
"""How many loads wait for a listener that takes its time; older ones are then left out."""

RESTLESS = "the folder changes faster than it can be read"


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
    """Watches `path` in a thread of its own and hands over what it loads.

    `load` reads the folder, `state` is what `read_state` said of it before the policies in force
    were read, and `current` returns those; `digest` reads the revision alone. `deliver` gets the
    end of each attempt, and puts new policies in force if it can (it may raise LogUnavailable,
    which is tried again). With `polling` the folder is compared instead of waiting for events.
    """

    def __init__(
        self,
        path: str,
        load: Callable[[], PolicySet],
        digest: Callable[[], str],
        current: Callable[[], PolicySet],
        deliver: Callable[[Reload], None],
        *,
        state: State,
        polling: bool = False,
    ) -> None:
        self._path = path
        self._load = load
        self._digest = digest
        self._current = current
        self._deliver = deliver
        self._polling = polling
        self._state = state
        self._undelivered: tuple[State, Reload] | None = None
        self._failed = False
        self._disturbed = 0
        self._confirm_at: float | None = monotonic() + CONFIRM_AFTER
        self._collects: bool | None = None
        self._start()
        after_fork(self, Reloader._watch_on)

    def _start(self) -> None:
        self._watch = FolderWatch(self._path, polling=self._polling)
        self._thread = Thread(target=self._run, name="guardrails-reload", daemon=True)
        self._thread.start()

    def _watch_on(self) -> None:
        """Watch on in a forked child, which has none of its parent's threads."""
        if self._collects:  # the parent's thread, which would have done it, was just loading
            gc.enable()
        self._collects = None
        if not self._watch.closed:
            self._start()

    def stop(self) -> None:
        """Watch no more; the policies in force stay so."""
        self._watch.close()

    def close(self) -> None:
        """Watch no more, and wait until what is being loaded is put in force or left aside."""
        self.stop()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=SETTLE_AT_MOST)

    def _run(self) -> None:
        watch = self._watch
        while not watch.closed:
            try:
                self._look(watch)
            except Exception as error:  # noqa: BLE001 - whatever it is, watching goes on
                self._tell_fault(error)

    def _look(self, watch: FolderWatch) -> None:
        state = watch.look(self._state)
        if watch.closed:
            return
        waiting = self._undelivered
        if waiting is not None and waiting[0] == state:
            self._offer(*waiting)
        elif waiting is not None or state != self._state or self._differs():
            self._follow(watch, state)

    def _differs(self) -> bool:
        """Whether the content is another than what was loaded last, looked at once in time."""
        if self._confirm_at is None or monotonic() < self._confirm_at:
            return False
        self._confirm_at = None
        return self._failed or self._digest() != self._current().revision

    def _follow(self, watch: FolderWatch, state: State) -> None:
        """Load the folder, and hand that over if it was in one state all the while."""
        reload = self._attempt()
        if not watch.is_still(state):
            self._disturbed += 1
            if self._disturbed < DISTURBED_AT_MOST:
                return
            reload = Reload(None, None, RESTLESS, reload.seconds)
        self._disturbed = 0
        self._confirm_at = monotonic() + CONFIRM_AFTER
        self._offer(state, reload)

    def _offer(self, state: State, reload: Reload) -> None:
        self._undelivered = (state, reload)
        try:
            self._deliver(reload)
        except LogUnavailable:
            return  # the record comes first; the next look tries again
        self._undelivered = None
        self._state = state
        self._failed = reload.policies is None

    def _attempt(self) -> Reload:
        began = monotonic()
        self._collects = gc.isenabled()
        try:
            policies = self._load()
            difference = find_difference(self._current().bundle, policies.bundle)
        except Exception as error:  # noqa: BLE001 - whatever it is, the last good set stays
            return Reload(None, None, _tell(error), monotonic() - began)
        finally:
            self._collects = None
        return Reload(policies, difference, "", monotonic() - began)

    def _tell_fault(self, error: Exception) -> None:
        """Tell that the folder could not be watched, if even that can be told."""
        try:
            self._deliver(Reload(None, None, f"the folder can't be watched: {_tell(error)}", 0.0))
        except Exception:  # noqa: BLE001 - the health goes on telling what it told before
            report_exception()


class Announcer(Generic[T]):
    """Calls `hear` with what there is to tell, in order, in a thread of its own.

    So `hear` may fail, which is reported as any thread's exception is, and may take its time.
    """

    def __init__(self, hear: Callable[[T], None]) -> None:
        self._hear = hear
        self._begin()
        after_fork(self, Announcer._begin)  # what the parent has to tell, it tells

    def _begin(self) -> None:
        self._lock = Lock()
        self._unheard: deque[T] = deque(maxlen=MOST_UNHEARD)
        self._busy = False

    def tell(self, news: T) -> None:
        """Have `news` heard, at once or after what still waits."""
        with self._lock:
            self._unheard.append(news)
            if self._busy:
                return
            self._busy = True
        Thread(target=self._run, name="guardrails-on-load", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._unheard:
                    self._busy = False
                    return
                news = self._unheard.popleft()
            try:
                self._hear(news)
            except BaseException:  # noqa: BLE001 - what comes next is told nevertheless
                report_exception()


def report_exception() -> None:
    """Report the exception at hand as one that nobody caught in this thread."""
    threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))


def _tell(error: Exception) -> str:
    return str(error) or "the policies can't be loaded"
