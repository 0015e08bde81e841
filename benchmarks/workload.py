"""The rules and the actions that every contestant is given.

One rule for each of N tools: `deny if tool == tool_i and arguments.amount > limit_i`; and whatever
a contestant needs so that a call below the limit is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = (1, 10, 100, 1_000, 10_000, 100_000)
"""How many rules, as a rule one for each tool."""

DISTINCT_TOOLS = 10
"""How many tools the measured calls name, spread evenly over all: an agent uses a handful."""

RULES_PER_FILE = 10_000
"""A policy file stays below the size that the loader takes."""


@dataclass(frozen=True, slots=True)
class Call:
    """A proposed action as an agent framework hands it over."""

    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Workload:
    """`size` rules, and calls that match one of them or none."""

    size: int

    def rules(self) -> Iterator[tuple[str, int]]:
        """Each rule's tool, and the amount above which it denies."""
        return ((f"tool_{index}", limit(index)) for index in range(self.size))

    def calls(self, *, matching: bool) -> tuple[Call, ...]:
        """Calls of evenly spread tools; with `matching`, each is above its tool's limit."""
        step = max(1, self.size // DISTINCT_TOOLS)
        indices = range(step // 2, self.size, step)[:DISTINCT_TOOLS]
        excess = 1 if matching else -1
        return tuple(
            Call(f"tool_{index}", {"to": "ACME", "amount": limit(index) + excess})
            for index in indices
        )

    def write_policies(self, folder: Path) -> None:
        """Write the rules as this library's policy files, 10,000 rules in each."""
        rules = list(self.rules())
        for start in range(0, self.size, RULES_PER_FILE):
            part = rules[start : start + RULES_PER_FILE]
            path = folder / f"part-{start // RULES_PER_FILE}.yaml"
            path.write_text("\n".join(document(path.stem, part)), encoding="utf-8")


def limit(index: int) -> int:
    """The amount above which a call of tool number `index` is denied."""
    return 100 + index % 900


def document(name: str, rules: list[tuple[str, int]]) -> Iterator[str]:
    """The lines of a policy file with these rules, and one that allows the tools they name."""
    yield from ("version: 1", f"policy: {name}", "rules:")
    for tool, amount in rules:
        yield f"  - id: limit-{tool.replace('_', '-')}"
        yield "    effect: deny"
        yield f"    tools: {tool}"
        yield f"    when: arguments.amount > {amount}"
    yield from ("  - id: known", "    effect: allow", "    tools:")
    yield from (f"      - {tool}" for tool, _ in rules)
    yield ""
