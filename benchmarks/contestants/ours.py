"""This library: `PolicySet.decide`, with the action made from the name and the dict each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.contestants.contestant import Contestant, Kind, Prepared

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.workload import Workload

MOMENT_NS = 1_780_000_000_000_000_000
"""The time of the decisions, in nanoseconds since 1970: facts are the caller's to fetch."""


def prepare(workload: Workload, folder: Path) -> Prepared:
    """The rules as policy files, loaded as a user loads them."""
    import guardrails

    workload.write_policies(folder)
    policies = guardrails.load_policies(folder)
    facts = guardrails.Facts(now_ns=MOMENT_NS)
    action, judge = guardrails.Action, policies.decide

    def decide(tool: str, arguments: dict[str, Any]) -> Any:
        return judge(action(tool, arguments), facts)

    return Prepared(decide, lambda decision: bool(decision.allowed))


OURS = Contestant("guardrails", Kind.OURS, "policy-guardrails", prepare)
