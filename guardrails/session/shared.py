"""A session that several processes share: what happens in it is kept in a journal they all read."""

from __future__ import annotations

import json
from contextlib import suppress
from secrets import token_hex
from threading import RLock
from time import time_ns
from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError, StateUnavailable
from guardrails.past import Outcome
from guardrails.session.state import SessionState, narrow_targets, read_texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from guardrails.action import Subject
    from guardrails.language.cel.functions.signature import Budget
    from guardrails.language.document import Tool
    from guardrails.session.journal import Journal

_ELSEWHERE = "a part of what came into the session is known to another process alone"


class SharedState(SessionState):
    """What a session has gathered, in whatever process.

    What happens is first kept in the journal, then taken from it, so that all see it in the same
    order. `renew` comes before each decision. The texts that came in are not kept there: where
    another process has called a tool, where they came from is an error.
    """

    __slots__ = ("_elsewhere", "_journal", "_myself", "_owner", "_reading", "_seen", "_unsaved")

    def __init__(self, id: str, subject: Subject | None, journal: Journal) -> None:  # noqa: A002
        """Open the session, or take in what has happened in it; raises StateUnavailable."""
        self._journal = journal
        super().__init__(id, subject)
        self._elsewhere = False
        self._owner: str | None = None
        self._seen = 0
        self._catch_up()
        if not self._seen:
            self._happen("open", subject=None if subject is None else subject.id)

    def begin(self) -> None:
        """Take locks and a name of its own; what the parent of a fork has not kept, it will."""
        super().begin()
        self._myself = token_hex(8)
        self._unsaved: list[tuple[str, str, int]] = []
        self._reading = RLock()

    @property
    def kept_elsewhere(self) -> bool:
        """Whether all that happened is in the journal."""
        return not self._unsaved

    @property
    def owner(self) -> str | None:
        """The id of the subject that opened the session first, None for nobody known."""
        return self._owner

    def renew(self) -> bool:
        """Whether what happened here is kept, and what happened elsewhere is known."""
        try:
            with self._reading:
                self._save()
                self._catch_up()
        except StateUnavailable:
            return False
        return True

    def add_labels(self, labels: Iterable[str]) -> None:
        """Let `labels` join the session; raises SessionError, StateUnavailable."""
        self._happen("labels", added=read_texts(labels, "labels"), removed=())

    def remove_labels(self, labels: Iterable[str]) -> None:
        """Let `labels` leave the session; raises SessionError, StateUnavailable."""
        self._happen("labels", added=(), removed=read_texts(labels, "labels"))

    def narrow(self, targets: Iterable[str]) -> None:
        """Let the task be about `targets` alone; raises SessionError, StateUnavailable."""
        with self._reading:
            self._catch_up()
            wanted = narrow_targets(self.targets, read_texts(targets, "targets"))
            self._happen("targets", targets=wanted)

    def origins(self, value: Any, budget: Budget) -> list[str]:
        """The labels of the sources from which the text of `value` came; see `Past`."""
        if self._elsewhere:
            raise EvaluationError(_ELSEWHERE)
        return super().origins(value, budget)

    def stated(self, value: Any, budget: Budget, fields: Collection[str] = ()) -> bool:
        """Whether the person asked for `value`; see `Past`."""
        if self._elsewhere:
            raise EvaluationError(_ELSEWHERE)
        return super().stated(value, budget, fields)

    def _carry_in(self, labels: tuple[str, ...]) -> None:
        if not self.labels.issuperset(labels):
            self._add("labels", time_ns(), added=labels, removed=())

    def _note(self, tool: str, declared: Tool | None, outcome: Outcome, now_ns: int | None) -> None:
        """Take note of a call; raises StateUnavailable where it must not begin unknown to others.

        What ended or was refused is kept as soon as that can be: `renew` tells.
        """
        traits = None if declared is None else declared.traits
        about = {"tool": tool, "traits": traits, "declared": declared is not None}
        now = time_ns() if now_ns is None else now_ns
        with self._reading:
            self._add("call", now, outcome=outcome, by=self._myself, **about)
            if outcome is Outcome.CALLED:
                self._save()
                self._catch_up()
                return
            with suppress(StateUnavailable):
                self._save()
                self._catch_up()

    def _happen(self, kind: str, **body: Any) -> None:
        with self._reading:
            self._add(kind, time_ns(), **body)
            self._save()
            self._catch_up()

    def _add(self, kind: str, at_ns: int, **body: Any) -> None:
        with self._reading:
            self._unsaved.append((kind, json.dumps(body), at_ns))

    def _save(self) -> None:
        if self._unsaved:
            self._journal.append(self.id, self._unsaved)
            self._unsaved = []

    def _catch_up(self) -> None:
        with self._reading:
            for number, kind, body, at_ns in self._journal.read(self.id, self._seen):
                self._take(kind, json.loads(body), at_ns)
                self._seen = number

    def _take(self, kind: str, body: dict[str, Any], at_ns: int) -> None:
        """Take in an event; of the first ones that open the session only one does."""
        if kind == "open":
            if not self._seen:
                self._owner = body["subject"]
        elif kind == "labels":
            with self._lock:
                self.labels = self.labels.union(body["added"]).difference(body["removed"])
        elif kind == "targets":
            wanted = body["targets"]
            known = wanted if self.targets is None else self.targets
            self.targets = tuple(each for each in wanted if each in known)
        else:
            self._elsewhere = self._elsewhere or body["by"] != self._myself
            traits = None if body["traits"] is None else tuple(body["traits"])
            outcome = Outcome(body["outcome"])
            with self._lock:
                self.history.note(body["tool"], traits, outcome, at_ns, declared=body["declared"])
