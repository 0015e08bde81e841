"""The Agent Governance Toolkit: its `PolicyEvaluator` and its `govern`.

A condition of `PolicyEvaluator` compares one field, so the tool is part of the field's name; its
defaults allow what no rule denies. `govern` wraps a callable; its audit trail is off, and a denial
is handed back instead of raised, so that both outcomes cost the same.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from benchmarks.contestants.contestant import Contestant, Kind, Prepared, peer

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.workload import Workload

DISTRIBUTION = "agent-governance-toolkit-core"


def quiet_peer(module: str) -> Any:
    """A module of the toolkit, without its notices about its former package names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return peer(module)


def prepare_evaluator(workload: Workload, _folder: Path) -> Prepared:
    """One `PolicyDocument` with a rule for each tool."""
    schema = quiet_peer("agent_os.policies.schema")
    module = quiet_peer("agent_os.policies.evaluator")
    rules = [
        schema.PolicyRule(
            name=f"limit-{tool}",
            condition=schema.PolicyCondition(field=f"{tool}.amount", operator="gt", value=amount),
            action="deny",
        )
        for tool, amount in workload.rules()
    ]
    defaults = schema.PolicyDefaults(action="allow")
    document = schema.PolicyDocument(name="limits", rules=rules, defaults=defaults)
    evaluate = module.PolicyEvaluator([document]).evaluate

    def decide(tool: str, arguments: dict[str, Any]) -> Any:
        context = {f"{tool}.{name}": value for name, value in arguments.items()}
        return evaluate(context)

    return Prepared(decide, lambda decision: bool(decision.allowed))


def prepare_govern(workload: Workload, _folder: Path) -> Prepared:
    """One `Policy` with a rule for each tool, round a function that does nothing."""
    govern = quiet_peer("agentmesh.governance.govern").govern
    policy = quiet_peer("agentmesh.governance.policy")
    rules = [
        policy.PolicyRule(
            name=f"limit-{tool}",
            condition=f"action.type == '{tool}' and arguments.amount > {amount}",
            action="deny",
        )
        for tool, amount in workload.rules()
    ]
    document = policy.Policy(name="limits", rules=rules, default_action="allow")
    governed = govern(run, policy=document, audit=False, on_deny=denied)

    def decide(tool: str, arguments: dict[str, Any]) -> Any:
        return governed(action=tool, arguments=arguments)

    return Prepared(decide, lambda outcome: outcome == "ran")


def run(**_context: Any) -> str:
    """The governed function."""
    return "ran"


def denied(_decision: Any) -> str:
    """What a denied call gives back."""
    return "denied"


EVALUATOR = Contestant("AGT PolicyEvaluator", Kind.SCANS, DISTRIBUTION, prepare_evaluator)
GOVERN = Contestant("AGT govern", Kind.SCANS, DISTRIBUTION, prepare_govern)
