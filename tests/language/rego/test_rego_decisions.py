"""What modules decide, by cases as data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from guardrails.action import Action, SessionView, Subject

if TYPE_CHECKING:
    from guardrails.decision import RuleMatch
    from guardrails.engine import Facts
    from tests.language.rego.conftest import LoadRego

CASES = yaml.safe_load((Path(__file__).parent / "decided.yaml").read_text())


def told(match: RuleMatch) -> str:
    marks = ("!" if match.error else "") + ("?" if match.observed else "")
    return f"{match.rule} {match.effect}{marks}"


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_module_decides_as_its_rules_say(
    case: dict[str, Any], load_rego: LoadRego, facts: Facts
) -> None:
    head = "package guardrails.p\n"
    if "metadata" in case:
        text = yaml.safe_dump(case["metadata"])
        head = "# METADATA\n" + "".join(f"# {line}\n" for line in text.splitlines()) + head
    policies = load_rego(head + case["rego"], **case.get("files", {}))
    for call in case["calls"]:
        subject = Subject(call["subject"]["id"]) if "subject" in call else None
        session = SessionView(call["session"]["id"]) if "session" in call else None
        action = Action(call["tool"], call.get("arguments", {}), subject, None, session)
        decision = policies.decide(action, facts)
        assert str(decision.effect) == call["effect"], call
        assert decision.code == call.get("code", "rule"), call
        assert list(map(told, decision.matches)) == call.get("matches", []), call
        assert list(map(told, decision.errors)) == call.get("errors", []), call
        if "message" in call:
            assert decision.message == call["message"]
        if "would" in call:
            assert str(decision.would) == call["would"]
