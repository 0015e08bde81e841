"""The outcome of judging an action: frozen values without clock or identity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from guardrails.language.document import Approval


class Effect(IntEnum):
    """What a rule asks for, weakest first, so that combining is `max`."""

    ALLOW = 1
    ESCALATE = 2
    DENY = 3

    def __str__(self) -> str:
        return self.name.lower()


class Code(StrEnum):
    """Why a decision came out as it did."""

    RULE = "rule"
    NO_MATCH = "no_match"
    UNDECLARED = "undeclared"
    INVALID_ACTION = "invalid_action"
    INVALID_ARGUMENTS = "invalid_arguments"
    NO_POLICIES = "no_policies"
    UNAVAILABLE = "unavailable"
    APPROVAL_REQUIRED = "approval_required"
    APPROVAL_DENIED = "approval_denied"
    APPROVAL_EXPIRED = "approval_expired"
    STOPPED = "stopped"


class Told(NamedTuple):
    """What a match of a Rego rule says of itself, since it is computed with each decision.

    `message` is meant for the agent, `description` for people; `approval` says who may approve.
    """

    message: str = ""
    description: str = ""
    controls: tuple[str, ...] = ()
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """A rule that took part in a decision.

    `rule` is its full name (`policy/id`), `effect` what it asks for, `error` why its condition
    could not be evaluated (or None), `observed` whether it only watches. `told` is what a Rego
    rule said, None for others: of those their document tells.
    """

    rule: str
    effect: Effect
    error: str | None = None
    observed: bool = False
    told: Told | None = None

    def as_json(self) -> dict[str, Any]:
        """The match as the command line and the decision log print it."""
        return {
            "rule": self.rule,
            "effect": str(self.effect),
            "error": self.error,
            "observed": self.observed,
        }


@dataclass(frozen=True, slots=True)
class UsedException:
    """An exception of a rule (`unless`) that held, so that the rule did not match.

    `rule` is the rule's full name, `reason` the exception's stated reason ("" for an `unless`
    that is a plain condition).
    """

    rule: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        """The exception as the command line and the decision log print it."""
        return {"rule": self.rule, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an action.

    `matches` are the rules that matched, weaker effects too, sorted by full name; `errors` those
    that could not be evaluated and therefore did not match. `would` is the effect with observed
    rules counted. `message` is meant for the agent ("" where no rule has one). `revision` is the
    digest of the policies that decided. `exceptions` are those that kept a rule from matching.
    """

    effect: Effect
    code: Code
    matches: tuple[RuleMatch, ...] = ()
    errors: tuple[RuleMatch, ...] = ()
    would: Effect = Effect.DENY
    message: str = ""
    revision: str = ""
    exceptions: tuple[UsedException, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the action may run now, without a person."""
        return self.effect is Effect.ALLOW

    def as_json(self) -> dict[str, Any]:
        """The decision as the command line prints it; `exceptions` only where there are any."""
        out: dict[str, Any] = {
            "effect": str(self.effect),
            "code": str(self.code),
            "matches": [match.as_json() for match in self.matches],
            "errors": [match.as_json() for match in self.errors],
            "would": str(self.would),
            "message": self.message,
            "revision": self.revision,
        }
        if self.exceptions:
            out["exceptions"] = [exception.as_json() for exception in self.exceptions]
        return out
