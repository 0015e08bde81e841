"""Rego through regorus: a rule for each tool, which it scans, and limits as data, an index.

The second is how Rego's manual writes many alike rules; it can't hold rules that differ in shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.contestants.contestant import Contestant, Kind, Prepared, peer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from benchmarks.workload import Workload

HEAD = """package guard

import rego.v1

default effect := "allow"
"""

LIMIT_OF_DATA = """
effect := "deny" if input.arguments.amount > data.limits[input.tool]
"""


def prepare(workload: Workload, _folder: Path) -> Prepared:
    """One rule for each tool, in modules of at most 10,000 lines."""
    rules = [
        f'effect := "deny" if {{ input.tool == "{tool}"; input.arguments.amount > {amount} }}\n'
        for tool, amount in workload.rules()
    ]
    parts = [rules[start : start + 5_000] for start in range(0, len(rules), 5_000)]
    heads = [HEAD, *["package guard\n\nimport rego.v1\n\n"] * (len(parts) - 1)]
    return load([head + "".join(part) for head, part in zip(heads, parts, strict=True)], {})


def prepare_indexed(workload: Workload, _folder: Path) -> Prepared:
    """One rule for all tools, over a table of limits."""
    return load([HEAD + LIMIT_OF_DATA], {"limits": dict(workload.rules())})


def load(modules: Iterable[str], data: dict[str, Any]) -> Prepared:
    """An engine with these modules and data."""
    engine = peer("regorus").Engine()
    for number, module in enumerate(modules):
        engine.add_policy(f"guard-{number}.rego", module)
    engine.add_data(data)

    def decide(tool: str, arguments: dict[str, Any]) -> Any:
        engine.set_input({"tool": tool, "arguments": arguments})
        return engine.eval_rule("data.guard.effect")

    return Prepared(decide, lambda effect: bool(effect == "allow"))


REGO = Contestant("regorus, a rule a tool", Kind.SCANS, "gordon-to-regorus", prepare)
REGO_INDEXED = Contestant(
    "regorus, limits as data", Kind.INDEXED, "gordon-to-regorus", prepare_indexed
)
