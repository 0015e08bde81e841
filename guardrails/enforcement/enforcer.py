"""The point where policy is enforced: decide, write it down, then run or refuse."""

from __future__ import annotations

from threading import Lock
from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING, Any, TypeVar

from guardrails.budgets.ledger import Exceeded
from guardrails.decision import Code, Effect
from guardrails.enforcement.gate import NOBODY, Gate
from guardrails.enforcement.judge import NOTHING, Judge
from guardrails.enforcement.observed import Observed
from guardrails.enforcement.proposal import Call, Proposal, Question, concerns_people, refusal
from guardrails.enforcement.recorder import Recorder
from guardrails.enforcement.till import UNAVAILABLE, Till
from guardrails.errors import BudgetsUnavailable, InvalidActionError, LogUnavailable
from guardrails.forks import after_fork
from guardrails.lookup import class_name
from guardrails.session import current_session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from guardrails.audit.records import DecisionEntry, Outcome
    from guardrails.enforcement.desk import Desk
    from guardrails.enforcement.proposal import Known
    from guardrails.enforcement.providers import Providers
    from guardrails.enforcement.recorder import Log
    from guardrails.engine import PolicySet
    from guardrails.language.document import Tool
    from guardrails.session import Session
    from guardrails.state.stops import Halt, StopStore

    R = TypeVar("R")

_NO_FACTS: Mapping[str, Any] = {}
_ALLOW = Effect.ALLOW


