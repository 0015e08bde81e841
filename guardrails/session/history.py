"""What was called in a session, and what became of it, at a cost that doesn't grow with it.

Of each tool and outcome the calls are counted, and of the last ones the times are kept, with their
place in the order of all.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

from guardrails.errors import EvaluationError
from guardrails.language.pattern import Pattern
from guardrails.past import RECENT, Outcome

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable, Iterator, Sequence

    from guardrails.language.document import Tool
    from guardrails.past import Calls, Step

    Note = tuple[str, Tool | None, Outcome, int]
    """A call's tool and its declaration, what became of it, and when."""

    Call = tuple[int, int]
    """The place of a call in the order of all, and its time."""

MAX_UNDECLARED = 1_000
"""How many tools that nobody declares are known by name; any further ones are known together.

An agent can make names up; those of declared tools are as many as the policies declare.
"""

_MAX_FOUND = 1_000  # selections kept ready; policies ask about few

_TOO_MANY = "the session has called more undeclared tools than it can tell apart"
_TOO_LONG_AGO = "what happened is too long ago to tell the order"
_TOO_OFTEN = "that happened more often than can be counted in a stretch of time"
_UNKNOWN = "a tool that was called is not declared with traits"

_EVERYTHING = "*"


class Track:
    """The calls of one tool with one outcome: how many, and when and in which place the last."""

    __slots__ = ("count", "places", "times")

    def __init__(self) -> None:
        self.count = 0
        self.places = array("q")
        self.times = array("q")

    def add(self, place: int, ns: int) -> None:
        """Count a call at `ns`, not earlier than those before, and `place`, which is greater."""
        self.count += 1
        self.places.append(place)
        self.times.append(ns)
        if len(self.times) > 2 * RECENT:
            del self.places[:RECENT], self.times[:RECENT]

    @property
    def cut(self) -> bool:
        """Whether the first times are not known any more."""
        return self.count > len(self.times)

    def since(self, ns: int) -> int:
        """How many there were from `ns` on, as far as their times are known."""
        return len(self.times) - bisect_left(self.times, ns)

    def latest(self, count: int, end: int | None) -> Iterable[Call]:
        """Up to `count` calls, the last ones before the place `end`, if it is given."""
        stop = len(self.places) if end is None else bisect_left(self.places, end)
        start = max(0, stop - count)
        return zip(self.places[start:stop], self.times[start:stop], strict=True)

    def forgets(self, since_ns: int | None) -> bool:
        """Whether there may have been calls since then, or ever, of which the time is lost."""
        return self.cut and (since_ns is None or since_ns <= self.times[0])


