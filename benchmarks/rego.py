"""How long Rego takes: a decision among many modules, calls that none concerns, and loading."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter, perf_counter_ns
from typing import TYPE_CHECKING

from benchmarks import options
from benchmarks.machine import machine
from benchmarks.report import Report, Table, duration, verdicts
from guardrails.action import Action, Subject
from guardrails.engine import Facts, PolicySet
from guardrails.language.loader import load_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.goals_of_decide import Goal

MODULES = 100
CALLS = 5_000
MANY = 10_000

MODULE = """# METADATA
# title: Limits of service {number}
# custom:
#   tools: [service.tool_{number}]
package guardrails.service_{number}

deny contains msg if {{
	input.arguments.amount > {limit}
	msg := sprintf("%v is over %v", [input.arguments.amount, {limit}])
}}

allow if {{
	input.arguments.amount <= {limit}
	"billing" in input.subject.roles
}}
"""
OTHER = """version: 1
policy: other
rules: [{id: small, effect: allow, tools: other, when: arguments.amount < 10}]
"""
FACTS = Facts.at(datetime(2026, 11, 24, tzinfo=UTC))
AMONG = Action("service.tool_7", {"amount": 50, "to": "ACME"}, Subject("agent", ["billing"]))
APART = Action("other", {"amount": 5})


@dataclass(frozen=True, slots=True)
class Times:
    """Nanoseconds of calls, sorted."""

    ordered: list[int]

    def at(self, share: float) -> float:
        """The time that so many of the calls stayed below."""
        return self.ordered[round((len(self.ordered) - 1) * share)]


def modules(count: int) -> dict[str, str]:
    """So many modules, each about a tool of its own."""
    return {
        f"service-{number}.rego": MODULE.format(number=number, limit=100 + number)
        for number in range(count)
    }


@contextmanager
def loaded(texts: dict[str, str]) -> Iterator[PolicySet]:
    """The policies in `texts`, whose processes end with the block."""
    policies = PolicySet(load_texts(texts))
    yield policies
    for rule in policies.bundle.rules:
        if rule.module is not None:
            rule.module.engine.close()


def time_calls(policies: PolicySet, action: Action, calls: int) -> Times:
    """How long so many decisions over `action` take, one after another."""
    assert policies.decide(action, FACTS).allowed
    for _ in range(calls // 10):
        policies.decide(action, FACTS)
    gc.collect()
    elapsed = []
    for _ in range(calls):
        began = perf_counter_ns()
        policies.decide(action, FACTS)
        elapsed.append(perf_counter_ns() - began)
    return Times(sorted(elapsed))


def run(calls: int, many: int) -> Report:
    """Measure, and report."""
    print(f"deciding among {MODULES} modules", file=sys.stderr)
    with loaded({"other.yaml": OTHER}) as alone:
        without = time_calls(alone, APART, calls)
    with loaded({"other.yaml": OTHER, **modules(MODULES)}) as beside:
        apart, among = time_calls(beside, APART, calls), time_calls(beside, AMONG, calls)
    print(f"loading {many:,} modules", file=sys.stderr)
    texts = modules(many)
    began = perf_counter()
    with loaded(texts):
        seconds = perf_counter() - began
    goals: list[Goal] = [
        (
            f"{MODULES} modules of which one concerns the tool: p50 at most 150 µs",
            among.at(0.5) <= 150_000,
            duration(among.at(0.5)),
        ),
        (
            "a call that no module concerns: no more than without Rego",
            apart.at(0.5) <= without.at(0.5) * 1.2,
            f"{duration(apart.at(0.5))} beside {duration(without.at(0.5))}",
        ),
        (f"{many:,} modules load in at most 10 s", seconds <= 10, f"{seconds:.2f} s"),
    ]
    rows = [
        (name, duration(times.at(0.5)), duration(times.at(0.99)))
        for name, times in (
            (f"{MODULES} modules, one concerns the tool", among),
            (f"{MODULES} modules, none concerns the tool", apart),
            ("no modules", without),
        )
    ]
    return Report(
        name="rego",
        machine=machine(),
        tables=(verdicts(goals), Table("Rego: a decision", ("", "p50", "p99"), tuple(rows))),
        remarks=(f"{calls:,} decisions each, one after another; the embedded engine.",),
        figures={
            "among_ns": among.at(0.5),
            "apart_ns": apart.at(0.5),
            "without_ns": without.at(0.5),
            "load_s": seconds,
        },
    )


def main() -> None:
    """Read the options, measure, report."""
    parser = options.parser("benchmarks.rego", __doc__)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--many", type=int, default=MANY)
    arguments = parser.parse_args()
    options.publish(run(arguments.calls, arguments.many), arguments)


if __name__ == "__main__":
    main()
