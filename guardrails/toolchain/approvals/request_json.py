"""A request as JSON for programs: what an approver is shown, in the JSON form of its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.json_form import json_form

if TYPE_CHECKING:
    from guardrails.approvals.request import Actor, ApprovalRequest
    from guardrails.approvals.vote import Vote


def request_json(request: ApprovalRequest) -> dict[str, Any]:
    """The request; times are nanoseconds since 1970, 0 for what has not happened."""
    return {
        "id": request.id,
        "kind": str(request.kind),
        "status": str(request.status),
        "digest": request.digest,
        "tool": request.tool,
        "arguments": json_form(dict(request.arguments)),
        "subjects": [_actor_json(actor) for actor in request.subjects],
        "session": request.session,
        "labels": list(request.labels),
        "context": json_form(dict(request.context)),
        "environment": json_form(dict(request.environment)),
        "evidence": json_form(dict(request.evidence)),
        "rules": [rule.as_json() for rule in request.rules],
        "revision": request.revision,
        "created_ns": request.created_ns,
        "expires_ns": request.expires_ns,
        "decided_ns": request.decided_ns,
        "used_ns": request.used_ns,
        "uses": request.uses,
        "ended_by": request.ended_by,
        "reason": request.reason,
        "votes": [_vote_json(vote) for vote in request.votes],
    }


def _vote_json(vote: Vote) -> dict[str, Any]:
    return {
        "voter": vote.voter,
        "outcome": str(vote.outcome),
        "comment": vote.comment,
        "cast_ns": vote.cast_ns,
    }


def _actor_json(actor: Actor) -> dict[str, Any]:
    form: dict[str, Any] = json_form({**actor.as_json(), "attributes": dict(actor.attributes)})
    return form
