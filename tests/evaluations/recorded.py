"""AgentDojo's recorded calls, as extracted beside the project."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.shared import SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = SHARED / "data" / "agentdojo"

ABSENT = "AgentDojo's extracted calls are not here (../shared/data/agentdojo)"


class Recorded(NamedTuple):
    """One recorded call, and the task it belongs to."""

    task: str
    tool: str
    arguments: dict[str, Any]


@cache
def recorded(suite: str, kind: str) -> tuple[Recorded, ...]:
    """The calls of a suite's `user_tasks` or `injection_tasks`."""
    lines = (DATA / f"{suite}.{kind}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(
        Recorded(task["id"], call["tool"], call["args"])
        for task in map(json.loads, lines)
        for call in task["ground_truth_calls"]
    )


def traces(suite: str) -> Iterator[tuple[str, Recorded]]:
    """Every call of a suite's traces, with its phase: `user` or `attack`."""
    for trace in map(json.loads, trace_lines(suite)):
        for call in trace["calls"]:
            yield call["phase"], Recorded(trace["id"], call["tool"], call["args"])


def trace_lines(suite: str) -> list[str]:
    """The lines of a suite's traces, packed or not."""
    plain = DATA / f"{suite}.traces.jsonl"
    if plain.exists():
        return plain.read_text(encoding="utf-8").splitlines()
    with gzip.open(plain.with_suffix(".jsonl.gz"), "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def described_tools(suite: str) -> dict[str, dict[str, Any]]:
    """The argument schemas of a suite's tools, by name, as AgentDojo describes them."""
    text = (DATA / f"{suite}.tools.json").read_text(encoding="utf-8")
    return {tool["name"]: tool["parameters"] for tool in json.loads(text)["tools"]}
