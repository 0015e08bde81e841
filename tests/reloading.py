"""What the tests of reloading share: a policy, patience, and the records of a log."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from guardrails import Action

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guardrails import Guard

PATIENCE = 15.0
"""Seconds that a loaded machine may take for what takes a fraction of one."""


def policy(name: str, limit: int, tool: str = "pay") -> str:
    """A document that allows `tool` amounts below `limit`."""
    return (
        f"version: 1\npolicy: {name}\nrules:\n"
        f"  - {{id: a, effect: allow, tools: {tool}, when: arguments.amount < {limit}}}\n"
    )


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; fail if it doesn't in time."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def allows(guard: Guard, amount: int, tool: str = "pay") -> bool:
    """Whether the guard allows the amount."""
    return guard.decide(Action(tool, {"amount": amount})).allowed


def records(log: Path, kind: str) -> list[dict[str, Any]]:
    """The records of that kind in the folder of a log."""
    lines = [
        json.loads(line)
        for file in sorted(log.glob("*.jsonl"))
        for line in file.read_text().splitlines()
    ]
    return [line for line in lines if line["kind"] == kind]
