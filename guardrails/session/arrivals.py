"""The texts that came into a shared session, known by their size until a condition asks for them.

How much of them counts is told from the journal alone, so it is the same in every process; the
bounds are those of a session in one process, `TEXT_MAX` and `SAID_MAX`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardrails.session.events import Came, read_texts
from guardrails.session.origins.memory import TEXT_MAX
from guardrails.session.origins.said import SAID_MAX
from guardrails.session.origins.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from guardrails.session.origins import Origins
    from guardrails.session.origins.memory import Stream

    Read = Callable[[Collection[str]], Mapping[str, str]]
    """Gives the texts that are kept by digests, and raises StateUnavailable."""

_AT_ONCE = 100
"""How many results are read from the journal together: what a tool gives is seldom 100 kB."""


@dataclass(frozen=True, slots=True)
class StreamName:
    """The stream that a part belongs to: of this process, with these labels, by its number."""

    by: str
    labels: tuple[str, ...]
    number: int


@dataclass(frozen=True, slots=True)
class _Result:
    labels: frozenset[str]
    came: Came
    stream: StreamName | None


@dataclass(frozen=True, slots=True)
class _StreamsEnd:
    """That no stream of a process with these labels goes on."""

    by: str
    labels: tuple[str, ...]


class Arrivals:
    """What came, in the journal's order. Whoever uses it sees to it that one thread does."""

    __slots__ = ("_everywhere", "_flowing", "_said_size", "_size", "_streams", "results", "said")

    def __init__(self) -> None:
        self.said: list[Came] = []
        self.results: list[_Result | _StreamsEnd] = []
        self._said_size = 0
        self._size = 0
        self._everywhere: frozenset[str] = frozenset()
        self._flowing: set[tuple[str, tuple[str, ...]]] = set()
        self._streams: dict[StreamName, Stream] = {}

    def admits_said(self, size: int) -> bool:
        """Whether so many characters more of what the person said would count."""
        return self._said_size + size <= SAID_MAX

    def admits(self, labels: Collection[str], size: int) -> bool:
        """Whether so many characters more from a source with `labels` would be looked at."""
        return self._size + size <= TEXT_MAX and not self._everywhere.issuperset(labels)

    def hear_said(self, came: Came) -> None:
        """Take note that the person said something; what is beyond the bound was not said."""
        counts = self.admits_said(came.size)
        self._said_size += came.size
        if counts and came.digest is not None:
            self.said.append(came)

    def hear(self, labels: Collection[str], came: Came, stream: StreamName | None = None) -> None:
        """Take note that a source with `labels` gave something, as a part of `stream` or whole.

        What is beyond the bound, or isn't kept, is the origin of every value.
        """
        names = frozenset(labels)
        if not names or (stream is None and names <= self._everywhere):
            return
        self._size += came.size
        if self._size > TEXT_MAX:
            came = Came(came.size, None, whole=False)
        if not came.whole:
            self._everywhere |= names
        if not came.whole or came.digest is not None:
            self.results.append(_Result(names, came, stream))
            if stream is not None:
                self._flowing.add((stream.by, stream.labels))

    def end_streams(self, by: str, labels: tuple[str, ...]) -> None:
        """Take note that no call of a process with these labels is open any more."""
        if (by, labels) in self._flowing:
            self._flowing.remove((by, labels))
            self.results.append(_StreamsEnd(by, labels))

    def take_in_said(self, memory: Origins, read: Read) -> None:
        """Let `memory` know what the person said; raises StateUnavailable where it can't be had."""
        while self.said:
            for found in _read_all(self.said[:_AT_ONCE], read):
                memory.say(*found)
            del self.said[:_AT_ONCE]

    def take_in(self, memory: Origins, read: Read) -> None:
        """Let `memory` know what sources gave; raises StateUnavailable where it can't be had."""
        while self.results:
            batch = self.results[:_AT_ONCE]
            came = [each.came for each in batch if isinstance(each, _Result)]
            texts = iter(_read_all(came, read))
            for each in batch:
                if isinstance(each, _Result):
                    self._hand_over(memory, each, next(texts))
                else:
                    self._forget_streams(each)
            del self.results[: len(batch)]

    def _hand_over(self, memory: Origins, result: _Result, found: list[str]) -> None:
        if result.stream is None:
            memory.keep(result.labels, Texts(found, result.came.whole))
            return
        stream = self._streams.get(result.stream)
        if stream is None:
            stream = self._streams[result.stream] = memory.open_stream(result.labels)
        memory.receive_part(stream, found, whole=result.came.whole)

    def _forget_streams(self, end: _StreamsEnd) -> None:
        ended = [each for each in self._streams if (each.by, each.labels) == (end.by, end.labels)]
        for each in ended:
            del self._streams[each]


def _read_all(came: Sequence[Came], read: Read) -> list[list[str]]:
    """The texts of each, all or none."""
    digests = {each.digest for each in came if each.digest is not None}
    bodies = read(digests) if digests else {}
    return [read_texts(each, bodies.get(each.digest or "")) for each in came]
