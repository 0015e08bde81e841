"""Casbin (pycasbin): its plain enforcer, which scans, and its `FastEnforcer`, which has an index.

A policy line is a tool, a limit and an effect; a line for each tool allows it at any amount.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.contestants.contestant import Contestant, Kind, Prepared, peer

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.workload import Workload

MODEL = """
[request_definition]
r = tool, amount
[policy_definition]
p = tool, limit, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.tool == p.tool && r.amount > p.limit
"""


def load(workload: Workload, enforcer: Any) -> Prepared:
    """The rules in an enforcer that was made without any."""
    enforcer.add_policies([[tool, amount, "deny"] for tool, amount in workload.rules()])
    enforcer.add_policies([[tool, -1, "allow"] for tool, _ in workload.rules()])
    enforce = enforcer.enforce

    def decide(tool: str, arguments: dict[str, Any]) -> Any:
        return enforce(tool, arguments["amount"])

    return Prepared(decide, bool)


def prepare(workload: Workload, folder: Path) -> Prepared:
    """The enforcer of the manual."""
    return load(workload, peer("casbin").Enforcer(write_model(folder)))


def prepare_indexed(workload: Workload, folder: Path) -> Prepared:
    """The enforcer that keeps its policies by tool."""
    enforcer = peer("casbin").FastEnforcer(write_model(folder), cache_key_order=(0,))
    return load(workload, enforcer)


def write_model(folder: Path) -> str:
    """The path of the model's file, written first."""
    path = folder / "model.conf"
    path.write_text(MODEL, encoding="utf-8")
    return str(path)


CASBIN = Contestant("casbin Enforcer", Kind.SCANS, "casbin", prepare)
CASBIN_INDEXED = Contestant("casbin FastEnforcer", Kind.INDEXED, "casbin", prepare_indexed)
