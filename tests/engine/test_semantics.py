"""The semantics of the design as data: see semantics.yaml."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrails.action import Action, SessionView, Subject
from guardrails.engine import Facts
from guardrails.testing import policies_over

NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)
TYPED = yaml.safe_load(Path(__file__).with_name("semantics.yaml").read_text(encoding="utf-8"))
CASES = [
    pytest.param(part, case, id=f"{part['name']} [{number}]")
    for part in TYPED
    for number, case in enumerate(part["cases"])
]


def action_of(given: dict[str, Any]) -> Action:
    subject, session = given.get("subject"), given.get("session")
    return Action(
        given["tool"],
        given.get("arguments"),
        None if subject is None else Subject(**subject),
        given.get("context"),
        None if session is None else SessionView(**session),
    )


@pytest.mark.parametrize(("part", "case"), CASES)
def test_semantics(part: dict[str, Any], case: dict[str, Any]) -> None:
    texts = {"p.yaml": part["policy"]}
    if "more" in part:
        texts["q.yaml"] = part["more"]
    policies = policies_over(texts)
    action = action_of(case["action"])
    for _ in range(2):  # the second time from what the first left ready
        decision = policies.decide(action, Facts.at(NOW))
        rules = [
            match.rule + ("!" if match.error else "") + ("~" if match.observed else "")
            for match in decision.matches
        ]
        assert [str(decision.effect), str(decision.code), rules] == case["expect"]
        assert [error.rule for error in decision.errors] == case.get("errors", [])
        assert [used.rule for used in decision.exceptions] == case.get("exceptions", [])
        assert str(decision.would) == case.get("would", case["expect"][0])
        if "message" in case:
            assert decision.message == case["message"]
        if "says" in case:
            assert f"`{case['says']}`" in decision.message
        assert decision.revision == policies.revision
