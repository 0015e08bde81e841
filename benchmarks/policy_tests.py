"""How long the tests of policies take: 5,000 cases over 1,000 rules, covered, tried on mutants."""

from __future__ import annotations

import sys
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time_ns
from typing import TYPE_CHECKING

from benchmarks import options
from benchmarks.machine import machine
from benchmarks.report import Report, Table, duration, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from benchmarks.goals_of_decide import Goal
    from guardrails.toolchain.suites.tester import Asked

RULES = 1_000
CASES = 5_000

GOAL_S = 5.0
"""Seconds that all cases may take, from the files on disk to the report."""

REPEATS = 3

RULES_PER_TOOL = """\
  - id: small-{number}
    effect: allow
    tools: {tool}
    subjects: {{roles: [billing]}}
    when: arguments.amount <= {limit}
  - id: large-{number}
    effect: escalate
    tools: {tool}
    when: arguments.amount > {limit}
  - id: strangers-{number}
    effect: deny
    tools: {tool}
    when: '!(arguments.to.startsWith("AC") || arguments.to == "Bolt")'
  - id: frozen-{number}
    effect: deny
    tools: {tool}
    when: context.environment == "frozen" && subject.on_behalf_of == ""
"""

TOOL = """\
  {tool}:
    traits: [write, spend]
    arguments:
      to: {{type: string}}
      amount: {{type: number, minimum: 0}}
    required: [to, amount]
"""

HEAD = """\
version: 1
tests: bench
now: 2026-06-01T10:00:00Z
fixtures:
  clerk: {subject: {id: agent-7, roles: [billing]}, context: {environment: prod}}
cases:
"""

CASE = """\
  - name: case {number}
    given: clerk
    action: {{tool: {tool}, arguments: {{to: {to}, amount: {amount}}}{more}}}
    expect: {effect}
"""

KINDS: tuple[tuple[str, str, int, str], ...] = (
    ("allow", "ACME", 0, ""),
    ("escalate", "Bolt", 1, ""),
    ("deny", "Evil", 0, ""),
    ("deny", "ACME", -1, ", context: {environment: frozen}"),
)
"""What is expected of a case: the effect, to whom is paid, how far above the limit, and more."""


@dataclass(frozen=True, slots=True)
class Run:
    """One way to run the tests; `most` is the goal in seconds, None where there is none."""

    name: str
    most: float | None
    coverage: bool = False
    mutate: bool = False

    @property
    def asked(self) -> Asked:
        """What is asked of the run."""
        from guardrails.toolchain.suites.tester import Asked

        return Asked(coverage=self.coverage, mutate=self.mutate)


RUNS = (
    Run("cases", GOAL_S),
    Run("cases, with coverage", GOAL_S, coverage=True),
    Run("cases, then every mutant", None, mutate=True),
)


def write(folder: Path, rules: int, cases: int) -> None:
    """Write policies with about so many rules, and so many cases that pass on them."""
    tools = [f"service.tool_{number}" for number in range(max(1, rules // 4))]
    parts = (RULES_PER_TOOL.format(number=number, tool=tool, limit=limit(number))
             for number, tool in enumerate(tools))  # fmt: skip
    manifest = "".join(TOOL.format(tool=tool) for tool in tools)
    text = f"version: 1\npolicy: bench\ntools:\n{manifest}rules:\n{''.join(parts)}"
    (folder / "bench.yaml").write_text(text, encoding="utf-8")
    written = "".join(case(number, tools) for number in range(cases))
    (folder / "bench_test.yaml").write_text(HEAD + written, encoding="utf-8")


def case(number: int, tools: list[str]) -> str:
    """Case number `number`."""
    effect, to, above, more = KINDS[number % len(KINDS)]
    tool = number // len(KINDS) % len(tools)
    amount = limit(tool) + above
    return CASE.format(
        number=number, tool=tools[tool], to=to, amount=amount, more=more, effect=effect
    )


def limit(number: int) -> int:
    """The amount up to which tool number `number` needs nobody."""
    return 100 + number


def seconds_to_test(folder: Path, run_: Run, repeats: int) -> tuple[float, int]:
    """The least of `repeats` runs over a folder, and how many mutants were tried."""
    from guardrails.language.folder import read_folder
    from guardrails.toolchain.suites.tester import run_tests

    elapsed, mutants = [], 0
    for _ in range(repeats):
        start = perf_counter()
        found = run_tests(read_folder(folder), str(folder), run_.asked, time_ns(), silent)
        elapsed.append(perf_counter() - start)
        assert not found.failures
        mutants = found.mutation.tried if found.mutation else 0
    return min(elapsed), mutants


def silent(what: str) -> AbstractContextManager[Callable[[int, int], None]]:
    """Show no progress."""
    del what
    return nullcontext(lambda _done, _of: None)


def run(repeats: int, rules: int = RULES, cases: int = CASES) -> Report:
    """Measure, and report."""
    figures: dict[Run, tuple[float, int]] = {}
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), rules, cases)
        for each in RUNS:
            print(f"testing: {each.name}", file=sys.stderr)
            figures[each] = seconds_to_test(Path(name), each, 1 if each.mutate else repeats)
    goals: list[Goal] = [
        (
            f"{cases:,} {each.name}: at most {each.most:g} s",
            took <= each.most,
            f"{took:.2f} s",
        )
        for each, (took, _) in figures.items()
        if each.most is not None
    ]
    rows = [
        (f"{cases:,} {each.name}", f"{took:.2f} s", *per_piece(took, cases, mutants))
        for each, (took, mutants) in figures.items()
    ]
    table = Table(
        f"Tests of {rules:,} rules",
        ("", "time", "per case", "mutants", "per mutant"),
        tuple(rows),
    )
    return Report(
        name="policy_tests",
        machine=machine(),
        tables=(verdicts(goals), table),
        remarks=(
            f"The least of {repeats} runs, mutants once; reading policies and tests included.",
        ),
        figures={
            "results": [
                {"run": each.name, "s": took, "mutants": mutants}
                for each, (took, mutants) in figures.items()
            ]
        },
    )


def per_piece(took: float, cases: int, mutants: int) -> tuple[str, str, str]:
    """The time of a case, or the number of mutants and the time of each."""
    if mutants:
        return "", f"{mutants:,}", duration(took / mutants * 1e9)
    return duration(took / cases * 1e9), "", ""


def main() -> None:
    """Read the options, measure, report."""
    parser = options.parser("benchmarks.policy_tests", __doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    arguments = parser.parse_args()
    options.publish(run(arguments.repeats), arguments)


if __name__ == "__main__":
    main()
