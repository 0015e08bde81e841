"""What a session has gathered, which everyone who acts in it shares."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from threading import Lock
from time import time_ns
from typing import TYPE_CHECKING, Any, Protocol

from guardrails.decision import Code, Effect
from guardrails.errors import EvaluationError, SessionError
from guardrails.past import Outcome
from guardrails.session.history import History

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from guardrails.action import Subject
    from guardrails.audit.records import DecisionEntry
    from guardrails.decision import Decision
    from guardrails.language.cel.functions.signature import Budget
    from guardrails.language.document import Tool
    from guardrails.past import Calls, Step
    from guardrails.session.history import Note
    from guardrails.session.open_calls import Around
    from guardrails.session.origins import Origins

    class Listener(Protocol):
        """What takes note of each part of a stream before the agent sees it."""

        def receive(self, part: object) -> None:
            """Take in the next part; nothing is raised."""


MAX_EARLIER = 10
"""How many of a session's last decisions are kept for the people who decide over the next."""

_NO_DENIALS = frozenset({Code.UNAVAILABLE, Code.NO_POLICIES, Code.STOPPED})
"""Refusals that say nothing of what the agent tried."""

_UNCOUNTED = 256
"""How many calls may wait to be counted; until a condition asks, they need not be."""

_ELSEWHERE = "what happened in the session before is known to another process alone"


