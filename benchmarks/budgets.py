"""What a budget costs: a reservation in each ledger, and a guarded call that spends.

A reservation is the whole atomic step: the sums read, the limit held, the charge written, and on a
database the transaction committed. The window rolls over 24 hours, so each charge is kept.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Any

from benchmarks import options
from benchmarks.machine import machine
from benchmarks.report import Report, Table, duration, verdicts
from benchmarks.timing import ROUNDS, Figures, Subject, measure
from guardrails.budgets import Ledger, MemoryLedger, Reservation
from guardrails.budgets.sql_ledger import SqlLedger
from guardrails.spending import UNITS, Charge

if TYPE_CHECKING:
    from collections.abc import Callable

GOAL_NS = 300_000
"""What a reservation on SQLite (WAL, synchronous=NORMAL) may take (the median)."""

DAY_NS = 86_400 * 10**9

POLICY = """
version: 1
policy: payments
tools:
  transfer:
    description: Pay a supplier.
    traits: [write, spend, external]
    arguments:
      to: {type: string, pattern: "^[A-Z]{1,20}$"}
      amount: {type: number, minimum: 0}
    required: [to, amount]
rules:
  - {id: small, effect: allow, tools: transfer, when: arguments.amount <= 500}
  - id: daily
    effect: deny
    tools: transfer
    budget:
      {limit: 4000000000000, cost: arguments.amount, per: 24h, scope: [subject.id, arguments.to]}
"""

PAIRS = tuple((f"SUPPLIER{letter}", 20.0) for letter in "ABCDEFGHIJ")

SQLITE = "SQLite, one charge"


def reserving(ledger: Ledger, charges: int) -> Callable[[str, float], None]:
    """A function that takes so many charges at once."""

    def reserve(to: str, amount: float) -> None:
        wanted = [
            Charge(f"p/{number}", to, int(amount * UNITS), 4 * 10**18, DAY_NS)
            for number in range(charges)
        ]
        assert isinstance(ledger.reserve(wanted, time_ns()), Reservation)

    return reserve


def reading(ledger: Ledger) -> Callable[[str, float], None]:
    """A function that asks what was spent."""

    def read(to: str, amount: float) -> None:
        ledger.spent(Charge("p/0", to, int(amount * UNITS), 10**18, DAY_NS), time_ns())

    return read


def transfer(to: str, amount: float) -> str:
    """The tool."""
    return to if amount else ""


def guarded(folder: Path, stack: ExitStack, **settings: Any) -> Callable[[str, float], str]:
    """The tool under a guard with a log, in a session of a subject."""
    import guardrails

    policies = folder / "policies"
    policies.mkdir(exist_ok=True, parents=True)
    (policies / "payments.yaml").write_text(POLICY, encoding="utf-8")
    guard = guardrails.Guard.load(policies, log=folder / "log", **settings)
    stack.callback(guard.close)
    session = guard.session(subject="agent-7", roles=["billing"])
    return session.bind(guard.tool(transfer))


def run(rounds: int) -> Report:
    """Measure, and report."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        memory, shared = MemoryLedger(), SqlLedger(folder / "approvals.db")
        stack.callback(shared.close)
        functions: dict[str, Callable[[Any, Any], Any]] = {
            "memory, one charge": reserving(memory, 1),
            "memory, asked what is spent": reading(memory),
            SQLITE: reserving(shared, 1),
            "SQLite, three charges": reserving(shared, 3),
            "SQLite, asked what is spent": reading(shared),
            "guarded call, sums in memory": guarded(folder / "a", stack),
            "guarded call, sums in SQLite": guarded(folder / "b", stack, state=folder / "state"),
        }
        subjects = [Subject(function, PAIRS) for function in functions.values()]
        figures = dict(zip(functions, measure(subjects, rounds), strict=True))
    return report(figures)


def report(figures: dict[str, Figures]) -> Report:
    """The figures, and the goal held against them."""
    median = figures[SQLITE].p50
    goal = f"a reservation on SQLite takes {duration(GOAL_NS)} at most (p50)"
    rows = tuple(
        (name, *(duration(figure) for figure in (each.p50, each.p99, each.best)))
        for name, each in figures.items()
    )
    return Report(
        name="budgets",
        machine=machine(),
        tables=(
            verdicts([(goal, median <= GOAL_NS, duration(median))]),
            Table("Budgets", ("", "p50", "p99", "best"), rows),
        ),
        remarks=(
            "SQLite in WAL with `synchronous=NORMAL`: a commit survives the process.",
            "A guarded call asks what is spent, decides, reserves, writes both records to the log.",
        ),
        figures={"results": [{"what": name, **asdict(each)} for name, each in figures.items()]},
    )


def main() -> None:
    """Read the options, measure, report."""
    parser = options.parser("benchmarks.budgets", __doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    options.publish(run(arguments.rounds), arguments)


if __name__ == "__main__":
    main()
