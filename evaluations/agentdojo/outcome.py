"""What became of calls, tasks and attacks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """What became of a call; of a task or an attack, that of its worst call."""

    RAN = "ran"
    ESCALATED = "needs a person"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call's fate, the tool, and the rules that asked for it ("" where none did)."""

    fate: Fate
    tool: str
    rules: str


@dataclass(frozen=True, slots=True)
class Run:
    """One task or attack: its calls' outcomes, and whether the suite's own check finds it done."""

    task: str
    outcomes: tuple[Outcome, ...]
    done: bool

    @property
    def fate(self) -> Fate:
        """Refused if a call was, else in need of a person if a call was, else ran."""
        fates = {outcome.fate for outcome in self.outcomes}
        for fate in (Fate.REFUSED, Fate.ESCALATED):
            if fate in fates:
                return fate
        return Fate.RAN


@dataclass(slots=True)
class Tally:
    """The runs of one kind in one suite."""

    runs: list[Run] = field(default_factory=list)

    def calls(self) -> Counter[Fate]:
        """How many calls met which fate."""
        return Counter(outcome.fate for run in self.runs for outcome in run.outcomes)

    def tasks(self) -> Counter[Fate]:
        """How many tasks (or attacks) met which fate."""
        return Counter(run.fate for run in self.runs)

    def rules(self) -> Counter[tuple[Fate, str, str]]:
        """How often which rules stopped which tool."""
        return Counter(
            (outcome.fate, outcome.tool, outcome.rules)
            for run in self.runs
            for outcome in run.outcomes
            if outcome.fate is not Fate.RAN
        )
