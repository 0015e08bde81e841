"""Runs the suites and prints, for each, what ran, was refused, or would need a person."""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import guardrails
from evaluations.agentdojo.deployment import DEPLOYMENTS
from evaluations.agentdojo.outcome import Fate, Tally
from evaluations.agentdojo.suite import GuardedSuite
from guardrails.audit.log import DecisionLog
from guardrails.audit.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evaluations.agentdojo.deployment import Deployment

HEAD = f"{'':24}{'total':>7}{'ran':>7}{'person':>8}{'refused':>9}"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A suite's runs, the injection tasks it records no calls for, and its verified records."""

    user_tasks: Tally
    attacks: Tally
    unrecorded: tuple[str, ...]
    records: int


def evaluate(deployment: Deployment, folder: Path) -> Evaluation:
    """Run a suite's user tasks and attacks, with a decision log in `folder`."""
    log = DecisionLog(folder)
    suite = GuardedSuite(deployment, guardrails.Guard.load(deployment.policies, log=log))
    user_tasks, attacks = Tally(list(suite.user_runs())), Tally(list(suite.attack_runs()))
    log.close()
    unrecorded = suite.suite.injection_tasks.keys() - suite.recorded_attacks().keys()
    return Evaluation(user_tasks, attacks, tuple(unrecorded), verified_records(folder))


def verified_records(folder: Path) -> int:
    """How many records the decision log has; raises `LogDamaged` if they don't hold together."""
    report = verify(folder)
    if not report.intact:
        raise guardrails.LogDamaged("; ".join(map(str, report.broken)))
    return report.records


def show(suite: str, evaluation: Evaluation) -> None:
    """Print what became of a suite's calls, tasks and attacks, and which rules stopped them."""
    print(f"\n{suite}\n{HEAD}")
    tallies = {"user tasks": evaluation.user_tasks, "attacks": evaluation.attacks}
    for name, tally in tallies.items():
        print(row(name, tally.tasks()))
        print(row("  their calls", tally.calls()))
    print(f"decision log: {evaluation.records:,} records, verified")
    if evaluation.unrecorded:
        print(f"attacks that have no recorded calls, so not run: {numbers(evaluation.unrecorded)}")
    for name, tally in tallies.items():
        print(f"{name} by the suite's own check: {told(by_task(tally))}")
    for name, tally in tallies.items():
        print(f"what stopped {name}:")
        for (fate, tool, rules), count in tally.rules().most_common():
            print(f"  {count:5}  {tool:32}{fate:16}{rules}")


def told(tasks: dict[str, tuple[int, int]]) -> str:
    """How many runs were done, and the tasks that were, in a line or two."""
    done = sum(done for done, _ in tasks.values())
    total = sum(total for _, total in tasks.values())
    names = numbers(name for name, (done, _) in tasks.items() if done)
    return f"{done} of {total} done" + (f" (numbers {names})" if names else "")


def numbers(tasks: Iterable[str]) -> str:
    """The tasks' numbers in order."""
    return ", ".join(map(str, sorted(int(name.rpartition("_")[2]) for name in tasks)))


def row(name: str, counts: Any) -> str:
    """A row of the table: how many in all, and how many met each fate."""
    ran, person, refused = (counts[fate] for fate in (Fate.RAN, Fate.ESCALATED, Fate.REFUSED))
    return f"{name:24}{ran + person + refused:7}{ran:7}{person:8}{refused:9}"


def by_task(tally: Tally) -> dict[str, tuple[int, int]]:
    """For each task, how many of its runs the suite's check finds done, and of how many."""
    counts: dict[str, tuple[int, int]] = {}
    for run in tally.runs:
        done, total = counts.get(run.task, (0, 0))
        counts[run.task] = (done + run.done, total + 1)
    return counts


def as_json(tally: Tally) -> dict[str, Any]:
    """The figures of a suite's user tasks or attacks, for other programs."""
    return {
        "tasks": {str(fate): count for fate, count in tally.tasks().items()},
        "calls": {str(fate): count for fate, count in tally.calls().items()},
        "by_task": {
            task: {"done": done, "of": total} for task, (done, total) in by_task(tally).items()
        },
    }


def main() -> None:
    """Read the options, run the suites, print."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluations.agentdojo", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    arguments = parser.parse_args()
    figures = {}
    for deployment in DEPLOYMENTS:
        with tempfile.TemporaryDirectory() as folder:
            evaluation = evaluate(deployment, Path(folder))
        show(deployment.suite, evaluation)
        figures[deployment.suite] = {
            "user_tasks": as_json(evaluation.user_tasks),
            "attacks": as_json(evaluation.attacks),
        }
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
