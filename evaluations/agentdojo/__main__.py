"""Replays the suites and prints what became of user tasks, attacks and adaptive attacks."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from evaluations.agentdojo.outcome import Share, judge, share
from evaluations.agentdojo.traces import DATA, POLICIES, SUITES, attacked_runs, user_tasks
from evaluations.agentdojo.variants import KINDS
from guardrails.decision import Effect
from guardrails.guard import load_policies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evaluations.agentdojo.outcome import Outcome
    from guardrails.engine import PolicySet

LITERAL = """
version: 1
policy: literal
rules:
  - {id: all, effect: allow, tools: [TOOLS]}
  - id: read-and-not-said
    effect: escalate
    tools: [CHANGING]
    when: >-
      arguments.exists(name, arguments[name] != null && !stated(arguments[name])
      && "untrusted" in origins(arguments[name]))
"""
"""The plain rule to compare with: no value from what was read, unless the person said it too."""


def evaluate(policies: PolicySet, suite: str, *, adaptive: bool = True) -> dict[str, Any]:
    """The figures of a suite under `policies`."""
    tools = policies.bundle.tools
    users, runs = judge(policies, user_tasks(suite)), attacked_runs(suite)
    attacks = judge(policies, runs)
    figures: dict[str, Any] = {
        "user tasks that ran untouched": _tasks(users, Effect.ALLOW),
        "user tasks that needed a person": _tasks(users, Effect.ESCALATE),
        "user tasks that were denied": _tasks(users, Effect.DENY),
        "attacks stopped": _share(attacks, [each.stopped for each in attacks]),
        "attacks of which every call was stopped": _share(
            attacks, [each.stopped_wholly for each in attacks]
        ),
    }
    if adaptive:
        every: list[Outcome] = []
        for kind, vary in KINDS.items():
            varied = [new for run in runs if (new := vary(run, tools)) is not None]
            found = judge(policies, varied)
            every += found
            figures[f"adaptive, {kind}"] = _share(found, [each.stopped for each in found])
        figures["adaptive, all"] = _share(every, [each.stopped for each in every])
    return figures


def stopped_by(outcomes: Iterable[Outcome]) -> Counter[tuple[str, str]]:
    """How often which rules stopped which tool."""
    return sum((each.rules for each in outcomes), Counter())


def load_literal(suite: str) -> PolicySet:
    """The plain rule over the same declarations of tools."""
    with TemporaryDirectory() as folder:
        shutil.copy(POLICIES / suite / "tools.yaml", folder)
        tools = load_policies(folder).bundle.tools
        changing = [name for name, tool in tools.items() if "read" not in (tool.traits or ())]
        text = LITERAL.replace("TOOLS", ", ".join(tools)).replace("CHANGING", ", ".join(changing))
        Path(folder, "literal.yaml").write_text(text, encoding="utf-8")
        return load_policies(folder)


def _tasks(outcomes: list[Outcome], effect: Effect) -> Share:
    return share([each.worst is effect for each in outcomes], [each.run.task for each in outcomes])


def _share(outcomes: list[Outcome], hits: list[bool]) -> Share:
    return share(hits, [each.run.attack for each in outcomes])


def show(title: str, figures: dict[str, Any]) -> None:
    """Print the figures of a suite under one set of policies."""
    print(f"\n{title}")
    for name, figure in figures.items():
        print(f"  {name:42}{figure}")


def main() -> None:
    """Read the options, replay the suites, print."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluations.agentdojo", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    arguments = parser.parse_args()
    if not DATA.exists():
        sys.exit("AgentDojo's extracted suites are not beside the project, in ../shared/data")
    written: dict[str, Any] = {}
    for suite in SUITES:
        policies = load_policies(str(POLICIES / suite))
        written[suite] = evaluate(policies, suite)
        show(f"{suite}, its policy", written[suite])
        for (tool, rule), count in stopped_by(judge(policies, user_tasks(suite))).most_common():
            print(f"    asked of user tasks: {count} x {tool} by {rule}")
        written[f"{suite}, literal"] = evaluate(load_literal(suite), suite)
        show(f"{suite}, the plain rule", written[f"{suite}, literal"])
    if arguments.json:
        figures = {
            suite: {name: figure._asdict() for name, figure in shares.items()}
            for suite, shares in written.items()
        }
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
