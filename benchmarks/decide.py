"""How long a decision takes, from a tool name and a dict of arguments, beside the peers.

All contestants hold the same rules (see `benchmarks.workload`) and are timed in one run, turn by
turn (see `benchmarks.timing`). What a contestant can't do in sensible time is left out, by name.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks import options
from benchmarks.contestants import CONTESTANTS, Absent, Contestant, Prepared
from benchmarks.goals_of_decide import goals
from benchmarks.machine import machine, version
from benchmarks.report import Report, Table, duration, ratio, verdicts
from benchmarks.results import Key, Results
from benchmarks.timing import ROUNDS, Subject, measure
from benchmarks.workload import SIZES, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LOAD_LIMIT = 60.0
"""Seconds of getting ready, foreseen from the size before, past which a size is left out."""

CALL_LIMIT = 0.02
"""Seconds of one decision past which a size is left out."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A contestant with a workload's rules loaded, in `seconds`."""

    contestant: Contestant
    workload: Workload
    prepared: Prepared
    seconds: float

    def subjects(self) -> Iterator[tuple[Key, Subject]]:
        """What is timed: calls that a rule denies, and calls that none does."""
        for matching in (True, False):
            calls = self.workload.calls(matching=matching)
            pairs = [(call.tool, call.arguments) for call in calls]
            key = Key(self.contestant.name, self.workload.size, matching)
            yield key, Subject(self.prepared.decide, pairs)


class LeftOut(Exception):  # noqa: N818 - it says what is, and ends nothing
    """A contestant that is not measured at a size; the text says why."""


def get_ready(contestant: Contestant, workload: Workload) -> Ready:
    """The contestant, loaded and found to decide right; raises `Absent` or `LeftOut`."""
    start = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        prepared = contestant.prepare(workload, Path(folder))
    seconds = perf_counter() - start
    check(contestant, prepared, workload)
    return Ready(contestant, workload, prepared, seconds)


def check(contestant: Contestant, prepared: Prepared, workload: Workload) -> None:
    """Refuse a contestant that is too slow (`LeftOut`) or decides otherwise than asked."""
    for matching in (True, False):
        for call in workload.calls(matching=matching):
            start = perf_counter()
            decision = prepared.decide(call.tool, call.arguments)
            seconds = perf_counter() - start
            if prepared.allows(decision) is matching:
                raise AssertionError(f"{contestant.name} decides {call} as {decision}")
        if seconds > CALL_LIMIT:
            raise LeftOut(f"one decision takes {duration(seconds * 1e9)}")


def get_all_ready(
    contestants: Sequence[Contestant], sizes: Sequence[int]
) -> tuple[list[Ready], list[str]]:
    """Every contestant at every size that it can do, and remarks on the others."""
    ready: list[Ready] = []
    remarks: list[str] = []
    for contestant in contestants:
        seconds, done = 0.0, 0
        for size in sorted(sizes):
            print(f"loading {size:,} rules: {contestant.name}", file=sys.stderr)
            try:
                foresee(seconds, done, size)
                ready.append(get_ready(contestant, Workload(size)))
            except Absent as absent:
                remarks.append(f"{contestant.name}: left out; {absent}.")
                break
            except LeftOut as reason:
                remarks.append(f"{contestant.name}: left out at {size:,} and above; {reason}.")
                break
            seconds, done = ready[-1].seconds, size
    return ready, remarks


def foresee(seconds: float, done: int, size: int) -> None:
    """Raise `LeftOut` if loading `size` rules would take too long, judged by the size before."""
    expected = seconds * size / done if done else 0.0
    if expected > LOAD_LIMIT:
        raise LeftOut(f"loading would take about {duration(expected * 1e9)}")


def overview(results: Results, sizes: Sequence[int], *, matching: bool) -> Table:
    """The best times of all contestants, a column for each size."""
    rows = []
    for contestant in CONTESTANTS:
        figures = [results.of(contestant.name, size, matching=matching) for size in sizes]
        cells = tuple(duration(found.best) if found else "" for found in figures)
        if any(cells):
            rows.append((contestant.name, *cells))
    columns = ("", *(f"{size:,}" for size in sizes))
    return Table(f"best, by number of rules; {outcome(matching=matching)}", columns, tuple(rows))


def tabulate(results: Results, size: int, *, matching: bool) -> Table:
    """The table of one size, with ratios."""
    ours, floor = results.ours(size, matching=matching), results.floor(size, matching=matching)
    rows = []
    for contestant in CONTESTANTS:
        figures = results.of(contestant.name, size, matching=matching)
        if figures:
            times = (duration(figures.p50), duration(figures.p99), duration(figures.best))
            ratios = (
                ratio(figures.best, floor.best) if floor else "",
                ratio(figures.best, ours.best) if ours else "",
            )
            rows.append((contestant.name, *times, *ratios))
    columns = ("", "p50", "p99", "best", "to closures", "to guardrails")
    plural = "" if size == 1 else "s"
    return Table(f"{size:,} rule{plural}; {outcome(matching=matching)}", columns, tuple(rows))


def outcome(*, matching: bool) -> str:
    """What becomes of the calls of a table."""
    return "one rule matches: denied" if matching else "no rule matches: allowed"


def run(
    sizes: Sequence[int], rounds: int, contestants: Sequence[Contestant] = CONTESTANTS
) -> Report:
    """Measure, and report."""
    ready, remarks = get_all_ready(contestants, sizes)
    subjects = [subject for contestant in ready for subject in contestant.subjects()]
    print(f"timing {len(subjects)} subjects, {rounds} rounds", file=sys.stderr)
    figures = measure([subject for _, subject in subjects], rounds)
    results = Results({key: found for (key, _), found in zip(subjects, figures, strict=True)})
    overviews = [overview(results, sizes, matching=matching) for matching in (True, False)]
    details = [
        tabulate(results, size, matching=matching) for size in sizes for matching in (True, False)
    ]
    return Report(
        name="decide",
        machine=machine(),
        tables=(verdicts(goals(results)), *overviews),
        details=tuple(details),
        remarks=(*remarks, versions()),
        figures={
            "versions": {name: version(name) for name in distributions()},
            "loading": [
                {"contestant": one.contestant.name, "size": one.workload.size, "s": one.seconds}
                for one in ready
            ],
            "results": [as_json(key, found) for key, found in results.figures.items()],
        },
    )


def as_json(key: Key, figures: Any) -> dict[str, Any]:
    """One subject's figures, in nanoseconds."""
    return {**key._asdict(), **asdict(figures)}


def distributions() -> list[str]:
    """The packages whose versions matter."""
    return sorted({one.distribution for one in CONTESTANTS if one.distribution})


def versions() -> str:
    """The packages' versions in a line."""
    return "Versions: " + ", ".join(f"{name} {version(name)}" for name in distributions()) + "."


def main() -> None:
    """Read the options, measure, report."""
    parser = options.parser("benchmarks.decide", __doc__)
    parser.add_argument("--sizes", type=options.sizes, default=SIZES, metavar="1,10,100")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    options.publish(run(arguments.sizes, arguments.rounds), arguments)


if __name__ == "__main__":
    main()
