from __future__ import annotations

from io import BytesIO
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guardrails.action_json import MAX_BYTES
from guardrails.decision import Code, Effect
from guardrails.engine import PolicySet
from guardrails.language.document import Bundle
from guardrails.toolchain.judge import exit_code, judge_text, read_lines

BUNDLE = Bundle(documents=(), constants={}, tools={}, context=None, revision="r")


def test_a_guard_that_fails_denies() -> None:
    class Failing(PolicySet):
        def decide(self, action: Any, facts: Any) -> Any:
            raise RuntimeError("out of order")

    action, decision = judge_text(Failing(BUNDLE), b'{"tool": "pay"}')
    assert action is not None
    assert (decision.effect, decision.code) == (Effect.DENY, Code.UNAVAILABLE)
    assert (decision.message, decision.revision) == ("the action could not be judged", "r")


def test_without_policies_everything_is_denied() -> None:
    decision = judge_text(PolicySet(BUNDLE), b'{"tool": "pay"}').decision
    assert (decision.effect, decision.code) == (Effect.DENY, Code.NO_POLICIES)


def test_text_that_is_no_action_is_denied_with_the_reason() -> None:
    action, decision = judge_text(PolicySet(BUNDLE), b"[]")
    assert action is None
    assert decision.code is Code.INVALID_ACTION
    assert decision.message == "an action must be an object, not a list"


def test_every_effect_has_its_exit_code() -> None:
    assert {effect.name: exit_code(effect) for effect in Effect} == {
        "ALLOW": 0,
        "DENY": 1,
        "ESCALATE": 3,
    }


@given(st.binary(max_size=100))
def test_lines_are_those_between_newlines(data: bytes) -> None:
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert list(read_lines(BytesIO(data))) == expected


def test_of_a_line_without_end_only_the_beginning_is_kept() -> None:
    data = b"x" * (MAX_BYTES + 10) + b"\n" + b"y\n" + b"z" * (2 * MAX_BYTES)
    lines = list(read_lines(BytesIO(data)))
    assert [len(line) for line in lines] == [MAX_BYTES + 2, 1, MAX_BYTES + 2]
