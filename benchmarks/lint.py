"""How long policies take to lint: the whole command, and each rule of lint alone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time_ns
from typing import TYPE_CHECKING

from benchmarks import options
from benchmarks.load import TOOL, TOOLS, rich_rule, write
from benchmarks.machine import machine
from benchmarks.report import Report, Table, duration, verdicts
from benchmarks.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.goals_of_decide import Goal

REPEATS = 3

GOAL = 5.0
"""Seconds that 1,000 rules may take, the interpreter's own start included."""

SLOWEST = 10
"""How many rules of lint are listed, the slowest first."""


@dataclass(frozen=True, slots=True)
class Case:
    """Policies to lint; `most` is the goal in seconds, None where there is none."""

    name: str
    rules: int
    most: float | None
    write: Callable[[Path, int], None]


def write_simple(folder: Path, rules: int) -> None:
    """Rules of four keys, each over a tool of its own that nothing declares."""
    Workload(rules).write_policies(folder)


def write_rich(folder: Path, rules: int) -> None:
    """Rules of ten keys over 2,000 declared tools."""
    write(folder / "tools.yaml", "tools", (TOOL.format(number=each) for each in range(TOOLS)))
    write(folder / "rules.yaml", "rules", map(rich_rule, range(rules)))


def write_crowded(folder: Path, rules: int) -> None:
    """Rules that all concern the same few tools, so that each has hundreds to be compared with."""
    few = 5
    write(folder / "tools.yaml", "tools", (TOOL.format(number=each) for each in range(few)))
    texts = (
        rich_rule(number)
        .replace(f"tool_{number % TOOLS}", f"tool_{number % few}")
        .replace(f"tool_{(number % TOOLS + 7) % TOOLS}", f"tool_{(number + 1) % few}")
        for number in range(rules)
    )
    write(folder / "rules.yaml", "rules", texts)


CASES = (
    Case("simple rules", 1_000, GOAL, write_simple),
    Case(f"rich rules, {TOOLS:,} declared tools", 1_000, GOAL, write_rich),
    Case("rich rules, 5 declared tools", 1_000, GOAL, write_crowded),
    Case("simple rules", 10_000, None, write_simple),
)


def seconds_to_lint(folder: str, repeats: int) -> float:
    """The least of `repeats` runs of the command; raises where it does not lint."""
    elapsed = []
    for _ in range(repeats):
        start = perf_counter()
        command = [sys.executable, "-m", "guardrails", "lint", folder, "--format", "json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        elapsed.append(perf_counter() - start)
        if done.returncode > 1:
            raise RuntimeError(done.stdout.decode())
    return min(elapsed)


def seconds_of_rules(folder: str) -> dict[str, float]:
    """The time that each rule takes in a project that has just been read."""
    from guardrails.language.folder import read_folder
    from guardrails.toolchain.lint.project import Project
    from guardrails.toolchain.lint.registry import all_rules

    project = Project(read_folder(Path(folder)), folder, time_ns())
    seconds = {}
    for id_, rule in all_rules().items():
        start = perf_counter()
        for _ in rule.run(project):
            pass
        seconds[id_] = perf_counter() - start
    return seconds


def run(repeats: int, cases: tuple[Case, ...] = CASES) -> Report:
    """Measure, and report."""
    took: dict[Case, float] = {}
    rules: dict[str, dict[str, float]] = {}
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            case.write(Path(folder), case.rules)
            print(f"linting {case.rules:,} {case.name}", file=sys.stderr)
            took[case] = seconds_to_lint(folder, repeats)
            rules[title(case)] = seconds_of_rules(folder)
    goals: list[Goal] = [
        (f"{title(case)}: at most {case.most:g} s", seconds <= case.most, f"{seconds:.2f} s")
        for case, seconds in took.items()
        if case.most is not None
    ]
    rows = [(title(case), f"{seconds:.2f} s") for case, seconds in took.items()]
    return Report(
        name="lint",
        machine=machine(),
        tables=(
            verdicts(goals),
            Table("Linting", ("", "least time"), tuple(rows)),
            slowest(rules),
        ),
        remarks=(f"The least of {repeats} runs of the command each, the interpreter's start in.",),
        figures={
            "results": [
                {"case": case.name, "rules": case.rules, "s": seconds}
                for case, seconds in took.items()
            ],
            "rules": rules,
        },
    )


def title(case: Case) -> str:
    """How a case is called in the tables."""
    return f"{case.rules:,} {case.name}"


def slowest(rules: dict[str, dict[str, float]]) -> Table:
    """The rules of lint that take longest in any case, with their time in each."""
    longest = {id_: max(each[id_] for each in rules.values()) for id_ in next(iter(rules.values()))}
    ids = sorted(longest, key=lambda id_: longest[id_], reverse=True)[:SLOWEST]
    rows = [(id_, *(duration(each[id_] * 1e9) for each in rules.values())) for id_ in ids]
    return Table("The slowest rules of lint", ("", *rules), tuple(rows))


def main() -> None:
    """Read the options, measure, report."""
    parser = options.parser("benchmarks.lint", __doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    arguments = parser.parse_args()
    options.publish(run(arguments.repeats), arguments)


if __name__ == "__main__":
    main()
