"""Plays scenes: each call goes through the guard, and what became of it is taken from the log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from guardrails import ActionDenied, ApprovalRequired, GuardrailsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from demo.script import Call, Scene
    from guardrails import Guard


class Outcome(StrEnum):
    """What became of a call."""

    RAN = "ran"
    FAILED = "failed"
    REFUSED = "refused"
    ASKS = "asks"


@dataclass(frozen=True, slots=True)
class Turn:
    """One call and what became of it; `record` is the decision's record in the log.

    `answer` is what the agent gets: the tool's result, or the words of the refusal.
    """

    scene: Scene
    call: Call
    outcome: Outcome
    answer: str
    record: Mapping[str, Any]

    @property
    def happened(self) -> bool:
        """Whether the tool's own code was reached."""
        return self.outcome in (Outcome.RAN, Outcome.FAILED)


def play(
    scene: Scene, guard: Guard, tools: Mapping[str, Callable[..., Any]], log: Path
) -> Iterator[Turn]:
    """The turns of a scene, each made when it is asked for.

    As in a loop round a model: the tool is looked up by name and called with the model's
    arguments, and a refusal goes back as text. A name that is no tool's is judged all the same,
    so that the attempt is on record.
    """
    for call in scene.calls:
        outcome, answer = _attempt(call, guard, tools)
        yield Turn(scene, call, outcome, answer, last_decision(log))


def _attempt(
    call: Call, guard: Guard, tools: Mapping[str, Callable[..., Any]]
) -> tuple[Outcome, str]:
    try:
        if call.tool in tools:
            result = tools[call.tool](**call.arguments)
        else:
            result = guard.run(call.tool, dict(call.arguments), _missing)
    except ActionDenied as refusal:
        return Outcome.REFUSED, str(refusal)
    except ApprovalRequired as question:
        return Outcome.ASKS, str(question)
    except GuardrailsError as error:
        return Outcome.REFUSED, str(error)
    except Exception as error:  # noqa: BLE001 - a tool's own error is the agent's to read
        return Outcome.FAILED, f"{type(error).__name__}: {error}"
    return Outcome.RAN, str(result)


def _missing(**_: Any) -> str:
    return "there is no such tool, and it was allowed all the same"


def records(log: Path) -> list[dict[str, Any]]:
    """Every record of the decision log, in order."""
    return [
        json.loads(line)
        for file in sorted(log.glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


def last_decision(log: Path) -> dict[str, Any]:
    """The newest decision in the log."""
    return next(record for record in reversed(records(log)) if record["kind"] == "decision")
