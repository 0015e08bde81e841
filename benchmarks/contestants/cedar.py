"""Cedar through cedarpy: policies and entities parsed once and kept as handles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.contestants.contestant import Contestant, Kind, Prepared, peer

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.workload import Workload

PERMIT = "permit (principal, action, resource);"


def prepare(workload: Workload, _folder: Path) -> Prepared:
    """One `forbid` for each tool, and a `permit` for everything else."""
    cedar = peer("cedarpy")
    forbids = (
        f'forbid (principal, action == Action::"{tool}", resource)'
        f" when {{ context.amount > {amount} }};"
        for tool, amount in workload.rules()
    )
    policies = cedar.PolicySet.from_str("\n".join((PERMIT, *forbids)))
    entities = cedar.Entities.from_json_str("[]")
    is_authorized = cedar.is_authorized

    def decide(tool: str, arguments: dict[str, Any]) -> Any:
        request = {
            "principal": {"type": "Agent", "id": "agent"},
            "action": {"type": "Action", "id": tool},
            "resource": {"type": "Tools", "id": "all"},
            "context": arguments,
        }
        return is_authorized(request, policies, entities)

    return Prepared(decide, lambda result: bool(result.allowed))


CEDAR = Contestant("cedarpy", Kind.SCANS, "cedarpy", prepare)
