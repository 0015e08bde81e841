"""Which rules concern each decorated tool, and so whether any policy covers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardrails.decision import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.engine import PolicySet
    from guardrails.toolchain.tools.found import FoundTool


@dataclass(frozen=True, slots=True)
class ToolCoverage:
    """A decorated tool, whether it is declared, and the rules that concern it by effect."""

    tool: FoundTool
    declared: bool
    rules: tuple[tuple[str, Effect], ...]

    @property
    def reachable(self) -> bool:
        """Whether any call of it can ever run: a rule allows or escalates it."""
        return any(effect is not Effect.DENY for _, effect in self.rules)

    def as_json(self) -> dict[str, Any]:
        """The tool as `guardrails tools --format json` prints it."""
        return {
            "tool": self.tool.name,
            "path": self.tool.path,
            "line": self.tool.line,
            "arguments": [each.name for each in self.tool.parameters],
            "declared": self.declared,
            "reachable": self.reachable,
            "rules": [{"rule": name, "effect": str(effect)} for name, effect in self.rules],
        }


def cover(tools: Iterable[FoundTool], policies: PolicySet) -> tuple[ToolCoverage, ...]:
    """Return for each tool what the policies say of it."""
    return tuple(
        ToolCoverage(
            tool,
            tool.name in policies.bundle.tools,
            tuple((rule.name, rule.effect) for rule in policies.concerning(tool.name)),
        )
        for tool in tools
    )
