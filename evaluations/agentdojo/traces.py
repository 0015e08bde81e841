"""AgentDojo's tasks and attacked runs, as extracted beside the project, as events of a replay."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[2] / "shared" / "data" / "agentdojo"
"""The extracted suites: AgentDojo 0.1.35, benchmark version 1.2.2."""

POLICIES = HERE / "policies"
SUITES = ("banking", "workspace")


@dataclass(frozen=True, slots=True)
class Call:
    """A recorded call: of the `user`'s task, of the `attack`, or of the task taken up again."""

    tool: str
    arguments: dict[str, Any]
    output: Any
    phase: str = "user"


@dataclass(frozen=True, slots=True)
class Run:
    """A user task by itself (`attack` is then empty), or one in which an attack is obeyed."""

    id: str
    task: str
    attack: str
    prompt: str
    calls: tuple[Call, ...]

    def lines(self) -> Iterator[bytes]:
        """The run as `guardrails replay` reads it."""
        yield _line({"session": self.id, "user_said": self.prompt})
        for call in self.calls:
            yield _line(
                {
                    "session": self.id,
                    "tool": call.tool,
                    "arguments": call.arguments,
                    "subject": {"id": "assistant"},
                    "output": call.output,
                }
            )

    def with_calls(self, calls: tuple[Call, ...], **changes: Any) -> Run:
        """The run with other calls."""
        return replace(self, calls=calls, **changes)


def _line(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


def user_tasks(suite: str) -> list[Run]:
    """The user tasks of a suite, with the calls that solve them and nobody attacking."""
    return [
        Run(
            task["id"],
            task["id"],
            "",
            task["prompt"],
            tuple(Call(each["tool"], each["args"], each["output"]) for each in calls),
        )
        for task in _read(suite, "user_tasks")
        for calls in [task["ground_truth_calls"]]
    ]


def attacked_runs(suite: str) -> list[Run]:
    """Each user task of a suite with each attack that has calls, as an obedient agent acts."""
    return [
        Run(
            trace["id"],
            trace["user_task"],
            trace["injection_task"],
            trace["user_prompt"],
            tuple(
                Call(each["tool"], each["args"], each["output"], each["phase"])
                for each in trace["calls"]
            ),
        )
        for trace in _read(suite, "traces")
    ]


def _read(suite: str, kind: str) -> Iterator[dict[str, Any]]:
    plain = DATA / f"{suite}.{kind}.jsonl"
    packed = plain.with_suffix(".jsonl.gz")
    with plain.open("rb") if plain.exists() else gzip.open(packed) as file:
        yield from map(json.loads, file)
