"""A notice in the general JSON form; `docs/reference/webhooks.md` tells its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.approvals.exact import write_exact
from guardrails.instants import print_timestamp
from guardrails.json_form import json_form
from guardrails.values import Timestamp

if TYPE_CHECKING:
    from guardrails.approvals.channels.channel import Notice
    from guardrails.approvals.request import Actor, ApprovalRequest
    from guardrails.approvals.vote import Vote


def write_message(notice: Notice, inbox: str = "", *, arguments: bool = True) -> dict[str, Any]:
    """The notice as JSON. `inbox` is the address of the inbox, for a link.

    Without `arguments` neither they nor the facts that the rules read leave the house.
    """
    return {
        "type": f"approval.{notice.event}",
        "timestamp": tell_time(notice.at_ns),
        "data": {
            "actor": notice.actor or None,
            "link": link_to(inbox, notice.request),
            "request": _tell_request(notice.request, arguments=arguments),
        },
    }


def link_to(inbox: str, request: ApprovalRequest) -> str | None:
    """Where the request is shown, None where nobody said where the inbox is."""
    return f"{inbox.rstrip('/')}/requests/{request.id}" if inbox else None


def tell_time(at_ns: int) -> str | None:
    """A time as RFC 3339, None for one that has not come."""
    return print_timestamp(Timestamp(at_ns)) if at_ns else None


def _tell_request(request: ApprovalRequest, *, arguments: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"arguments": None, "exact": None, "context": None}
    if arguments:
        shown = {
            "arguments": json_form(dict(request.arguments)),
            "exact": write_exact(request.arguments),
            "context": json_form(dict(request.context)),
        }
    return {
        "id": request.id,
        "content": request.content,
        "kind": str(request.kind),
        "status": str(request.status),
        "tool": request.tool,
        "description": request.evidence.get("description", ""),
        "traits": request.evidence.get("traits"),
        **shown,
        "subjects": [_tell_actor(actor) for actor in request.subjects],
        "session": request.session,
        "environment": json_form(dict(request.environment)),
        "rules": [{"rule": each.rule, "description": each.description} for each in request.rules],
        "votes": [_tell_vote(vote) for vote in request.votes],
        "created": tell_time(request.created_ns),
        "expires": tell_time(request.expires_ns),
        "decided": tell_time(request.decided_ns),
    }


def _tell_actor(actor: Actor) -> dict[str, Any]:
    return {"id": actor.id, "roles": list(actor.roles), "on_behalf_of": actor.on_behalf_of}


def _tell_vote(vote: Vote) -> dict[str, Any]:
    return {
        "voter": vote.voter,
        "outcome": str(vote.outcome),
        "comment": vote.comment,
        "at": tell_time(vote.cast_ns),
    }