class Enforcer:
    """Lets a call run only where policy does and the log has its record.

    `observed` are patterns of tools that run whatever is decided; only the log can refuse them.
    `setting` is what the record of the first load says besides the policies. Without a `desk`
    nobody is asked: what is escalated does not run, and what needs a review is not allowed.
    `state` is where stops are kept that other processes make; raises StateUnavailable for it.
    """

    __slots__ = ("__weakref__", "_desk", "_lock", "_recorder", "gate", "judge", "till")

    def __init__(
        self,
        policies: PolicySet,
        log: Log,
        providers: Providers,
        observed: Iterable[str] = (),
        setting: Mapping[str, Any] = _NO_FACTS,
        desk: Desk | None = None,
        state: StopStore | None = None,
        till: Till | None = None,
    ) -> None:
        self.till = Till() if till is None else till
        self.gate = Gate(log, state)
        self.judge = Judge(policies, providers, self.gate, self.till, Observed(observed), desk)
        self._desk = desk
        self._recorder = Recorder(log, setting)
        self._make_lock()
        after_fork(self, Enforcer._make_lock)  # a thread of the parent may hold the lock

    def _make_lock(self) -> None:
        self._lock = Lock()

    @property
    def policies(self) -> PolicySet:
        """The policies in force."""
        return self.judge.policies

    def run(
        self,
        tool: str,
        arguments: Any,
        invoke: Callable[[Mapping[str, Any], tuple[Any, ...]], R],
        hidden: tuple[Any, ...] = (),
        optional: frozenset[str] = frozenset(),
        fault: str = "",
    ) -> R:
        """Return `invoke(received, hidden)` if the call of `tool` may run.

        `hidden` are what is handed over unjudged. `optional` are parameters whose None means that
        nothing was given; `fault` says why the arguments can't be judged. Raises ActionDenied,
        ApprovalRequired, or what `invoke` raises.
        """
        call = self.admit(tool, arguments, optional, fault)
        try:
            result = invoke(call.received, hidden)
        except BaseException as error:
            self.settle(call, error)
            raise
        self.settle(call, result=result)
        return result

    async def run_async(
        self,
        tool: str,
        arguments: Any,
        invoke: Callable[[Mapping[str, Any], tuple[Any, ...]], Awaitable[R]],
        hidden: tuple[Any, ...] = (),
        optional: frozenset[str] = frozenset(),
        fault: str = "",
    ) -> R:
        """Return `await invoke(received, hidden)` if the call of `tool` may run; see `run`."""
        call = self._start(tool, arguments, optional, fault)
        if type(call) is not Call:
            call = await self._finish_async(call)
        try:
            result = await invoke(call.received, hidden)
        except BaseException as error:
            self.settle(call, error)
            raise
        self.settle(call, result=result)
        return result

    def admit(
        self, tool: str, arguments: Any, optional: frozenset[str] = frozenset(), fault: str = ""
    ) -> Call:
        """Return the call, decided and recorded; raises ActionDenied or ApprovalRequired."""
        call = self._start(tool, arguments, optional, fault)
        return call if type(call) is Call else self._finish(call)

    async def admit_async(
        self, tool: str, arguments: Any, optional: frozenset[str] = frozenset(), fault: str = ""
    ) -> Call:
        """Return the call, as `admit` does, without holding up the event loop."""
        call = self._start(tool, arguments, optional, fault)
        return call if type(call) is Call else await self._finish_async(call)

    def _start(
        self, tool: str, arguments: Any, optional: frozenset[str], fault: str
    ) -> Call | Proposal | Question:
        """The call, as most are, or what has to be looked up or asked before it is decided."""
        try:
            proposal = self.judge.read(tool, arguments, optional, fault)
        except InvalidActionError as error:
            return self._refuse_unread(tool, arguments, error)
        if (proposal.wanted or proposal.plan.attended) and not self.judge.is_quick(proposal):
            return proposal
        return self._decide(proposal, NOTHING)

    def _finish(self, begun: Call | Proposal | Question) -> Call:
        if isinstance(begun, Proposal):
            begun = self._decide(begun, self.judge.look_up(begun))
        return begun if isinstance(begun, Call) else self._consult(begun)

    async def _finish_async(self, begun: Call | Proposal | Question) -> Call:
        if isinstance(begun, Proposal):
            begun = await self._decide_async(begun)
        return begun if isinstance(begun, Call) else await self._consult_async(begun)

    def settle(
        self,
        call: Call,
        error: BaseException | None = None,
        result: Any = None,
        *,
        begun: bool = False,
    ) -> None:
        """Record how the call ended: with `result`, or with `error`.

        `begun` says that a part of a stream has been given, and so paid for, whatever came later.
        A log that can't take it is not the call's fault: the log refuses whatever comes next.
        """
        if call.reservation is not None:
            self.till.settle(call.reservation, None if begun else error)
        if call.session is not None:
            call.session.ended(call.name, call.tool, error, result)
        outcome: Outcome
        if error is None:
            outcome = "returned"
        elif isinstance(error, Exception):
            outcome = "raised"
        else:
            outcome = "abandoned" if isinstance(error, GeneratorExit) else "cancelled"
        kind = None if error is None else class_name(type(error))
        try:
            self._recorder.log.outcome(call.id, outcome, perf_counter_ns() - call.began_ns, kind)
        except LogUnavailable:
            return

    def judge_again(self, proposal: Proposal) -> Call | Question:
        """Decide over a call under the policies and the facts of this moment."""
        proposal = self.judge.read_again(proposal)
        return self._decide(proposal, self.judge.look_up(proposal))

    async def judge_again_async(self, proposal: Proposal) -> Call | Question:
        """Decide as `judge_again` does, without holding up the event loop."""
        return await self._decide_async(self.judge.read_again(proposal))

    async def _decide_async(self, proposal: Proposal) -> Call | Question:
        known = await self.judge.look_up_async(proposal)
        if not self.judge.blocks(proposal.plan):
            return self._decide(proposal, known)
        from guardrails.enforcement.threads import in_thread  # noqa: PLC0415 - slow to import

        return await in_thread(self.settle, lambda: self._decide(proposal, known))

    def _decide(self, proposal: Proposal, known: Known) -> Call | Question:
        """The call under what is known, paid for and recorded; or what people are asked."""
        proposal, entry = self.judge.judge(proposal, known)
        if self._desk is not None:
            session = proposal.session
            if session is not None:
                session.state.earlier.append((time_ns(), entry))
            asked = concerns_people(entry, proposal.plan) or self._desk.samples(entry.decision)
            if asked and entry.enforced:
                return Question(proposal, entry, entry.decision.effect is _ALLOW)
        if proposal.charges and _runs(entry):
            return self._pay(proposal, entry)
        return self._record(proposal, entry)

    def conclude(self, proposal: Proposal, entry: DecisionEntry) -> Call:
        """Record what people were asked about, and return the call if it runs; else raises."""
        if not (proposal.charges and _runs(entry)):
            return self._record(proposal, entry)
        paid = self._pay(proposal, entry)
        while not isinstance(paid, Call):
            # Meanwhile others have used up a budget: what people said was not about that.
            if not paid.reviewed:
                return self._record(paid.proposal, paid.entry)
            paid = self._pay(paid.proposal, paid.entry._replace(request=entry.request))
        return paid

    def _pay(self, proposal: Proposal, entry: DecisionEntry) -> Call | Question:
        """The call that is to run once its budgets bear it; otherwise it is decided again."""
        try:
            taken = self.till.take(proposal, entry)
        except BudgetsUnavailable:
            decision = proposal.policies.refuse(Code.UNAVAILABLE, UNAVAILABLE)
            return self._record(proposal, entry._replace(decision=decision, approvers=()))
        if isinstance(taken, Exceeded):
            assert proposal.known is not None
            used_up = proposal.used_up | taken.accounts
            return self._decide(proposal._replace(used_up=used_up), proposal.known)
        if taken is None:
            return self._record(proposal, entry)
        try:
            return self._record(proposal, entry)._replace(reservation=taken)
        except BaseException:
            self.till.undo(taken)
            raise

    def _record(self, proposal: Proposal, entry: DecisionEntry) -> Call:
        """Record a decision and return the call if it runs; else raises what it is."""
        record = self._recorder.write(entry, self.judge.policies)
        session, declared = proposal.session, proposal.plan.declared
        if not _runs(entry):
            if session is not None:
                session.state.refused(entry.tool, declared, entry.decision)
            if proposal.plan.suspending:
                self.gate.suspend(proposal, entry.decision)
            raise refusal(entry, record)
        return self._begin(entry.tool, declared, record, proposal.snapshot.received, session)

    def _begin(
        self, tool: str, declared: Tool | None, record: str, received: Any, session: Session | None
    ) -> Call:
        """The call, of which its session knows now."""
        if session is None:
            return Call(record, received, perf_counter_ns(), None, declared, tool, NOBODY)
        state = session.state
        self.gate.begin(state, tool, declared, record, self.judge.policies)
        return Call(record, received, perf_counter_ns(), state, declared, tool, session.names)

    def halt(self, session: Session | None) -> Halt | None:
        """Why nothing may run in `session` now, None where it may."""
        return self.gate.halt(session)

    def follow(self, call: Call) -> Callable[[Any], None]:
        """Return what is to be told of each part of a result before the agent has it.

        It raises ActionDenied where who called has been stopped meanwhile.
        """
        return self.gate.follow(call, self.judge.policies)

    def _consult(self, question: Question) -> Call:
        from guardrails.enforcement.consultation import consult  # noqa: PLC0415 - only where people are asked

        assert self._desk is not None
        return consult(self, self._desk, question)

    async def _consult_async(self, question: Question) -> Call:
        from guardrails.enforcement.consultation import consult_async  # noqa: PLC0415 - likewise

        assert self._desk is not None
        return await consult_async(self, self._desk, question)

    def _refuse_unread(self, tool: object, given: Any, error: InvalidActionError) -> Call:
        """Record a call that can't be judged, and refuse it unless its tool is only observed."""
        entry = self.judge.refuse_unread(tool, str(error))
        record = self.write(entry)
        session = current_session()
        declared = self.judge.policies.bundle.tools.get(entry.tool)
        if entry.enforced:
            if session is not None:
                session.state.refused(entry.tool, declared, entry.decision)
            raise refusal(entry, record)
        return self._begin(entry.tool, declared, record, given, session)

    def write(self, entry: DecisionEntry) -> str:
        """Record a decision and return its id; raises ActionDenied where that can't be."""
        return self._recorder.write(entry, self.judge.policies)

    def replace(self, policies: PolicySet, **facts: Any) -> None:
        """Record a load with `facts` about it, then put `policies` in force for calls to come.

        A call that has begun keeps the set it began with. Raises LogUnavailable, and changes
        nothing, where the record can't be written.
        """
        with self._lock:
            self._recorder.load(policies, facts)
            self.judge.policies = policies

    def note(self, kind: str, **facts: Any) -> None:
        """Record an event that is no decision; raises LogUnavailable."""
        self._recorder.log.event(kind, **facts)


def _runs(entry: DecisionEntry) -> bool:
    """Whether a call runs: policy or people let it, or its tool is only observed."""
    return entry.decision.effect is _ALLOW or not entry.enforced or bool(entry.approvers)
