"""The length of lists that `costly-condition` tells, against the engine's own bound."""

from __future__ import annotations

import json
import re

import pytest

from guardrails.action import Action
from guardrails.engine import Facts, PolicySet
from guardrails.language.folder import folder_of
from guardrails.toolchain.lint.project import Project
from guardrails.toolchain.lint.registry import all_rules

NOW = 1_780_000_000 * 10**9  # 2026-05-28
LISTS = {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    "condition",
    [
        "arguments.to.exists(a, arguments.known.exists(k, a.endsWith(k)))",
        "arguments.to.exists(a, arguments.known.exists(k, a.endsWith(k) || k.endsWith(a)))",
        "arguments.to.exists(a, arguments.known.exists(k, arguments.to.exists(b, b + k == a)))",
        "arguments.to.filter(a, !(a in arguments.known)).exists(a, a in arguments.known)",
        "arguments.to.map(a, arguments.known.filter(k, k == a)).exists(l, size(l) > 1)",
    ],
)
def test_the_engine_gives_up_soon_after_the_length_that_is_told(condition: str) -> None:
    document = {
        "version": 1,
        "policy": "p",
        "tools": {
            "send": {
                "traits": ["communicate"],
                "arguments": {"to": LISTS, "known": LISTS},
                "required": ["to", "known"],
            }
        },
        "rules": [{"id": "r", "effect": "allow", "tools": "send", "when": condition}],
    }
    project = Project(folder_of({"p.yaml": json.dumps(document)}), "policies", NOW)
    (finding,) = all_rules()["costly-condition"].run(project)
    told = re.search(r"more than (\d+) elements", finding.message)
    assert told is not None
    enough = int(told[1])
    policies = PolicySet(project.bundle)
    assert not gives_up(policies, enough)
    assert gives_up(policies, enough + enough // 10 + 1)


def gives_up(policies: PolicySet, elements: int) -> bool:
    """Whether the condition exceeds its bound with lists of so many elements, none in both."""
    arguments = {
        "to": [f"a{number}" for number in range(elements)],
        "known": [f"b{number}x" for number in range(elements)],
    }
    decision = policies.decide(Action("send", arguments), Facts(NOW))
    return any("too much work" in (each.error or "") for each in decision.errors)
