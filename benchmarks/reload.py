"""How long a saved policy takes to be in force, at rest and while threads ask for decisions.

Two documents are saved together, again and again; each allows the same tool up to the same limit.
A decision that one of them allows and the other doesn't has seen half of a change.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, perf_counter_ns, sleep
from typing import TYPE_CHECKING

from benchmarks import options
from benchmarks.load import RULE, TOOL, write, write_simple
from benchmarks.machine import machine
from benchmarks.report import Report, Table, duration, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.goals_of_decide import Goal
    from guardrails import Guard

SAVES = 20

THREADS = 4

GOAL_SECONDS = 1.0
"""What 1,000 rules may take from the save to their effect."""

PATIENCE = 60.0
"""Seconds after which a save that had no effect stops the benchmark."""

CANARY = """version: 1
policy: {name}
rules:
  - {{id: canary, effect: allow, tools: canary, when: arguments.amount < {limit}}}
"""

PAIR = ("left", "right")


def write_rich(folder: Path, rules: int) -> None:
    """Rules of ten keys, five for each declared tool."""
    tools = max(1, rules // 5)
    write(folder / "tools.yaml", "tools", (TOOL.format(number=number) for number in range(tools)))
    texts = (
        RULE.format(number=number, tool=number % tools, other=(number + 1) % tools, amount=number)
        for number in range(rules)
    )
    write(folder / "rules.yaml", "rules", texts)


@dataclass(frozen=True, slots=True)
class Load:
    """Threads that ask for decisions, with a pause of so many seconds after each."""

    name: str
    threads: int
    pause: float


LOADS = (
    Load("nothing else running", 0, 0.0),
    Load(f"{THREADS} threads, 1 ms between calls", THREADS, 0.001),
    Load(f"{THREADS} threads without a pause", THREADS, 0.0),
)


@dataclass(frozen=True, slots=True)
class Case:
    """Policies to reload under a load."""

    name: str
    rules: int
    write: Callable[[Path, int], None]
    load: Load

    @property
    def title(self) -> str:
        """The case in words."""
        return f"{self.rules:,} {self.name}; {self.load.name}"


CASES = tuple(
    Case(name, 1_000, write_policies, load)
    for name, write_policies in (
        ("simple rules", write_simple),
        ("rich rules, 200 declared tools", write_rich),
    )
    for load in LOADS
)


@dataclass(slots=True)
class Seen:
    """What one thread saw: decisions, their outcomes by revision, and what was raised."""

    outcomes: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    nanoseconds: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def mixed(self) -> int:
        """How many outcomes have one document of the pair and not the other."""
        whole = {(), tuple(f"{name}/canary" for name in PAIR)}
        return sum(rules not in whole for _, rules in self.outcomes)


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds from each save to its effect, and what the threads saw meanwhile."""

    seconds: tuple[float, ...]
    seen: tuple[Seen, ...]

    @property
    def decisions(self) -> int:
        """How many decisions all threads got."""
        return sum(len(seen.nanoseconds) for seen in self.seen)

    @property
    def wrong(self) -> int:
        """How many decisions were mixed, or not given at all."""
        return sum(seen.mixed + len(seen.failures) for seen in self.seen)

    def of_decisions(self, share: float) -> float | None:
        """The nanoseconds within which that share of the decisions was given."""
        found = sorted(each for seen in self.seen for each in seen.nanoseconds)
        return found[round((len(found) - 1) * share)] if found else None


def save(folder: Path, limit: int) -> None:
    """Save the pair as editors and git do: written aside, then renamed."""
    for name in PAIR:
        (folder / f".{name}").write_text(CANARY.format(name=name, limit=limit), encoding="utf-8")
    for name in PAIR:
        (folder / f".{name}").rename(folder / f"{name}.yaml")


def measure(case: Case, saves: int) -> Figures:
    """Save, wait for the effect, and do so again, while the case's threads call."""
    import guardrails

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "policies"
        folder.mkdir()
        case.write(folder, case.rules)
        save(folder, 1)
        guard = guardrails.Guard.load(folder, log=Path(place) / "log", watch=True)
        with calling(guard, case.load) as seen:
            seconds = tuple(
                seconds_to_effect(guard, folder, 100 if number % 2 else 1)
                for number in range(1, saves + 1)
            )
        guard.close()
    return Figures(seconds, tuple(seen))


