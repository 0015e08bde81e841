"""AgentDojo's recorded calls, each decided by the policies of a bank and an office.

The figures are facts about policies that were written without sight of the calls; they are
asserted so that a change of the engine that alters them is seen, not because they are aims.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

import guardrails
from evaluations.agentdojo.deployment import DEPLOYMENTS, POLICIES, facts_of_mailbox
from tests.evaluations.recorded import ABSENT, DATA, Recorded, described_tools, recorded, traces

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=ABSENT)

SUITES = [deployment.suite for deployment in DEPLOYMENTS]
FACTS = {
    "banking": guardrails.Facts(now_ns=0),
    "workspace": guardrails.Facts(0, facts_of_mailbox("emma.johnson@bluesparrowtech.com")),
}


@cache
def policies(suite: str) -> guardrails.PolicySet:
    return guardrails.load_policies(POLICIES / suite)


def decide(suite: str, call: Recorded) -> guardrails.Decision:
    return policies(suite).decide(guardrails.Action(call.tool, call.arguments), FACTS[suite])


def share(suite: str, kind: str) -> Counter[str]:
    return Counter(str(decide(suite, call).effect) for call in recorded(suite, kind))


@pytest.mark.parametrize("suite", SUITES)
def test_every_tool_is_declared_with_the_arguments_that_it_has(suite: str) -> None:
    declared = policies(suite).bundle.tools
    described = described_tools(suite)
    assert set(declared) == set(described)
    for name, schema in described.items():
        arguments = declared[name].arguments
        assert arguments is not None
        assert set(arguments.properties) == set(schema["properties"]), name


@pytest.mark.parametrize("suite", SUITES)
def test_every_recorded_call_of_the_traces_is_decided_by_a_rule(suite: str) -> None:
    codes = Counter(decide(suite, call).code for _, call in traces(suite))
    assert set(codes) == {guardrails.Code.RULE}
