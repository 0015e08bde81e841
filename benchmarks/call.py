"""What guarding costs: a bare call, a decorated call without log, one with decision and outcome.

The tool does nothing, so the difference to the bare call is all guard: binding the arguments, the
snapshot, the session, the clock, the decision and, with log, two records written.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import options
from benchmarks.machine import machine
from benchmarks.report import Report, Table, duration, verdicts
from benchmarks.timing import ROUNDS, Figures, Subject, measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.audit.records import DecisionEntry, Outcome

GOAL_NS = 15_000
"""What a guarded call with decision and outcome in the log may take over the bare call."""

POLICY = """
version: 1
policy: payments
tools:
  transfer:
    description: Pay a supplier.
    traits: [write, spend, external]
    arguments:
      to: {type: string}
      amount: {type: number, minimum: 0}
    required: [to, amount]
rules:
  - {id: small, effect: allow, tools: transfer, when: arguments.amount <= 500}
  - {id: large, effect: escalate, tools: transfer, when: arguments.amount > 500}
  - {id: limit, effect: deny, tools: transfer, when: arguments.amount > 10000}
  - {id: nowhere, effect: deny, traits: [spend], when: arguments.to == ""}
"""

PAIRS = tuple((f"supplier {number}", 20.0 + number) for number in range(10))

BARE, UNLOGGED, LOGGED = "bare call", "guarded, without log", "guarded, with log"


class NoLog:
    """A log that keeps nothing: what is left is the guard's own part. Only a benchmark has it."""

    def decision(self, entry: DecisionEntry) -> str:  # noqa: ARG002 - the names of the protocol
        """Keep nothing."""
        return ""

    def outcome(
        self,
        decision_id: str,
        outcome: Outcome,
        duration_ns: int,
        error: str | None = None,
    ) -> None:
        """Keep nothing."""

    def event(self, kind: str, **fields: Any) -> str:  # noqa: ARG002 - likewise
        """Keep nothing."""
        return ""


def transfer(to: str, amount: float) -> str:
    """The tool."""
    return to if amount else ""


async def transfer_async(to: str, amount: float) -> str:
    """The tool, asynchronous."""
    return to if amount else ""


def guarded(folder: Path, stack: ExitStack) -> dict[str, Callable[[Any], Any]]:
    """The decorators to measure, by name; `stack` closes their logs."""
    import guardrails

    policies = folder / "policies"
    policies.mkdir()
    (policies / "payments.yaml").write_text(POLICY, encoding="utf-8")
    unlogged = guardrails.Guard(guardrails.load_policies(policies), log=NoLog())
    logged = guardrails.Guard.load(policies, log=folder / "log")
    stack.enter_context(logged.session(subject="agent-7", roles=["billing"]))
    return {
        BARE: lambda tool: tool,
        UNLOGGED: unlogged.tool("transfer"),
        LOGGED: logged.tool("transfer"),
    }


def run(rounds: int) -> Report:
    """Measure, and report."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        decorators = guarded(Path(folder), stack)
        names = list(decorators)
        subjects = [Subject(decorators[name](transfer), PAIRS) for name in names]
        subjects += [
            Subject(decorators[name](transfer_async), PAIRS, asynchronous=True) for name in names
        ]
        figures = measure(subjects, rounds)
    synchronous = dict(zip(names, figures[: len(names)], strict=True))
    asynchronous = dict(zip(names, figures[len(names) :], strict=True))
    return report({"def": synchronous, "async def": asynchronous})


def report(kinds: dict[str, dict[str, Figures]]) -> Report:
    """The figures of each kind of function, and the goal held against the slower."""
    over = max(figures[LOGGED].best - figures[BARE].best for figures in kinds.values())
    goal = f"decision and outcome in the log: at most {duration(GOAL_NS)} over the bare call"
    return Report(
        name="call",
        machine=machine(),
        tables=(
            verdicts([(goal, over <= GOAL_NS, duration(over))]),
            *(tabulate(kind, figures) for kind, figures in kinds.items()),
        ),
        remarks=(),
        figures={
            "results": [
                {"function": kind, "call": name, **asdict(figures)}
                for kind, by_name in kinds.items()
                for name, figures in by_name.items()
            ]
        },
    )


def tabulate(kind: str, by_name: dict[str, Figures]) -> Table:
    """The table of one kind of function."""
    bare = by_name[BARE].best
    rows = [
        (
            name,
            *(duration(figure) for figure in (figures.p50, figures.p99, figures.best)),
            duration(figures.best - bare) if name != BARE else "",
        )
        for name, figures in by_name.items()
    ]
    return Table(f"`{kind}`", ("", "p50", "p99", "best", "over the bare call"), tuple(rows))


def main() -> None:
    """Read the options, measure, report."""
    parser = options.parser("benchmarks.call", __doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    options.publish(run(arguments.rounds), arguments)


if __name__ == "__main__":
    main()