class SessionState:
    """What a session has gathered; delegations within it share it.

    It is the `Past` that conditions ask. Labels join, and leave by the host's word alone: whoever
    opens a session again by its id finds them. A time given to a method is in nanoseconds since
    1970; without one it is the present. `partial` says that another process knows what happened
    before, and nobody here does: the past can't be told then.
    """

    __slots__ = (
        "__weakref__",
        "_lock",
        "_sources",
        "_uncounted",
        "earlier",
        "history",
        "id",
        "labels",
        "partial",
        "subject",
        "targets",
    )

    def __init__(self, id: str, subject: Subject | None) -> None:  # noqa: A002
        self.id = id
        self.subject = subject
        self.labels: frozenset[str] = frozenset()
        self.targets: tuple[str, ...] | None = None
        self.partial = False
        self.history = History()
        # Joined at one end and left at the other, each in one step, so that joining takes no lock.
        self._uncounted: deque[Note] = deque()
        self._sources: Origins | None = None
        self.earlier: deque[tuple[int, DecisionEntry]] = deque(maxlen=MAX_EARLIER)
        self.begin()

    def begin(self) -> None:
        """Take locks of its own, in a forked child too: a thread of the parent may hold them."""
        self._lock = Lock()
        if self._sources is not None:
            self._sources.begin()

    @property
    def shared(self) -> bool:
        """Whether several processes can have it."""
        return False

    @property
    def kept_elsewhere(self) -> bool:
        """Whether all that happened is kept where it can be read again."""
        return False

    @property
    def owner(self) -> str | None:
        """The id of the subject that opened the session, None where nobody is known."""
        return None if self.subject is None else self.subject.id

    def renew(self) -> bool:
        """Whether all that happened in the session is known, as a decision needs it."""
        return True

    def around(self) -> Around:
        """The calls around what is delegated to another process now, if it can know of them."""
        return ()

    def go_inside(self, around: Around) -> None:
        """Let calls be around what is done in this process: they end after it."""

    def started(self, tool: str, declared: Tool | None, now_ns: int | None = None) -> None:
        """Take note that a call begins: what its result carries is in from now on."""
        if declared is not None and declared.returns:
            self._carry_in(declared.returns)
        self._note(tool, declared, Outcome.CALLED, now_ns)

    def refused(
        self, tool: str, declared: Tool | None, decision: Decision, now_ns: int | None = None
    ) -> None:
        """Take note that a call was refused, by a denial or until people decide."""
        if decision.effect is Effect.DENY and decision.code not in _NO_DENIALS:
            self._note(tool, declared, Outcome.DENIED, now_ns)

    @property
    def sources(self) -> Origins:
        """Where texts came from, and what the person said."""
        found = self._sources
        if found is None:
            from guardrails.session.origins import Origins  # noqa: PLC0415 - slow to import

            with self._lock:
                found = self._sources = self._sources or Origins()
        return found

    def said(self, text: str) -> None:
        """Take note of what the person said; raises SessionError for what is no text."""
        self.sources.say(read_text(text))

    def follow(self, declared: Tool | None) -> Listener | None:
        """Return what takes note of each part of a result before the agent sees it, if needed."""
        if declared is None or not declared.returns:
            return None
        return self.sources.open_stream(declared.returns)

    def ended(
        self,
        tool: str,
        declared: Tool | None,
        error: BaseException | None,
        result: Any,
        now_ns: int | None = None,
    ) -> None:
        """Take note of how a call ended."""
        if declared is not None and declared.returns:
            self.sources.receive(declared.returns, result if error is None else error)
            self._carry_in(declared.returns)  # again: they may have been removed while it ran
        outcome = Outcome.SUCCEEDED if error is None else Outcome.FAILED
        self._note(tool, declared, outcome, now_ns)

    def add_labels(self, labels: Iterable[str]) -> None:
        """Let `labels` join the session; raises SessionError for what are none."""
        added = read_texts(labels, "labels")
        with self._lock:
            self.labels = self.labels.union(added)

    def remove_labels(self, labels: Iterable[str]) -> None:
        """Let `labels` leave the session; raises SessionError for what are none."""
        removed = read_texts(labels, "labels")
        with self._lock:
            self.labels = self.labels.difference(removed)

    def narrow(self, targets: Iterable[str]) -> None:
        """Let the task be about `targets` alone; raises SessionError where it was not before."""
        given = read_texts(targets, "targets")
        with self._lock:
            self.targets = narrow_targets(self.targets, given)

    def happened(self, steps: Sequence[Step], now_ns: int, *, unknown: bool) -> bool:
        """Whether all of `steps` have been in this order; see `Past`."""
        self._check_whole()
        with self._lock:
            self.history.note_all(self._uncounted)
            return self.history.happened(steps, now_ns, unknown=unknown)

    def count(self, calls: Calls, since_ns: int | None, *, unknown: bool | None = None) -> int:
        """How many such calls have been, since a time or ever; see `Past`."""
        self._check_whole()
        with self._lock:
            self.history.note_all(self._uncounted)
            return self.history.count(calls, since_ns, unknown=unknown)

    def last(self, calls: Calls, *, unknown: bool | None = None) -> int | None:
        """When the last such call was; see `Past`."""
        self._check_whole()
        with self._lock:
            self.history.note_all(self._uncounted)
            return self.history.last(calls, unknown=unknown)

    def origins(self, value: Any, budget: Budget) -> list[str]:
        """The labels of the sources from which the text of `value` came; see `Past`."""
        self._check_whole()
        return self.sources.origins(value, budget)

    def stated(self, value: Any, budget: Budget, fields: Collection[str] = ()) -> bool:
        """Whether the person asked for `value`; see `Past`."""
        self._check_whole()
        return self.sources.stated(value, budget, fields)

    def _check_whole(self) -> None:
        if self.partial:
            raise EvaluationError(_ELSEWHERE)

    def _carry_in(self, labels: tuple[str, ...]) -> None:
        with self._lock:
            if not self.labels.issuperset(labels):
                self.labels = self.labels.union(labels)

    def _note(self, tool: str, declared: Tool | None, outcome: Outcome, now_ns: int | None) -> None:
        now = time_ns() if now_ns is None else now_ns
        uncounted = self._uncounted
        uncounted.append((tool, declared, outcome, now))
        if len(uncounted) >= _UNCOUNTED:
            with self._lock:
                self.history.note_all(self._uncounted)


def read_text(given: object) -> str:
    """Return what the person said; raises SessionError for what is no text."""
    if type(given) is not str:
        raise SessionError("what the person said is a text")
    return given


def read_texts(given: object, what: str) -> tuple[str, ...]:
    """Return a list of texts, none of them empty; raises SessionError for anything else."""
    texts = None
    if isinstance(given, Iterable) and not isinstance(given, str):
        texts = tuple(given)
    if texts is None or not all(type(text) is str and text.strip() for text in texts):
        msg = f"{what} are a list of texts, none of them empty"
        raise SessionError(msg)
    return texts


def narrow_targets(known: tuple[str, ...] | None, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return `wanted` without repeats; raises SessionError where `known` lacks one of them."""
    targets = tuple(dict.fromkeys(wanted))
    if known is not None and not set(targets).issubset(known):
        raise SessionError("the task has been given its targets: it can only be narrowed")
    return targets
