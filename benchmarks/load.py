"""How long policies take to load: simple rules, rich rules with declared tools, very many."""

from __future__ import annotations

import gc
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import options
from benchmarks.machine import machine
from benchmarks.report import Report, Table, duration, verdicts
from benchmarks.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.goals_of_decide import Goal

REPEATS = 3

TOOLS = 2_000
"""How many tools the rich policies declare."""

RICH_RULES_PER_FILE = 5_000

TOOL = """  service.tool_{number}:
    description: Do what service {number} does.
    traits: [write, spend, external]
    arguments:
      to: {{type: string, kind: recipient}}
      amount: {{type: number, minimum: 0, kind: amount}}
      note: {{type: string, maxLength: 200}}
    required: [to, amount]
    mask: [to]
"""

RULE = """  - id: rule-{number}
    effect: deny
    tools: [service.tool_{tool}, service.tool_{other}]
    traits: [spend]
    subjects: {{roles: [billing, finance]}}
    when: arguments.amount > {amount} && arguments.to.startsWith("AC{number}")
    unless: subject.id == "agent-{number}"
    severity: high
    message: Payments above {amount} are made by people.
    description: Four-eyes rule FIN-{number}.
"""


@dataclass(frozen=True, slots=True)
class Case:
    """Policies to load; `most` is the goal in seconds, None where there is none."""

    name: str
    rules: int
    most: float | None
    write: Callable[[Path, int], None]


def write_simple(folder: Path, rules: int) -> None:
    """Rules of four keys: id, effect, tools, when; and one that names all tools."""
    Workload(rules).write_policies(folder)


def write_rich(folder: Path, rules: int) -> None:
    """Rules of ten keys, over 2,000 declared tools."""
    manifest = (TOOL.format(number=number) for number in range(TOOLS))
    write(folder / "tools.yaml", "tools", manifest)
    for start in range(0, rules, RICH_RULES_PER_FILE):
        numbers = range(start, min(start + RICH_RULES_PER_FILE, rules))
        path = folder / f"rules-{start // RICH_RULES_PER_FILE}.yaml"
        write(path, "rules", map(rich_rule, numbers))


def rich_rule(number: int) -> str:
    """Rule number `number`."""
    tool = number % TOOLS
    return RULE.format(number=number, tool=tool, other=(tool + 7) % TOOLS, amount=100 + tool)


def write(path: Path, key: str, items: Iterator[str]) -> None:
    """Write a document whose one long part is `key`."""
    head = f"version: 1\npolicy: {path.stem}\n{key}:\n"
    path.write_text(head + "".join(items), encoding="utf-8")


CASES = (
    Case("simple rules", 10_000, 3.0, write_simple),
    Case(f"rich rules, {TOOLS:,} declared tools", 10_000, 8.0, write_rich),
    Case("simple rules in ten files", 100_000, None, write_simple),
)


def seconds_to_load(case: Case, repeats: int) -> float:
    """The least of `repeats` loads of the case's policies, written once."""
    import guardrails

    with tempfile.TemporaryDirectory() as folder:
        case.write(Path(folder), case.rules)
        elapsed = []
        for _ in range(repeats):
            gc.collect()
            start = perf_counter()
            guardrails.load_policies(folder)
            elapsed.append(perf_counter() - start)
    return min(elapsed)


def run(repeats: int, cases: tuple[Case, ...] = CASES) -> Report:
    """Measure, and report."""
    seconds = {}
    for case in cases:
        print(f"loading {case.rules:,} {case.name}", file=sys.stderr)
        seconds[case] = seconds_to_load(case, repeats)
    goals: list[Goal] = [
        (f"{case.rules:,} {case.name}: at most {case.most:g} s", took <= case.most, f"{took:.2f} s")
        for case, took in seconds.items()
        if case.most is not None
    ]
    rows = [
        (f"{case.rules:,} {case.name}", f"{took:.2f} s", duration(took / case.rules * 1e9))
        for case, took in seconds.items()
    ]
    table = Table("Loading", ("", "least time", "per rule"), tuple(rows))
    return Report(
        name="load",
        machine=machine(),
        tables=(verdicts(goals), table),
        remarks=(f"The least of {repeats} loads each, written to disk before.",),
        figures={
            "results": [
                {"case": case.name, "rules": case.rules, "s": took}
                for case, took in seconds.items()
            ]
        },
    )


def main() -> None:
    """Read the options, measure, report."""
    parser = options.parser("benchmarks.load", __doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    arguments = parser.parse_args()
    options.publish(run(arguments.repeats), arguments)


if __name__ == "__main__":
    main()
