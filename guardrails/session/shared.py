"""A session that several processes share: what happens in it is kept in a journal they all read."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from threading import RLock
from time import time_ns
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from guardrails.errors import EvaluationError, SessionError, StateUnavailable
from guardrails.past import Outcome
from guardrails.session.arrivals import Arrivals, StreamName
from guardrails.session.events import ENDED, read_facts
from guardrails.session.open_calls import OpenCalls
from guardrails.session.origins.texts import Texts, read_result
from guardrails.session.state import SessionState, narrow_targets, read_text, read_texts
from guardrails.session.unkept import Unkept

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from guardrails.action import Subject
    from guardrails.language.cel.functions.signature import Budget
    from guardrails.language.document import Tool
    from guardrails.session.events import Came
    from guardrails.session.journal import Journal
    from guardrails.session.open_calls import Around

MAX_HELD = 1_000_000
"""Characters of the parts of streams that wait to be kept: what is decided next keeps them too."""

_UNTOLD = "a part of what came into the session was called by a release that kept no texts"
_ENDED = "the session `{}` has ended, and what was known of it is gone: open one of another id"


class SharedState(SessionState):
    """What a session has gathered, in whatever process.

    What happens is first kept in the journal, then taken from it, so that all see it in the same
    order. `renew` comes before each decision. The texts that came in are read when a condition
    asks where a value came from. A call whose result nobody here can know yet, since it is open in
    another process or was cut off there, counts as the origin of every value.
    """

    __slots__ = (
        "_arrivals",
        "_calls",
        "_ended",
        "_heard",
        "_journal",
        "_owner",
        "_reading",
        "_seen",
        "_streams",
        "_streams_opened",
        "_unkept",
        "_untold",
    )

    def __init__(self, id: str, subject: Subject | None, journal: Journal) -> None:  # noqa: A002
        """Open the session, or take in what has happened in it.

        Raises StateUnavailable, and SessionError for one that has ended.
        """
        self._journal = journal
        self._calls = OpenCalls()
        self._streams: WeakSet[SharedStream] = WeakSet()
        self._unkept = Unkept()
        super().__init__(id, subject)
        self._arrivals = Arrivals()
        self._heard: dict[str, int] = {}
        self._untold = False
        self._ended = False
        self._owner: str | None = None
        self._seen = 0
        self._read_on()
        if self._ended:
            raise SessionError(_ENDED.format(id))
        if not self._seen:
            self._happen("open", subject=None if subject is None else subject.id)

    def begin(self) -> None:
        """Take locks and a name of its own; what the parent of a fork has not kept, it will.

        A child is forked inside of the calls that its parent had open.
        """
        super().begin()
        around = self.around()
        self._unkept = Unkept()
        self._calls.go_inside(around)
        self._streams = WeakSet()
        self._streams_opened = 0
        self._reading = RLock()

    @property
    def shared(self) -> bool:
        """Whether several processes can have it."""
        return True

    @property
    def kept_elsewhere(self) -> bool:
        """Whether all that happened is in the journal."""
        return not self._unkept.events

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

    def around(self) -> Around:
        """The calls around what is delegated now; none where one may have ended unknown to all."""
        if self._unkept.events:
            return ()
        return self._calls.around(self._unkept.by, [stream.labels for stream in self._streams])

    def go_inside(self, around: Around) -> None:
        """Let calls be around what is done in this process: they end after it."""
        with self._reading:
            self._calls.go_inside(around)

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

    def said(self, text: str) -> None:
        """Take note of what the person said; raises SessionError, StateUnavailable."""
        self._happen("said", Texts([read_text(text)], whole=True))

    def follow(self, declared: Tool | None) -> SharedStream | None:
        """Return what takes note of each part of a result before the agent sees it, if needed."""
        labels = _labels_of(declared)
        if not labels:
            return None
        with self._reading:
            self._streams_opened += 1
            stream = SharedStream(self, labels, self._streams_opened)
            self._streams.add(stream)
        return stream

    def receive_part(self, stream: SharedStream, texts: Texts) -> None:
        """Take note of a part of a stream, which is kept with whatever is kept next.

        Until then the call is open, so that in other processes it is the origin of every value.
        """
        with self._reading:
            self._unkept.add_part(stream.number, stream.labels, time_ns(), texts)
            if self._unkept.held > MAX_HELD:
                self._save_soon()

    def ended(
        self,
        tool: str,
        declared: Tool | None,
        error: BaseException | None,
        result: Any,
        now_ns: int | None = None,
    ) -> None:
        """Take note of how a call ended, and of what it gave: both are kept, or neither."""
        labels = _labels_of(declared)
        texts = read_result(result if error is None else error) if labels else None
        outcome = Outcome.SUCCEEDED if error is None else Outcome.FAILED
        with self._reading:
            self._carry_in(labels)  # again: they may have been removed while it ran
            self._add_call(tool, declared, outcome, now_ns, texts)
            self._save_soon()

    def origins(self, value: Any, budget: Budget) -> list[str]:
        """The labels of the sources from which the text of `value` came; see `Past`."""
        with self._asking():
            if self._arrivals.results:
                self._arrivals.take_in(self.sources, self._read_texts)
            elsewhere = self._calls.labels_elsewhere(self._unkept.by)
        found = super().origins(value, budget)
        return sorted(elsewhere.union(found)) if elsewhere else found

    def stated(self, value: Any, budget: Budget, fields: Collection[str] = ()) -> bool:
        """Whether the person asked for `value`; see `Past`."""
        with self._asking():
            if self._arrivals.said:
                self._arrivals.take_in_said(self.sources, self._read_texts)
        return super().stated(value, budget, fields)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """The moment of a question about texts; what can't be read is the condition's error."""
        with self._reading:
            if self._untold:
                raise EvaluationError(_UNTOLD)
            try:
                if self._unkept.events:  # of another call, which ended after this one was begun
                    self._save()
                    self._catch_up()
                yield
            except StateUnavailable as error:
                msg = f"what came into the session can't be told: {error}"
                raise EvaluationError(msg) from error

    def _read_texts(self, digests: Collection[str]) -> Mapping[str, str]:
        return self._journal.texts(self.id, digests)

    def _carry_in(self, labels: tuple[str, ...]) -> None:
        if not self.labels.issuperset(labels):
            self._add("labels", added=labels, removed=())

    def _note(self, tool: str, declared: Tool | None, outcome: Outcome, now_ns: int | None) -> None:
        """Take note of a call; raises StateUnavailable where it must not begin unknown to others.

        What ended or was refused is kept as soon as that can be: `renew` tells.
        """
        with self._reading:
            self._add_call(tool, declared, outcome, now_ns, None)
            if outcome is not Outcome.CALLED:
                self._save_soon()
                return
            try:
                self._save()
                self._catch_up()
            except StateUnavailable:
                labels = _labels_of(declared)
                if labels:
                    self._add("unbegun", returns=labels)
                raise

    def _happen(self, kind: str, texts: Texts | None = None, **facts: Any) -> None:
        with self._reading:
            self._add(kind, texts=texts, **facts)
            self._save()
            self._catch_up()

    def _add_call(
        self,
        tool: str,
        declared: Tool | None,
        outcome: Outcome,
        now_ns: int | None,
        texts: Texts | None,
    ) -> None:
        self._add(
            "call",
            now_ns,
            texts,
            tool=tool,
            traits=None if declared is None else declared.traits,
            declared=declared is not None,
            outcome=outcome,
            returns=_labels_of(declared),
        )

    def _add(
        self, kind: str, now_ns: int | None = None, texts: Texts | None = None, **facts: Any
    ) -> None:
        with self._reading:
            self._unkept.add(kind, time_ns() if now_ns is None else now_ns, texts, **facts)

    def _save_soon(self) -> None:
        """Keep what happened now, or else before anything is decided."""
        with suppress(StateUnavailable):
            self._save()
            self._catch_up()

    def _save(self) -> None:
        if self._unkept.events:
            self._journal.append(self.id, *self._unkept.write(self._arrivals))
            self._unkept.clear()

    def _catch_up(self) -> None:
        self._read_on()
        if self._ended:
            raise StateUnavailable(_ENDED.format(self.id))

    def _read_on(self) -> None:
        with self._reading:
            for number, kind, body, at_ns in self._journal.read(self.id, self._seen):
                facts = read_facts(kind, body)
                if self._is_new(facts):
                    self._take(kind, facts, at_ns)
                self._seen = number

    def _is_new(self, facts: Mapping[str, Any]) -> bool:
        """Whether an event isn't kept twice, as where the answer to a first try is lost.

        Raises StateUnavailable where one is missing before it.
        """
        if "seq" not in facts:
            return True
        by, number = facts["by"], facts["seq"]
        before = self._heard.get(by, 0)
        if number <= before:
            return False
        if number > before + 1:
            raise StateUnavailable("a part of what happened in the session is missing")
        self._heard[by] = number
        return True

    def _take(self, kind: str, facts: Mapping[str, Any], at_ns: int) -> None:
        """Take in an event; of the first ones that open the session only one does."""
        match kind:
            case "open":
                if not self._seen:
                    self._owner = facts["subject"]
            case "labels":
                with self._lock:
                    self.labels = self.labels.union(facts["added"]).difference(facts["removed"])
            case "targets":
                wanted = facts["targets"]
                known = wanted if self.targets is None else self.targets
                self.targets = tuple(each for each in wanted if each in known)
            case "said":
                self._arrivals.hear_said(facts["text"])
            case "part":
                labels = tuple(facts["returns"])
                name = StreamName(facts["by"], labels, facts["stream"])
                self._arrivals.hear(labels, facts["text"], name)
            case "unbegun":
                self._calls.end(facts["by"], tuple(facts["returns"]))
            case "call":
                self._take_call(facts, at_ns)
            case _:
                assert kind == ENDED
                self._ended = True

    def _take_call(self, facts: Mapping[str, Any], at_ns: int) -> None:
        traits = None if facts["traits"] is None else tuple(facts["traits"])
        outcome = Outcome(facts["outcome"])
        with self._lock:
            self.history.note(facts["tool"], traits, outcome, at_ns, declared=facts["declared"])
        if "returns" not in facts:
            self._untold = True
        elif facts["returns"]:
            self._take_result(facts["by"], tuple(facts["returns"]), outcome, facts["text"])

    def _take_result(
        self, by: str, labels: tuple[str, ...], outcome: Outcome, came: Came | None
    ) -> None:
        """Take in that a call with labels begins, or what it gave."""
        if outcome is Outcome.CALLED:
            self._calls.begin(by, labels)
        elif outcome is not Outcome.DENIED:
            if came is not None:
                self._arrivals.hear(labels, came)
            if self._calls.end(by, labels):
                self._arrivals.end_streams(by, labels)


class SharedStream:
    """A source whose parts come one by one; the session keeps them."""

    __slots__ = ("__weakref__", "_state", "labels", "number")

    def __init__(self, state: SharedState, labels: tuple[str, ...], number: int) -> None:
        self._state = state
        self.labels = labels
        self.number = number

    def receive(self, part: object) -> None:
        """Take in the next part, before the agent sees it; nothing is raised."""
        self._state.receive_part(self, read_result(part))


def _labels_of(declared: Tool | None) -> tuple[str, ...]:
    return () if declared is None else declared.returns
