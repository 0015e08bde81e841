"""Facts that the host knows and the agent can't claim.

The ticket system is asked only when a rule that concerns the call reads `context.ticket`. When it
doesn't know the ticket the fact is missing, and what is missing never helps the agent.
"""

from pathlib import Path

import guardrails

TICKETS = {
    "CHG-1": {"state": "approved", "owner": "dana@example.com"},
    "CHG-2": {"state": "draft", "owner": "dana@example.com"},
    "CHG-3": {"state": "approved", "owner": "emil@example.com"},
}


def ticket(action: guardrails.Action) -> dict:
    """The ticket that the call names, from the ticket system; KeyError if there is none."""
    return TICKETS[action.arguments["ticket"]]


guard = guardrails.Guard.load(Path(__file__).parent / "policies", facts={"ticket": ticket})


@guard.tool
def deploy(service: str, ticket: str) -> str:
    """Deploy a service under a change ticket."""
    return f"{service} deployed under {ticket}"


def denials(refusal: guardrails.ActionDenied) -> list[guardrails.RuleMatch]:
    """The rules that decided; one whose condition had no value says why."""
    decision = refusal.decision
    return [match for match in decision.matches if match.effect is decision.effect]


with guard.session(
    subject="deploy-bot", on_behalf_of="dana@example.com", context={"environment": "staging"}
):
    for number in ("CHG-1", "CHG-2", "CHG-3", "CHG-4"):
        try:
            print(deploy("web", ticket=number))
        except guardrails.ActionDenied as refusal:
            reasons = [f"{match.rule}, {match.error or 'it matched'}" for match in denials(refusal)]
            print(f"{number} refused: {'; '.join(reasons) or refusal.decision.code}")
