"""What people are shown of a call besides the call: facts that the guard knows, in bounds.

The agent's own account of itself is no part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.approvals.exact import write_exact
from guardrails.errors import NotEscalatable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.audit.records import DecisionEntry
    from guardrails.enforcement.proposal import Question

MAX_ARGUMENTS = 8_192
"""How many characters the arguments of an earlier call may have, written out, to be shown."""


def gather_evidence(question: Question) -> dict[str, Any]:
    """What is known of the tool and of what the session has done, oldest first.

    `description`, `traits` (None where not declared) and `kinds` are of the tool's declaration;
    `kinds` maps an argument to what it is marked as. Each of `earlier` has `at_ns`, `tool`,
    `effect` and `arguments`, None where they are too long or can't be shown.
    """
    declared, session = question.proposal.plan.declared, question.proposal.session
    evidence: dict[str, Any] = {"description": "", "traits": None, "kinds": {}, "earlier": []}
    if declared is not None:
        evidence["description"] = declared.description
        evidence["traits"] = None if declared.traits is None else list(declared.traits)
        if declared.arguments is not None:
            kinds = declared.arguments.kinds_of.items()
            evidence["kinds"] = {name: kind for kind, names in kinds for name in names}
    if session is not None:
        earlier = (each for each in session.earlier if each[1] is not question.entry)
        evidence["earlier"] = [_tell_earlier(*each) for each in earlier]
    return evidence


def _tell_earlier(at_ns: int, entry: DecisionEntry) -> dict[str, Any]:
    return {
        "at_ns": at_ns,
        "tool": entry.tool,
        "effect": str(entry.decision.effect),
        "arguments": _showable(entry.arguments),
    }


def _showable(arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
    try:
        return arguments if len(write_exact(arguments)) <= MAX_ARGUMENTS else None
    except NotEscalatable:
        return None
