"""The decision log as enforcement writes it: first which policies are in force, then the rest."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from guardrails.decision import Code
from guardrails.errors import ActionDenied, LogUnavailable
from guardrails.forks import after_fork

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.audit.records import DecisionEntry, Outcome
    from guardrails.engine import PolicySet


class Log(Protocol):
    """Whatever takes the records: the decision log, or a fake in tests."""

    def decision(self, entry: DecisionEntry) -> str:
        """Write a decision and return its id; raises LogUnavailable."""

    def outcome(
        self, decision_id: str, outcome: Outcome, duration_ns: int, error: str | None = None
    ) -> None:
        """Write how a call ended; raises LogUnavailable."""

    def event(self, kind: str, **fields: Any) -> str:
        """Write an event and return its id; raises LogUnavailable."""


class Recorder:
    """Writes into a log. `setting` is what the record of the first load says besides policies."""

    __slots__ = ("__weakref__", "_announced", "_lock", "_setting", "log")

    def __init__(self, log: Log, setting: Mapping[str, Any]) -> None:
        self.log = log
        self._setting = setting
        self._begin()
        after_fork(self, Recorder._begin)  # a thread of the parent may hold the lock

    def _begin(self) -> None:
        """Take a lock of its own; the log, which has a chain of its own, is told of no load yet."""
        self._announced = False
        self._lock = Lock()

    def write(self, entry: DecisionEntry, policies: PolicySet) -> str:
        """Record a decision and return its id; raises ActionDenied where that can't be.

        Before the first one it is recorded that `policies` are in force.
        """
        try:
            if not self._announced:
                self._announce(policies)
            return self.log.decision(entry)
        except LogUnavailable as error:
            message = "This action was refused: the decision over it could not be recorded."
            refused = policies.refuse(Code.UNAVAILABLE, message)
            raise ActionDenied(message, refused, "") from error

    def load(self, policies: PolicySet, facts: Mapping[str, Any]) -> None:
        """Record that `policies` come into force; raises LogUnavailable."""
        with self._lock:
            self._load(policies, facts)

    def _announce(self, policies: PolicySet) -> None:
        with self._lock:
            if not self._announced:
                self._load(policies, self._setting)

    def _load(self, policies: PolicySet, facts: Mapping[str, Any]) -> None:
        documents = [document.path for document in policies.bundle.documents]
        self.log.event("load", revision=policies.revision, documents=documents, **facts)
        self._announced = True
