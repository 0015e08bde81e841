"""Every known way in which a library of this kind fails open: see ways_to_fail_open.yaml."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrails import Action, ActionDenied, ApprovalRequired, Facts, Subject
from guardrails.testing import TestGuard, guard_over

WAYS = yaml.safe_load(
    Path(__file__).with_name("ways_to_fail_open.yaml").read_text(encoding="utf-8")
)
REFUSED = [
    pytest.param(way["policy"], call, id=f"{way['name']} [{number}]")
    for way in WAYS
    for number, call in enumerate(way["calls"])
]
ALLOWED = [
    pytest.param(way["policy"], call, id=f"{way['name']} [{number}]")
    for way in WAYS
    for number, call in enumerate(way.get("allow", []))
]


def made(value: Any) -> Any:
    """What the data stands for: what can't be written down in YAML."""
    if isinstance(value, dict):
        if value.keys() == {"times", "of"}:
            return [value["of"]] * value["times"]
        if value.keys() == {"repeat", "times"}:
            return value["repeat"] * value["times"]
        if value.keys() == {"surrogate"}:
            return "\ud800"
        if value.keys() == {"iterator"}:
            return iter("abc")
        return {key: made(item) for key, item in value.items()}
    return [made(item) for item in value] if isinstance(value, list) else value


def act(guard: TestGuard, call: dict[str, Any], way: str, ran: list[dict[str, Any]]) -> None:
    def tool(**received: Any) -> None:
        ran.append(received)

    async def coroutine(**received: Any) -> None:
        ran.append(received)

    def run() -> None:
        arguments = made(call.get("arguments", {}))
        if way == "run":
            guard.run(call["tool"], arguments, tool)
        else:
            asyncio.run(guard.arun(call["tool"], arguments, coroutine))

    if "subject" not in call:
        run()
    else:
        given = call["subject"]
        with guard.session(subject=given["id"], roles=given.get("roles", ())):
            run()


@pytest.mark.parametrize("way", ["run", "arun"])
@pytest.mark.parametrize(("policy", "call"), ALLOWED)
def test_what_policy_allows_runs(policy: str, call: dict[str, Any], way: str) -> None:
    ran: list[dict[str, Any]] = []
    act(guard_over(policy), call, way, ran)
    assert ran == [made(call.get("arguments", {}))]


@pytest.mark.parametrize("way", ["run", "arun"])
@pytest.mark.parametrize(("policy", "case"), REFUSED)
def test_what_policy_stops_does_not_run(policy: str, case: dict[str, Any], way: str) -> None:
    call = case["refuse"]
    guard = guard_over(policy)
    ran: list[dict[str, Any]] = []
    with pytest.raises((ActionDenied, ApprovalRequired)) as caught:
        act(guard, call, way, ran)
    assert ran == []
    assert isinstance(caught.value, ActionDenied | ApprovalRequired)
    decision = caught.value.decision
    matches = [match.rule + ("!" if match.error else "") for match in decision.matches]
    assert [str(decision.effect), str(decision.code), matches] == case["by"]
    assert [error.rule for error in decision.errors] == case.get("errors", [])
    if "says" in case:
        assert f"`{case['says']}`" in decision.message
    assert [entry.decision for entry in guard.log.decisions] == [decision]
    assert caught.value.id == "d-1"
    given = call.get("subject")
    subject = None if given is None else Subject(**given)
    action = Action(call["tool"], made(call.get("arguments")), subject)
    assert guard.policies.decide(action, Facts(0)) == decision
    assert guard.decide(action) == decision
