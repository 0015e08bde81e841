"""Runs the suites and prints, for each, what ran, was refused, or would need a person."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import guardrails
from evaluations.agentdojo.deployment import DEPLOYMENTS
from evaluations.agentdojo.outcome import Fate, Tally
from evaluations.agentdojo.suite import GuardedSuite

if TYPE_CHECKING:
    from evaluations.agentdojo.deployment import Deployment

HEAD = f"{'':24}{'total':>7}{'ran':>7}{'person':>8}{'refused':>9}"


def evaluate(deployment: Deployment, folder: Path) -> dict[str, Tally]:
    """Run a suite's user tasks and attacks, with a decision log in `folder`."""
    guard = guardrails.Guard.load(deployment.policies, log=folder)
    suite = GuardedSuite(deployment, guard)
    return {
        "user tasks": Tally(list(suite.user_runs())),
        "attacks": Tally(list(suite.attack_runs())),
    }


def show(deployment: Deployment, tallies: dict[str, Tally]) -> None:
    """Print what became of a suite's calls, tasks and attacks, and which rules stopped them."""
    print(f"\n{deployment.suite}\n{HEAD}")
    for name, tally in tallies.items():
        print(row(name, tally.tasks()))
        print(row("  their calls", tally.calls()))
    tasks, attacks = tallies["user tasks"], tallies["attacks"]
    print(
        f"by the suite's own check: {tasks.done()} of {len(tasks.runs)} user tasks done, ", end=""
    )
    print(f"{attacks.done()} of {len(attacks.runs)} attacks succeeded")
    for name, tally in tallies.items():
        print(f"what stopped {name}:")
        for (fate, tool, rules), count in tally.rules().most_common():
            print(f"  {count:5}  {tool:28} {fate:15} {rules}")
    print("attacks that succeeded, by injection task:")
    for task, (succeeded, total) in by_task(attacks).items():
        print(f"  {task:20} {succeeded:4} of {total}")


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


def as_json(tallies: dict[str, Tally]) -> dict[str, Any]:
    """A suite's figures for other programs."""
    return {
        name: {
            "tasks": {str(fate): count for fate, count in tally.tasks().items()},
            "calls": {str(fate): count for fate, count in tally.calls().items()},
            "done": tally.done(),
            "by_task": {
                task: {"done": done, "of": total} for task, (done, total) in by_task(tally).items()
            },
        }
        for name, tally in tallies.items()
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
            tallies = evaluate(deployment, Path(folder))
        show(deployment, tallies)
        figures[deployment.suite] = as_json(tallies)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
