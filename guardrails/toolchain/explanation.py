"""An explanation as a value: a decision, what each rule said, and what an allow would need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guardrails.decision import Decision
    from guardrails.language.document import Condition, Rule
    from guardrails.toolchain.reasons import Reason

MATCHED, EXCEPTED, FAILED, UNMATCHED = "matched", "excepted", "failed", "not_matched"
UNKNOWN = "undetermined"
"""What becomes of a rule; `failed` is an allow rule that could not be evaluated, `undetermined`
one that reads what is masked in the log."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a rule: whether it holds (None: it could not be evaluated), and why.

    `condition` is the condition it is about, if it is about one, and `reasons` what decided it.
    """

    key: str
    holds: bool | None
    why: str
    condition: Condition | None = None
    reasons: tuple[Reason, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The part as the command line prints it; a condition only where there is one."""
        told: dict[str, Any] = {"part": self.key, "holds": self.holds, "why": self.why}
        if self.condition is not None:
            told["condition"] = self.condition.source
            told["place"] = self.condition.span._asdict()
            told["deciding"] = [reason.as_json() for reason in self.reasons]
        return told


@dataclass(frozen=True, slots=True)
class RuleTold:
    """What one rule said, of one member of a delegation where it looks at who acts."""

    rule: Rule
    outcome: str
    parts: tuple[Part, ...]
    observed: bool = False
    error: str | None = None
    member: str | None = None

    @property
    def failing(self) -> tuple[Part, ...]:
        """The parts that kept it from matching."""
        if self.outcome == EXCEPTED:
            return tuple(part for part in self.parts if part.key == "unless" and part.holds)
        return tuple(
            part
            for part in self.parts
            if part.holds is None or (part.holds is False and part.key != "unless")
        )

    def as_json(self) -> dict[str, Any]:
        """The rule as the command line prints it."""
        return {
            "rule": self.rule.name,
            "effect": str(self.rule.effect),
            "place": self.rule.span._asdict(),
            "outcome": self.outcome,
            "observed": self.observed,
            "error": self.error,
            "member": self.member,
            "parts": [part.as_json() for part in self.parts],
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with the rules behind it.

    `rules` are those that could concern the tool, those that matched first; `others` counts the
    rules that were not looked at. `needed` says what an allow would need. `tool` is None where
    there was no action.
    """

    tool: str | None
    decision: Decision
    rules: tuple[RuleTold, ...]
    others: int
    needed: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The explanation as the command line prints it."""
        return {
            "tool": self.tool,
            "decision": self.decision.as_json(),
            "rules": [rule.as_json() for rule in self.rules],
            "others": self.others,
            "needed": list(self.needed),
        }
