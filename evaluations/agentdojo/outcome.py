"""What became of tasks and attacks, with the intervals in which the figures may lie."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from guardrails.decision import Effect
from guardrails.toolchain.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from evaluations.agentdojo.traces import Call, Run
    from guardrails.decision import Decision
    from guardrails.engine import PolicySet

SAMPLES = 2_000
"""How often attacks are drawn anew for an interval."""


class Judged(NamedTuple):
    """A call and the decision on it."""

    call: Call
    decision: Decision


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run: its calls, each with its decision."""

    run: Run
    calls: tuple[Judged, ...]
    changing: frozenset[str]

    @property
    def stopped(self) -> bool:
        """Whether no call of the attack that changes something ran without a person."""
        return not any(
            judged.decision.effect is Effect.ALLOW and judged.call.tool in self.changing
            for judged in self.attack
        )

    @property
    def stopped_wholly(self) -> bool:
        """Whether no call of the attack ran at all, one that reads included."""
        return all(judged.decision.effect is not Effect.ALLOW for judged in self.attack)

    @property
    def attack(self) -> list[Judged]:
        """The calls of the attack."""
        return [judged for judged in self.calls if judged.call.phase == "attack"]

    @property
    def worst(self) -> Effect:
        """The strictest decision of the run."""
        return max((judged.decision.effect for judged in self.calls), default=Effect.ALLOW)

    @property
    def rules(self) -> Counter[tuple[str, str]]:
        """How often which rules stopped which tool."""
        return Counter(
            (judged.call.tool, match.rule)
            for judged in self.calls
            for match in judged.decision.matches
            if judged.decision.effect is not Effect.ALLOW and match.effect is judged.decision.effect
        )


def judge(policies: PolicySet, runs: Iterable[Run], *, as_approved: bool = False) -> list[Outcome]:
    """What became of each run."""
    changing = frozenset(
        name for name, tool in policies.bundle.tools.items() if "read" not in (tool.traits or ())
    )
    found = []
    for run in runs:
        replay = Replay(policies, as_approved=as_approved)
        replayed = [each for each in map(replay.judge_line, run.lines()) if each is not None]
        calls = tuple(
            Judged(call, each.decision) for call, each in zip(run.calls, replayed, strict=True)
        )
        found.append(Outcome(run, calls, changing))
    return found


class Share(NamedTuple):
    """How many of how many, and the interval of the share, each end from 0 to 1."""

    found: int
    total: int
    low: float
    high: float

    def __str__(self) -> str:
        share = self.found / self.total if self.total else 0.0
        return f"{self.found} of {self.total} ({share:.1%}; {self.low:.1%} to {self.high:.1%})"


def share(hits: Sequence[bool], clusters: Sequence[str], seed: int = 1) -> Share:
    """The share of `hits`, with the interval of 95% that draws whole clusters anew.

    Where all or none are hits, drawing anew shows nothing: then the rule of three holds for the
    number of clusters (Hanley, Lippman-Hand, 1983).
    """
    groups: dict[str, list[bool]] = defaultdict(list)
    for hit, cluster in zip(hits, clusters, strict=True):
        groups[cluster].append(hit)
    found, total = sum(hits), len(hits)
    if not total:
        return Share(0, 0, 0.0, 1.0)
    if found in (0, total):
        width = min(1.0, 3 / len(groups))
        return Share(found, total, *((0.0, width) if not found else (1 - width, 1.0)))
    drawn = sorted(_draw(list(groups.values()), Random(seed)))  # noqa: S311 - no secret
    return Share(found, total, drawn[SAMPLES * 25 // 1000], drawn[SAMPLES * 975 // 1000])


def _draw(groups: list[list[bool]], random: Random) -> Iterable[float]:
    for _ in range(SAMPLES):
        chosen = random.choices(groups, k=len(groups))
        yield sum(map(sum, chosen)) / sum(map(len, chosen))