def seconds_to_effect(guard: Guard, folder: Path, limit: int) -> float:
    """Seconds from the return of the save until decisions are made by what it says."""
    before = guard.policies.revision
    save(folder, limit)
    start = perf_counter()
    while guard.policies.revision == before:
        if perf_counter() - start > PATIENCE:
            raise TimeoutError(guard.health().last_error)
        sleep(0.001)
    return perf_counter() - start


@contextmanager
def calling(guard: Guard, load: Load) -> Iterator[list[Seen]]:
    """Threads that ask for decisions, one after another, until the block ends."""
    ended, seen = Event(), [Seen() for _ in range(load.threads)]
    workers = [Thread(target=call, args=(guard, load.pause, each, ended)) for each in seen]
    for worker in workers:
        worker.start()
    try:
        yield seen
    finally:
        ended.set()
        for worker in workers:
            worker.join()


def call(guard: Guard, pause: float, seen: Seen, ended: Event) -> None:
    """Ask again and again, and keep what came."""
    import guardrails

    action = guardrails.Action("canary", {"amount": 50})
    while not ended.is_set():
        start = perf_counter_ns()
        try:
            decision = guard.decide(action)
        except Exception as error:  # noqa: BLE001 - whatever it is, the decision is lost
            seen.failures.append(repr(error))
            return
        seen.nanoseconds.append(perf_counter_ns() - start)
        rules = tuple(match.rule for match in decision.matches)
        seen.outcomes.add((decision.revision, rules))
        if pause:
            sleep(pause)


def run(saves: int, cases: tuple[Case, ...] = CASES) -> Report:
    """Measure, and report."""
    figures = {}
    for case in cases:
        print(f"reloading {case.title}", file=sys.stderr)
        figures[case] = measure(case, saves)
    return Report(
        name="reload",
        machine=machine(),
        tables=(verdicts(goals(figures)), table(figures)),
        remarks=(
            f"{saves} saves each, of two documents of one rule; all documents are loaded anew.",
            f"{1e3 * settle():.0f} ms of each are the rest that the folder must come to first.",
            f"Threads without a pause leave a load one part in {THREADS + 1} of the interpreter.",
            "A decision is mixed if it saw one of the two documents that are saved together.",
        ),
        figures={"results": [as_json(case, found) for case, found in figures.items()]},
    )


def settle() -> float:
    """Seconds that a folder must stay the same before it is read."""
    from guardrails.source.folder_watch import SETTLE

    return SETTLE


def goals(figures: dict[Case, Figures]) -> list[Goal]:
    """The median save against the goal, and no decision lost or mixed."""
    goals: list[Goal] = [
        (
            f"{case.title}: in force within {GOAL_SECONDS:g} s",
            statistics.median(found.seconds) <= GOAL_SECONDS,
            f"{statistics.median(found.seconds):.2f} s",
        )
        for case, found in figures.items()
    ]
    wrong = sum(found.wrong for found in figures.values())
    return [*goals, ("no decision lost or mixed", wrong == 0, f"{wrong}")]


def table(figures: dict[Case, Figures]) -> Table:
    """A row for each case."""
    columns = ("", "median", "slowest", "decisions meanwhile", "their p50", "their p99")
    return Table(
        "From save to effect",
        columns,
        tuple(
            (
                case.title,
                f"{statistics.median(found.seconds):.2f} s",
                f"{max(found.seconds):.2f} s",
                f"{found.decisions:,}",
                *map(shown, (found.of_decisions(0.5), found.of_decisions(0.99))),
            )
            for case, found in figures.items()
        ),
    )


def shown(nanoseconds: float | None) -> str:
    """A duration, or that there is none."""
    return "-" if nanoseconds is None else duration(nanoseconds)


def as_json(case: Case, found: Figures) -> dict[str, object]:
    """The figures of a case, for other programs."""
    return {
        "case": case.name,
        "rules": case.rules,
        "threads": case.load.threads,
        "pause_s": case.load.pause,
        "s": found.seconds,
        "decisions": found.decisions,
        "wrong": found.wrong,
        "p50_ns": found.of_decisions(0.5),
        "p99_ns": found.of_decisions(0.99),
    }


def main() -> None:
    """Read the options, measure, report."""
    parser = options.parser("benchmarks.reload", __doc__)
    parser.add_argument("--saves", type=int, default=SAVES)
    arguments = parser.parse_args()
    options.publish(run(arguments.saves), arguments)


if __name__ == "__main__":
    main()
