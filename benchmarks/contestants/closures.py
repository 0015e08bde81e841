"""The honest minimum: a dict from tool to a closure over its limit, written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.contestants.contestant import Contestant, Kind, Prepared

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.workload import Workload


def above(amount: int) -> Callable[[dict[str, Any]], str]:
    """The rule of one tool."""

    def rule(arguments: dict[str, Any]) -> str:
        return "deny" if arguments["amount"] > amount else "allow"

    return rule


def prepare(workload: Workload, _folder: Path) -> Prepared:
    """One closure for each tool; a tool without one is denied."""
    rules = {tool: above(amount) for tool, amount in workload.rules()}

    def decide(tool: str, arguments: dict[str, Any]) -> str:
        rule = rules.get(tool)
        return "deny" if rule is None else rule(arguments)

    return Prepared(decide, lambda decision: decision == "allow")


CLOSURES = Contestant("dict of closures, by hand", Kind.FLOOR, None, prepare)
