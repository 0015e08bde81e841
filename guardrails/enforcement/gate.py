"""What holds calls up whatever policies say: stops, and a session that can't be told or kept."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from guardrails.engine.policy_set import read_chain, read_session
from guardrails.errors import ActionDenied, LogUnavailable, StateUnavailable
from guardrails.lookup import class_name
from guardrails.session import names_of
from guardrails.state.stops import LOST, Stops

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.action import Action
    from guardrails.decision import Decision
    from guardrails.enforcement.proposal import Call, Proposal
    from guardrails.enforcement.recorder import Log
    from guardrails.engine import PolicySet
    from guardrails.language.document import Tool
    from guardrails.session import Session, SessionState
    from guardrails.state.stops import Halt, Stop, StopStore

NOBODY: frozenset[str] = frozenset()
"""The names by which a stop may mean a call that is in no session."""


class Gate:
    """Where calls are held up. `state` is where stops are kept that other processes make.

    Raises StateUnavailable where that can't be asked to begin with.
    """

    __slots__ = ("_log", "stops")

    def __init__(self, log: Log, state: StopStore | None) -> None:
        self._log = log
        self.stops = Stops(state, self._note)

    def halt(self, session: Session | None) -> Halt | None:
        """Why nothing may run in `session` now, None where it may."""
        return self.stops.halt(NOBODY if session is None else session.names)

    def bar(self, session: Session | None, names: frozenset[str] = NOBODY) -> Halt | None:
        """Why nothing may be decided now but a refusal; the session's past is new then.

        `names` are those by which a stop may mean who acts, besides the session's.
        """
        if session is None:
            return self.stops.halt(names)
        halted = self.stops.halt(session.names | names if names else session.names)
        return LOST if halted is None and not session.state.renew() else halted

    def begin(
        self,
        state: SessionState,
        tool: str,
        declared: Tool | None,
        record: str,
        policies: PolicySet,
    ) -> None:
        """Let the session know that a call begins; raises ActionDenied where others can't know."""
        try:
            state.started(tool, declared)
        except StateUnavailable as error:
            with suppress(LogUnavailable):
                self._log.outcome(record, "cancelled", 0, class_name(type(error)))
            raise ActionDenied(LOST.message, policies.refuse(*LOST), record) from error

    def follow(self, call: Call, policies: PolicySet) -> Callable[[Any], None]:
        """Return what is to be told of each part of a result before the agent has it.

        It raises ActionDenied where who called has been stopped meanwhile.
        """
        stream = None if call.session is None else call.session.follow(call.tool)

        def take(part: Any) -> None:
            halted = self.stops.halt(call.names)
            if halted is not None:
                raise ActionDenied(halted.message, policies.refuse(*halted), call.id)
            if stream is not None:
                stream.receive(part)

        return take

    def suspend(self, proposal: Proposal, decision: Decision) -> None:
        """Stop who acts, or the session of nobody known, where a rule that denied says so.

        A rule of which the condition failed denies, and stops nobody.
        """
        session = proposal.session
        rules = [
            match.rule
            for match in decision.matches
            if match.rule in proposal.plan.suspending and match.error is None and not match.observed
        ]
        if session is not None and rules:
            name = session.id if session.subject is None else session.subject.id
            self.stops.stop(name.strip(), f"suspended by the rule {rules[0]}", rules[0])

    def _note(self, kind: str, stop: Stop) -> None:
        """Record a stop or its end as soon as it is known; it holds even where that can't be."""
        with suppress(LogUnavailable):
            self._log.event(kind, name=stop.name, reason=stop.reason, by=stop.by)


def names_in(action: Action) -> frozenset[str]:
    """By what names a stop may mean whoever `action` itself says acts.

    Raises InvalidActionError where it doesn't say that as an action has to.
    """
    around = None if action.session is None else read_session(action.session)
    return names_of("" if around is None else around.id, read_chain(action.subject, around))
