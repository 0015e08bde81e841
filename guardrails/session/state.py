"""What a session has gathered, which everyone who acts in it shares."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.action import Subject
    from guardrails.audit.records import DecisionEntry
    from guardrails.decision import Effect
    from guardrails.language.document import Tool

MAX_EARLIER = 10
"""How many of a session's last decisions are kept for the people who decide over the next."""


class SessionState:
    """What a session has gathered; delegations within it share it.

    Labels only ever join: whoever opens a session again by its id finds them.
    """

    __slots__ = ("_lock", "earlier", "id", "labels", "subject")

    def __init__(self, id: str, subject: Subject | None) -> None:  # noqa: A002
        self.id = id
        self.subject = subject
        self.labels: frozenset[str] = frozenset()
        self.earlier: deque[tuple[int, DecisionEntry]] = deque(maxlen=MAX_EARLIER)
        self._lock = Lock()

    def started(self, tool: str, declared: Tool | None) -> None:
        """Take note that a call begins: what its result carries is in from now on."""
        if declared is not None and declared.returns:
            self.add_labels(declared.returns)

    def refused(self, tool: str, effect: Effect) -> None:
        """Take note that a call was refused, by a denial or until people decide."""

    def received(self, declared: Tool | None, part: Any) -> None:
        """Take note of a part of a result, before the agent sees it."""

    def ended(self, declared: Tool | None, error: BaseException | None, result: Any) -> None:
        """Take note of how a call ended."""

    def add_labels(self, labels: Iterable[str]) -> None:
        """Let `labels` join the session."""
        with self._lock:
            self.labels = self.labels.union(labels)
