"""A session's history as a plain list of what happened, asked by walking over all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from guardrails.language.pattern import Pattern

if TYPE_CHECKING:
    from guardrails.past import Calls, Outcome, Step


class Happening(NamedTuple):
    """One call, with the traits of its tool (None: not declared) and what became of it."""

    tool: str
    traits: tuple[str, ...] | None
    outcome: Outcome
    at_ns: int


@dataclass
class NaiveHistory:
    """Slow, and plain enough to be believed."""

    all: list[Happening] = field(default_factory=list)

    def note(self, happening: Happening) -> None:
        latest = self.all[-1].at_ns if self.all else happening.at_ns
        self.all.append(happening._replace(at_ns=max(latest, happening.at_ns)))

    def places(self, calls: Calls, *, unknown: bool) -> list[int]:
        return [n for n, each in enumerate(self.all) if _fits(each, calls, unknown=unknown)]

    def count(self, calls: Calls, since_ns: int | None, *, unknown: bool) -> int:
        places = self.places(calls, unknown=unknown)
        return sum(since_ns is None or self.all[place].at_ns >= since_ns for place in places)

    def happened(self, steps: tuple[Step, ...], now_ns: int, *, unknown: bool) -> bool:
        """Whether there are, one after another, as many calls as each step wants."""
        return self._from(0, steps, now_ns, unknown=unknown)

    def _from(self, start: int, steps: tuple[Step, ...], now_ns: int, *, unknown: bool) -> bool:
        if not steps:
            return True
        step = steps[0]
        since = None if step.within_ns is None else now_ns - step.within_ns
        places = [
            place
            for place in self.places(step.calls, unknown=unknown)
            if place >= start and (since is None or self.all[place].at_ns >= since)
        ]
        if len(places) < step.at_least:
            return False
        return self._from(places[step.at_least - 1] + 1, steps[1:], now_ns, unknown=unknown)


def _fits(happening: Happening, calls: Calls, *, unknown: bool) -> bool:
    if happening.outcome is not calls.outcome:
        return False
    tools = ("*",) if calls.tools is None else calls.tools
    if not any(Pattern(text).matches(happening.tool) for text in tools):
        return False
    if calls.traits is None:
        return True
    if happening.traits is None:
        return unknown
    return any(trait in happening.traits for trait in calls.traits)
