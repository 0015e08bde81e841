"""Actions given as text, judged one by one: every text gets a decision, whatever it holds."""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from guardrails.action_json import MAX_BYTES, parse_action
from guardrails.decision import Code, Effect
from guardrails.engine import Facts
from guardrails.errors import InvalidActionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.action import Action
    from guardrails.decision import Decision
    from guardrails.engine import PolicySet

_CHUNK = 1 << 16  # bytes skipped at a time of a line that is too long


class Judged(NamedTuple):
    """A decision, and the action it is on (None where the text holds none)."""

    action: Action | None
    decision: Decision


def judge_text(policies: PolicySet, text: bytes, now_ns: int | None = None) -> Judged:
    """The decision on the action that `text` holds as JSON; nothing is raised.

    `now_ns` is the time to judge at, in nanoseconds since 1970, by default this moment. Text that
    is no action is denied as `invalid_action`, with the reason as message.
    """
    try:
        action = parse_action(text)
    except InvalidActionError as error:
        return Judged(None, policies.refuse(Code.INVALID_ACTION, str(error)))
    try:
        facts = Facts(time_ns() if now_ns is None else now_ns)
        return Judged(action, policies.decide(action, facts))
    except Exception:  # noqa: BLE001 - a decision that fails is a denial, and the batch goes on
        return Judged(action, policies.refuse(Code.UNAVAILABLE, "the action could not be judged"))


def read_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of `stream`, as soon as each has come; of an endless one only the beginning.

    What is cut off is longer than any action may be, so the beginning alone is refused.
    """
    while line := stream.readline(MAX_BYTES + 2):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(_CHUNK)
        yield line.removesuffix(b"\n")


def exit_code(effect: Effect) -> int:
    """The exit code that stands for `effect` (design, section 6)."""
    return {Effect.ALLOW: 0, Effect.DENY: 1, Effect.ESCALATE: 3}[effect]
