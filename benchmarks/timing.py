"""How things are timed here: in batches, round by round, all subjects in turn.

Timings on shared machines are bimodal, so every subject gets a turn in every round, and the
figure that is compared (`best`) is the least of the rounds' medians. The garbage collector is off
while a round runs and swept between rounds, for all alike. The loop's own cost, some 10 to 20 ns,
is in every figure of a batch; the clock's own cost is taken out of calls timed singly.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections import deque
from dataclasses import dataclass, field
from itertools import repeat
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BATCH_NS = 1_000_000
"""How long a batch should last at least, so that the clock's cost is nothing beside it."""

BATCHES = 5
"""How many batches a subject's turn has, if one lasts no longer than `BATCH_NS`."""

SINGLES = 300
"""How many calls of a turn are timed singly, for the percentiles; fewer if they are slow."""

ROUNDS = 20

Pair = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to time: a function of two arguments, and the pairs it is called with in turn."""

    function: Callable[[Any, Any], Any]
    pairs: Sequence[Pair]
    asynchronous: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """Nanoseconds per call: median and 99th percentile of all, and the best round's median."""

    p50: float
    p99: float
    best: float


@dataclass(slots=True)
class Samples:
    """What was timed of one subject so far: nanoseconds of single calls, medians of rounds."""

    passes: int
    singles: list[int] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)

    def figures(self, clock: float) -> Figures:
        """The samples in three numbers; `clock` is the cost of reading the clock."""
        ordered = sorted(self.singles)
        last = len(ordered) - 1
        return Figures(
            p50=max(0.0, ordered[last // 2] - clock),
            p99=max(0.0, ordered[round(last * 0.99)] - clock),
            best=min(self.medians),
        )


def measure(subjects: Sequence[Subject], rounds: int = ROUNDS) -> list[Figures]:
    """The figures of each subject, in order, from `rounds` rounds in which all take turns."""
    with asyncio.Runner() as runner:
        samples = [Samples(passes=passes_for(subject, runner)) for subject in subjects]
        turns = deque(zip(subjects, samples, strict=True))
        gc.collect()
        gc.freeze()
        try:
            for _ in repeat(None, rounds):
                take_turns(turns, runner)
                turns.rotate(1)
        finally:
            gc.unfreeze()
        clock = cost_of_clock()
    return [sample.figures(clock) for sample in samples]


def take_turns(turns: deque[tuple[Subject, Samples]], runner: asyncio.Runner) -> None:
    """One round: each subject's batches and single calls, without the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        for subject, sample in turns:
            batches = [batch(subject, sample.passes, runner) for _ in range(BATCHES)]
            sample.medians.append(statistics.median(batches))
            sample.singles += singles(subject, min(batches), runner)
    finally:
        gc.enable()


def passes_for(subject: Subject, runner: asyncio.Runner) -> int:
    """How often a batch goes through the pairs to last `BATCH_NS`; warms the subject up too."""
    per_call = min(batch(subject, 1, runner) for _ in range(3))
    return max(1, round(BATCH_NS / (per_call * len(subject.pairs))))


def batch(subject: Subject, passes: int, runner: asyncio.Runner) -> float:
    """Nanoseconds per call over `passes` passes through the subject's pairs."""
    if subject.asynchronous:
        elapsed = runner.run(time_batch_async(subject.function, subject.pairs, passes))
    else:
        elapsed = time_batch(subject.function, subject.pairs, passes)
    return elapsed / (passes * len(subject.pairs))


def singles(subject: Subject, per_call: float, runner: asyncio.Runner) -> list[int]:
    """Nanoseconds of single calls, as many as fit into two batches' time."""
    count = int(min(SINGLES, max(len(subject.pairs), 2 * BATCH_NS / per_call)))
    passes = max(1, count // len(subject.pairs))
    if subject.asynchronous:
        return runner.run(time_singly_async(subject.function, subject.pairs, passes))
    return time_singly(subject.function, subject.pairs, passes)


def time_batch(function: Callable[[Any, Any], Any], pairs: Sequence[Pair], passes: int) -> int:
    """Nanoseconds of the whole batch."""
    start = perf_counter_ns()
    for _ in repeat(None, passes):
        for first, second in pairs:
            function(first, second)
    return perf_counter_ns() - start


async def time_batch_async(
    function: Callable[[Any, Any], Any], pairs: Sequence[Pair], passes: int
) -> int:
    """Nanoseconds of the whole batch of awaited calls."""
    start = perf_counter_ns()
    for _ in repeat(None, passes):
        for first, second in pairs:
            await function(first, second)
    return perf_counter_ns() - start


def time_singly(
    function: Callable[[Any, Any], Any], pairs: Sequence[Pair], passes: int
) -> list[int]:
    """Nanoseconds of each call, the clock's cost included."""
    elapsed = []
    for _ in repeat(None, passes):
        for first, second in pairs:
            start = perf_counter_ns()
            function(first, second)
            elapsed.append(perf_counter_ns() - start)
    return elapsed


async def time_singly_async(
    function: Callable[[Any, Any], Any], pairs: Sequence[Pair], passes: int
) -> list[int]:
    """Nanoseconds of each awaited call, the clock's cost included."""
    elapsed = []
    for _ in repeat(None, passes):
        for first, second in pairs:
            start = perf_counter_ns()
            await function(first, second)
            elapsed.append(perf_counter_ns() - start)
    return elapsed


def cost_of_clock() -> float:
    """Nanoseconds between two readings of the clock with nothing between them."""
    elapsed = []
    for _ in range(10_000):
        start = perf_counter_ns()
        elapsed.append(perf_counter_ns() - start)
    return statistics.median(elapsed)