class History:
    """The calls of a session. Whoever uses it sees to it that only one thread does at a time."""

    __slots__ = ("_found", "_now_ns", "_others", "_place", "_tracks", "_undeclared")

    def __init__(self) -> None:
        self._now_ns = 0
        self._place = 0
        self._tracks: dict[tuple[str, tuple[str, ...] | None], dict[Outcome, Track]] = {}
        self._undeclared = 0
        self._others: dict[Outcome, Track] = {}
        self._found: dict[tuple[Calls, bool | None], tuple[Track, ...]] = {}

    def note(
        self,
        tool: str,
        traits: tuple[str, ...] | None,
        outcome: Outcome,
        now_ns: int,
        *,
        declared: bool,
    ) -> None:
        """Take note of a call of `tool`, which has these traits (None: nobody knows)."""
        self._add(self._track(tool, traits, outcome, declared=declared), now_ns)

    def note_all(self, notes: deque[Note]) -> None:
        """Take note of calls, the first ones first, until none is left."""
        tracks: dict[tuple[str, tuple[str, ...] | None, Outcome], Track] = {}
        while notes:
            tool, declared, outcome, now_ns = notes.popleft()
            traits = None if declared is None else declared.traits
            track = tracks.get((tool, traits, outcome))
            if track is None:
                track = self._track(tool, traits, outcome, declared=declared is not None)
                tracks[tool, traits, outcome] = track
            self._add(track, now_ns)

    def happened(self, steps: Sequence[Step], now_ns: int, *, unknown: bool) -> bool:
        """Whether all of `steps` have been in this order; raises EvaluationError.

        Looked for from the end: whatever comes last leaves most room for what came before it.
        """
        if len(steps) == 1:
            step = steps[0]
            since = None if step.within_ns is None else now_ns - step.within_ns
            tracks = self._find(step.calls, unknown=unknown)
            return _at_least(tracks, since, step.at_least)
        end: int | None = None
        doubtful = False
        for step in reversed(steps):
            since = None if step.within_ns is None else now_ns - step.within_ns
            tracks = self._find(step.calls, unknown=unknown)
            doubtful = doubtful or any(track.forgets(since) for track in tracks)
            found = _nth_latest(tracks, step.at_least, end)
            if found is None or (since is not None and found[1] < since):
                if doubtful:
                    raise EvaluationError(_TOO_LONG_AGO)
                return False
            end = found[0]
        return True

    def count(self, calls: Calls, since_ns: int | None, *, unknown: bool | None) -> int:
        """How many such calls have been; raises EvaluationError where that can't be told."""
        tracks = self._find(calls, unknown=unknown)
        if since_ns is None:
            return sum(track.count for track in tracks)
        if any(track.forgets(since_ns) for track in tracks):
            raise EvaluationError(_TOO_OFTEN)
        return sum(track.since(since_ns) for track in tracks)

    def last(self, calls: Calls, *, unknown: bool | None) -> int | None:
        """When the last such call was; None for never."""
        found = _nth_latest(self._find(calls, unknown=unknown), 1, None)
        return None if found is None else found[1]

    def _add(self, track: Track, now_ns: int) -> None:
        self._now_ns = max(self._now_ns, now_ns)
        self._place += 1
        track.add(self._place, self._now_ns)

    def _track(
        self, tool: str, traits: tuple[str, ...] | None, outcome: Outcome, *, declared: bool
    ) -> Track:
        tracks = self._tracks.get((tool, traits))
        if tracks is None:
            tracks = self._admit(tool, traits, declared=declared)
        track = tracks.get(outcome)
        if track is None:
            track = tracks[outcome] = Track()
            self._found.clear()
        return track

    def _admit(
        self, tool: str, traits: tuple[str, ...] | None, *, declared: bool
    ) -> dict[Outcome, Track]:
        if not declared:
            if self._undeclared >= MAX_UNDECLARED:
                return self._others
            self._undeclared += 1
        return self._tracks.setdefault((tool, traits), {})

    def _find(self, calls: Calls, *, unknown: bool | None) -> tuple[Track, ...]:
        """What is known of such calls."""
        found = self._found.get((calls, unknown))
        if found is None:
            if len(self._found) >= _MAX_FOUND:
                self._found.clear()
            found = self._found[calls, unknown] = tuple(self._select(calls, unknown=unknown))
        return found

    def _select(self, calls: Calls, *, unknown: bool | None) -> Iterator[Track]:
        patterns = None if calls.tools is None else tuple(map(Pattern, calls.tools))
        known = False
        for (tool, traits), tracks in self._tracks.items():
            if patterns is not None and not any(each.matches(tool) for each in patterns):
                continue
            known = True
            track = tracks.get(calls.outcome)
            if track is not None and _has(traits, calls.traits, unknown=unknown):
                yield track
        other = self._others.get(calls.outcome)
        if other is None or (known and patterns and all(each.exact for each in patterns)):
            return
        if patterns is not None and all(each.text != _EVERYTHING for each in patterns):
            raise EvaluationError(_TOO_MANY)
        if _has(None, calls.traits, unknown=unknown):
            yield other


def _has(
    traits: tuple[str, ...] | None, wanted: Iterable[str] | None, *, unknown: bool | None
) -> bool:
    """Whether a tool has one of the traits `wanted`, if any are; raises EvaluationError."""
    if wanted is None:
        return True
    if traits is not None:
        return not frozenset(traits).isdisjoint(wanted)
    if unknown is None:
        raise EvaluationError(_UNKNOWN)
    return unknown


def _at_least(tracks: Iterable[Track], since_ns: int | None, least: int) -> bool:
    """Whether there were so many; exact, since no rule asks for more than are known by time."""
    if since_ns is None:
        return sum(track.count for track in tracks) >= least
    return sum(track.since(since_ns) for track in tracks) >= least


def _nth_latest(tracks: Iterable[Track], count: int, end: int | None) -> Call | None:
    """The `count`-th last call before the place `end`, as far as is known; None for fewer."""
    calls = sorted(call for track in tracks for call in track.latest(count, end))
    return calls[-count] if len(calls) >= count else None
