from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrails.language.cel.checker import check
from guardrails.language.cel.environment import Environment
from guardrails.language.cel.parser import parse
from guardrails.language.cel.types import DYN, STRING, map_of
from guardrails.toolchain.reasons import Fault, Inquiry

CASES = yaml.safe_load((Path(__file__).parent / "reasons.yaml").read_text("utf-8"))
ENVIRONMENT = Environment(
    {"arguments": map_of(STRING, DYN), "subject": map_of(STRING, DYN), "constants": DYN},
    {"domains": ["example.com"], "limit": 5},
)
ARGUMENTS: dict[str, Any] = {
    "amount": 900,
    "flag": False,
    "to": ["x@example.com", "y@evil.com"],
    "parts": {"a": 1},
}


class Scene:
    """A frame with little work to spend and one subject."""

    subject = {"id": "agent-7", "roles": ["ops"]}  # noqa: RUF012 - never changed

    allowance = 100

    def __init__(self) -> None:
        self.steps = self.allowance


def inquire(source: str, **more: Any) -> Inquiry:
    return Inquiry(check(parse(source), ENVIRONMENT), ARGUMENTS | more, Scene)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES, ids=[case["when"] for case in CASES])
def test_what_decided_is_told_with_its_operands(case: dict[str, Any]) -> None:
    inquiry = inquire(case["when"])
    outcome = inquiry.outcome()
    assert case["outcome"] == ("error" if isinstance(outcome, Fault) else str(outcome).lower())
    told = {
        reason.source: {operand.source: operand.value for operand in reason.operands}
        for reason in inquiry.reasons()
    }
    assert told == case["reasons"]


def test_the_error_of_a_part_is_told_once_where_it_arose() -> None:
    (reason,) = inquire("arguments.q == 1").reasons()
    assert (reason.value, reason.error) == (None, "`arguments.q` is missing")
    assert reason.operands == ()


def test_a_reason_knows_its_place_in_the_condition() -> None:
    source = "subject.id == 'agent-7' && arguments.amount < 3"
    (reason,) = inquire(source).reasons()
    assert source[reason.start : reason.end] == reason.source == "arguments.amount < 3"


def test_a_condition_that_was_too_much_work_as_a_whole_is_told_as_a_whole() -> None:
    source = " || ".join(["arguments.to.exists(a, a == 'z')"] * 200)
    (reason,) = inquire(source).reasons()
    assert reason.source == source
    assert str(reason.error).endswith("too much work for one condition")


def test_a_reason_as_json_has_its_operands() -> None:
    (reason,) = inquire("arguments.amount <= 500").reasons()
    assert reason.as_json() == {
        "source": "arguments.amount <= 500",
        "start": 0,
        "end": 23,
        "value": "false",
        "error": None,
        "operands": [{"source": "arguments.amount", "value": "900", "error": None}],
    }


def test_of_a_long_list_the_deciding_element_is_sought_at_the_beginning() -> None:
    source = "arguments.many.all(n, n < 1000)"
    (first, second) = inquire(source, many=[0] * 20 + [1000]).reasons()
    assert (first.source, second.source) == (source, "n < 1000")
    Scene.allowance = 10**6
    try:
        assert [each.source for each in inquire(source, many=[*range(1001)]).reasons()] == [source]
    finally:
        Scene.allowance = 100
