"""Suites run: each action decided by the engine itself, and held against what was expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from guardrails.action import Action, SessionView
from guardrails.decision import Code, Effect
from guardrails.engine import Facts
from guardrails.session import SessionState
from guardrails.toolchain.explain import explain
from guardrails.toolchain.notation import notate
from guardrails.toolchain.purse import Purse
from guardrails.toolchain.suites.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from guardrails.decision import Decision
    from guardrails.engine import PolicySet
    from guardrails.language.document import Tool
    from guardrails.toolchain.explanation import Explanation
    from guardrails.toolchain.suites.suite import Case, Expected, Step

EXPLAINED = 100
"""Failing cases that are explained: it takes milliseconds each, and nobody reads more."""

_UNSAID = (Code.INVALID_ACTION, Code.INVALID_ARGUMENTS, Code.UNDECLARED)
"""Codes of denials that a slip in the test makes as easily as a policy."""


class Mismatch(NamedTuple):
    """A part of a decision that is not as expected, both told as text."""

    part: str
    expected: str
    got: str


class _Session(NamedTuple):
    """A session as it began, and what it remembers."""

    opening: SessionView
    state: SessionState


class Played(NamedTuple):
    """A step with the action as it was judged, the decision, and whether that suspends."""

    step: Step
    action: Action
    facts: Facts
    decision: Decision
    suspends: bool


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of a step; `explanation` only where it failed, and not of too many."""

    step: Step
    decision: Decision
    mismatches: tuple[Mismatch, ...]
    explanation: Explanation | None = None

    @property
    def remark(self) -> str:
        """What its author should know of a step that passed; "" if there is nothing."""
        expected, decision = self.step.expected, self.decision
        said = expected.code is not None or expected.rules is not None
        if self.mismatches or said or decision.code not in _UNSAID:
            return ""
        why = f" ({decision.message})" if decision.message else ""
        return f"denied as `{decision.code}`{why}; say `code: {decision.code}` if that is meant"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of a case: the steps up to the first that failed."""

    case: Case
    steps: tuple[StepResult, ...]

    @property
    def failure(self) -> StepResult | None:
        """The step that failed, None where the case passed."""
        return self.steps[-1] if self.steps[-1].mismatches else None


def run_cases(
    policies: PolicySet,
    cases: Sequence[Case],
    now_ns: int,
    watched: PolicySet | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> tuple[CaseResult, ...]:
    """What became of each case; `now_ns` is the time where a case fixes none.

    `watched` are the same policies made to count what is reached; `progress` is told how many
    cases have been run, of how many.
    """
    results = []
    explained = 0
    plain, watching = Parts(policies), Parts(watched or policies)
    for case in cases:
        explaining = plain.of(case.policies) if explained < EXPLAINED else None
        result = _run_case(watching.of(case.policies), case, now_ns, explaining)
        explained += result.failure is not None
        results.append(result)
        progress(len(results), len(cases))
    return tuple(results)


def passes(policies: PolicySet, case: Case, now_ns: int) -> bool:
    """Whether every decision of `case` is as expected."""
    return not any(
        find_mismatches(played.step.expected, played.decision, suspends=played.suspends)
        for played in play(policies, case, now_ns)
    )


def play(policies: PolicySet, case: Case, now_ns: int) -> Iterator[Played]:
    """The steps of a case in order, each decided when it is asked for.

    A session that steps share remembers what it remembers under a guard; that of a single action
    has no past but what its fixture says. What is spent is spent for every session.
    """
    shared = None
    sessions: dict[str, _Session] = {}
    if case.opening is not None:
        shared = _Session(case.opening, _begin(case.opening, case.said))
        sessions[shared.opening.id] = shared
    purse = Purse()
    for step in case.steps:
        now = now_ns if step.now_ns is None else step.now_ns
        facts = Facts(now, spending=purse.spending)
        action = step.action
        session = _enter(step, sessions) or shared
        if session is not None:
            opening, state = session
            _tell(state, step.said)
            view = SessionView(state.id, state.labels, opening.chain, state, state.targets)
            action = _within(action, view)
        elif action.session is not None or step.said:
            alone = action.session or SessionView("session")
            action = _within(action, alone._replace(past=_begin(alone, step.said)))
        decision = policies.decide(action, facts)
        yield Played(step, action, facts, decision, suspends(policies, action.tool, decision))
        if _runs(step, decision):
            purse.pay(policies, action, facts, decision, fails=step.fails)
        if session is not None:
            _go_on(
                session.state, step, policies.bundle.tools.get(action.tool), decision, facts.now_ns
            )


def _enter(step: Step, sessions: dict[str, _Session]) -> _Session | None:
    """The session of its own that a step is in, begun by the first such step; None without one."""
    opening = step.elsewhere
    if opening is None:
        return None
    return sessions.setdefault(opening.id, _Session(opening, _begin(opening, ())))


def _begin(opening: SessionView, said: tuple[str, ...]) -> SessionState:
    """A session in which nothing has happened yet but what the person said."""
    state = SessionState(opening.id, None)
    state.add_labels(opening.labels)
    if opening.targets is not None:
        state.narrow(opening.targets)
    _tell(state, said)
    return state


def _tell(state: SessionState, said: tuple[str, ...]) -> None:
    for text in said:
        state.said(text)


def _go_on(
    state: SessionState, step: Step, declared: Tool | None, decision: Decision, now_ns: int
) -> None:
    """Let the session know what became of the step, as a guard would."""
    tool = step.action.tool
    if not _runs(step, decision):
        state.refused(tool, declared, decision, now_ns)
        return
    state.started(tool, declared, now_ns)
    state.ended(tool, declared, Exception() if step.fails else None, step.output, now_ns)


def _runs(step: Step, decision: Decision) -> bool:
    approved = step.approved and decision.effect is Effect.ESCALATE
    return decision.effect is Effect.ALLOW or approved


def _within(action: Action, session: SessionView) -> Action:
    """`action` in a session: by whom it is, or by somebody it is delegated to."""
    subject, chain = action.subject, session.chain
    if subject is not None and chain and chain[-1].id == subject.id:
        session = session._replace(chain=(*chain[:-1], subject))
    return Action(action.tool, action.arguments, subject, action.context, session)


def suspends(policies: PolicySet, tool: str, decision: Decision) -> bool:
    """Whether a guard stops who acts; a rule of which the condition failed stops nobody."""
    return any(
        match.rule in policies.plan(tool).suspending and match.error is None and not match.observed
        for match in decision.matches
    )


def find_mismatches(expected: Expected, decision: Decision, *, suspends: bool) -> list[Mismatch]:
    """What of `decision` is not as expected, or of whether it suspends who acts."""
    found = []
    if decision.effect is not expected.effect:
        found.append(Mismatch("effect", str(expected.effect), str(decision.effect)))
    if expected.rules is not None:
        matched = tuple(match.rule for match in decision.matches)
        if matched != expected.rules:
            found.append(Mismatch("rules", _list(expected.rules), _list(matched)))
    if expected.code is not None and decision.code is not expected.code:
        found.append(Mismatch("code", expected.code, decision.code))
    if expected.message is not None and decision.message != expected.message:
        found.append(Mismatch("message", expected.message or "none", decision.message or "none"))
    if expected.would is not None and decision.would is not expected.would:
        found.append(Mismatch("would", str(expected.would), str(decision.would)))
    if expected.errors is not None:
        failed = sorted(
            match.rule for match in (*decision.matches, *decision.errors) if match.error
        )
        if tuple(failed) != expected.errors:
            found.append(Mismatch("errors", _list(expected.errors), _list(failed)))
    if expected.suspends is not None and suspends is not expected.suspends:
        found.append(Mismatch("suspends", notate(expected.suspends), notate(suspends)))
    return found


def _run_case(
    policies: PolicySet, case: Case, now_ns: int, explaining: PolicySet | None
) -> CaseResult:
    steps = []
    for played in play(policies, case, now_ns):
        expected, decision = played.step.expected, played.decision
        mismatches = tuple(find_mismatches(expected, decision, suspends=played.suspends))
        explanation = None
        if mismatches and explaining is not None:
            explanation = explain(explaining, played.action, played.facts)
        steps.append(StepResult(played.step, played.decision, mismatches, explanation))
        if mismatches:
            break
    return CaseResult(case, tuple(steps))


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
