"""Recorded traces judged: what policies would have said of each call, in the order of the record.

A line is one event: `{"session": "..", "user_said": ".."}`, or a call with `session`, `tool`,
`arguments`, `subject`, `context` and the `output` that was recorded. Nothing is executed.
"""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.action import SessionView
from guardrails.action_json import parse_json, read_action
from guardrails.decision import Code, Effect
from guardrails.engine import Facts
from guardrails.errors import InvalidActionError
from guardrails.session import SessionState
from guardrails.toolchain.purse import Purse

if TYPE_CHECKING:
    from guardrails.action import Action
    from guardrails.decision import Decision
    from guardrails.engine import PolicySet

_UNTOLD = object()


class Event(NamedTuple):
    """One line of a trace: what the person `said` (None where it is a call), or a call."""

    session: str
    said: str | None
    action: Action | None
    output: Any


class Replayed(NamedTuple):
    """A decision, the call it is on (None where the line holds none), and whether it went on."""

    action: Action | None
    decision: Decision
    ran: bool


class Replay:
    """Judges the events of a trace one after another, each in the session that it names.

    What was recorded as a call's output enters its session only where the call may run: where it
    is allowed, or escalated and `as_approved`. `now_ns` is the time of all of them, by default
    that at which each is judged.
    """

    def __init__(
        self, policies: PolicySet, *, as_approved: bool = False, now_ns: int | None = None
    ) -> None:
        self._policies = policies
        self._as_approved = as_approved
        self._now_ns = now_ns
        self._sessions: dict[str, SessionState] = {}
        self._purse = Purse()

    def judge_line(self, text: bytes) -> Replayed | None:
        """The decision on a line of JSON, or None where it tells what the person said.

        Nothing is raised: what is no event is denied as `invalid_action`.
        """
        try:
            return self.judge(read_event(parse_json(text)))
        except InvalidActionError as error:
            return Replayed(None, self._policies.refuse(Code.INVALID_ACTION, str(error)), ran=False)

    def judge(self, event: Event) -> Replayed | None:
        """The decision on a call, or None where the event tells what the person said."""
        state = self._sessions.get(event.session)
        if state is None:
            state = self._sessions[event.session] = SessionState(event.session, None)
        if event.action is None:
            state.said(event.said or "")
            return None
        return self._judge_call(event.action, event.output, state)

    def _judge_call(self, action: Action, output: Any, state: SessionState) -> Replayed:
        policies = self._policies
        now = time_ns() if self._now_ns is None else self._now_ns
        view = SessionView(state.id, state.labels, _chain(action), state, state.targets)
        facts = Facts(now, None, view, spending=self._purse.spending)
        try:
            decision = policies.decide(action, facts)
        except Exception:  # noqa: BLE001 - a decision that fails is a denial, and the rest goes on
            decision = policies.refuse(Code.UNAVAILABLE, "the action could not be judged")
        declared = policies.bundle.tools.get(action.tool)
        ran = decision.effect is Effect.ALLOW or (
            self._as_approved and decision.effect is Effect.ESCALATE
        )
        if ran:
            self._purse.pay(policies, action, facts, decision)
            state.started(action.tool, declared, now)
            state.ended(action.tool, declared, None, output, now)
        else:
            state.refused(action.tool, declared, decision, now)
        return Replayed(action, decision, ran)


def read_event(value: Any) -> Event:
    """The event that the value of a line is; raises InvalidActionError for what is none."""
    if type(value) is not dict:
        raise InvalidActionError("an event is an object")
    rest = dict(value)
    session = rest.pop("session", _UNTOLD)
    if type(session) is not str or not session:
        raise InvalidActionError("`session` of an event is the session's id, a string")
    if "user_said" in rest:
        said = rest.pop("user_said")
        if type(said) is not str:
            raise InvalidActionError("`user_said` must be a string")
        if rest:
            raise InvalidActionError("what the user said and a call are two events, on two lines")
        return Event(session, said, None, None)
    output = rest.pop("output", None)
    return Event(session, None, read_action(rest), output)


def _chain(action: Action) -> tuple[Any, ...]:
    return () if action.subject is None else (action.subject,)
