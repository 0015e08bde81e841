"""The point where policy is enforced: decide, write it down, then run or refuse."""

from __future__ import annotations

from threading import Lock
from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from guardrails.action import MAX_NAME, is_tool_name
from guardrails.audit.records import DecisionEntry
from guardrails.budgets.ledger import Exceeded
from guardrails.decision import Code, Effect
from guardrails.enforcement.gate import NOBODY, Gate
from guardrails.enforcement.proposal import Call, Proposal, Question, concerns_people, refusal
from guardrails.enforcement.till import UNAVAILABLE, Till, binding
from guardrails.engine.facts import Circumstances
from guardrails.errors import (
    ActionDenied,
    BudgetsUnavailable,
    ConfigurationError,
    InvalidActionError,
    LogUnavailable,
)
from guardrails.forks import after_fork
from guardrails.language.pattern import Pattern
from guardrails.lookup import class_name
from guardrails.session import current_session
from guardrails.snapshot import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from guardrails.audit.records import Outcome
    from guardrails.enforcement.desk import Desk
    from guardrails.enforcement.proposal import Known
    from guardrails.enforcement.providers import Providers
    from guardrails.engine import PolicySet
    from guardrails.engine.plan import Plan
    from guardrails.session import Session
    from guardrails.state.stops import Halt, StopStore

    R = TypeVar("R")

_NO_FACTS: Mapping[str, Any] = {}
_NOTHING: tuple[Mapping[str, Any], frozenset[str]] = (_NO_FACTS, frozenset())
_ALLOW = Effect.ALLOW


class Log(Protocol):
    """Whatever takes the records: the decision log, or a fake in tests."""

    def decision(self, entry: DecisionEntry) -> str:
        """Write a decision and return its id; raises LogUnavailable."""

    def outcome(
        self, decision_id: str, outcome: Outcome, duration_ns: int, error: str | None = None
    ) -> None:
        """Write how a call ended; raises LogUnavailable."""

    def event(self, kind: str, **fields: Any) -> str:
        """Write an event and return its id; raises LogUnavailable."""


class Enforcer:
    """Lets a call run only where policy does and the log has its record.

    `observed` are patterns of tools that run whatever is decided; only the log can refuse them.
    `setting` is what the record of the first load says besides the policies. Without a `desk`
    nobody is asked: what is escalated does not run, and what needs a review is not allowed.
    `state` is where stops are kept that other processes make; raises StateUnavailable for it.
    """

    __slots__ = (
        "__weakref__",
        "_announced",
        "_desk",
        "_lock",
        "_log",
        "_observed",
        "_setting",
        "gate",
        "policies",
        "providers",
        "till",
    )

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
        self.policies = policies
        self.till = Till() if till is None else till
        self._desk = desk
        self._setting = setting
        self._log = log
        self.gate = Gate(log, state)
        self.providers = providers
        self._observed = _read_patterns(observed)
        self._begin()
        after_fork(self, Enforcer._begin)  # a thread of the parent may hold the lock

    def _begin(self) -> None:
        """Take a lock of its own; the log, which has a chain of its own, is told of no load yet."""
        self._announced = False
        self._lock = Lock()

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
            proposal = self._read(tool, arguments, optional, fault)
        except InvalidActionError as error:
            return self._refuse_unread(tool, arguments, error)
        plan = proposal.plan
        if (
            proposal.wanted
            or plan.reviewed
            or plan.asks
            or (plan.budgeted and self.till.ledger.waits)
        ):
            return proposal
        return self._decide(proposal, _NOTHING)

    def _finish(self, begun: Call | Proposal | Question) -> Call:
        if isinstance(begun, Proposal):
            begun = self._decide(begun, self._look_up(begun))
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
            self._log.outcome(call.id, outcome, perf_counter_ns() - call.began_ns, kind)
        except LogUnavailable:
            return

    def _read(self, tool: str, arguments: Any, optional: frozenset[str], fault: str) -> Proposal:
        if fault:
            raise InvalidActionError(fault)
        policies = self.policies
        plan = policies.plan(tool)
        if optional and plan.declared is not None:
            arguments = _without_nulls(plan, arguments, optional)
        snapshot = take_snapshot(arguments)
        session = current_session()
        context = _NO_FACTS if session is None else session.context
        wanted = self.providers.wanted(plan.context_keys, context)
        return Proposal(policies, plan, snapshot, session, context, wanted)

    def judge_again(self, proposal: Proposal) -> Call | Question:
        """Decide over a call under the policies and the facts of this moment."""
        proposal = self._renew(proposal)
        return self._decide(proposal, self._look_up(proposal))

    async def judge_again_async(self, proposal: Proposal) -> Call | Question:
        """Decide as `judge_again` does, without holding up the event loop."""
        return await self._decide_async(self._renew(proposal))

    async def _decide_async(self, proposal: Proposal) -> Call | Question:
        known = await self._look_up_async(proposal)
        plan = proposal.plan
        if not plan.asks and not (plan.budgeted and self.till.ledger.waits):
            return self._decide(proposal, known)
        from guardrails.enforcement.threads import in_thread  # noqa: PLC0415 - slow to import

        return await in_thread(self.settle, lambda: self._decide(proposal, known))

    def _look_up(self, proposal: Proposal) -> Known:
        return self.providers.gather(proposal.wanted, proposal.action), self.overdue(proposal.plan)

    async def _look_up_async(self, proposal: Proposal) -> Known:
        from asyncio import to_thread  # noqa: PLC0415 - slow to import, and rarely needed

        found = await self.providers.gather_async(proposal.wanted, proposal.action)
        return found, await to_thread(self.overdue, proposal.plan)

    def _renew(self, proposal: Proposal) -> Proposal:
        plan = self.policies.plan(proposal.plan.tool)
        wanted = self.providers.wanted(plan.context_keys, proposal.context)
        return Proposal(
            self.policies, plan, proposal.snapshot, proposal.session, proposal.context, wanted
        )

    def overdue(self, plan: Plan) -> frozenset[str]:
        """The rules of a tool of which a review is overdue; all where none can be opened."""
        rules = plan.reviewed
        if self._desk is None or not rules:
            return frozenset(rules)
        return self._desk.overdue(rules)

    def _decide(self, proposal: Proposal, known: Known) -> Call | Question:
        """The call under the facts of its session and those that had to be looked up."""
        policies, plan, snapshot, session, context = proposal[:5]
        found, overdue = known
        facts = policies.admit({**context, **found}) if plan.context_keys else _NO_FACTS
        halted = self.gate.bar(session)
        view = None if session is None else session.view
        chain = () if view is None else view.chain
        now_ns = time_ns()
        look = self.till.look(proposal.used_up) if plan.budgeted else None
        circumstances = Circumstances(chain, facts, view, now_ns, overdue, look)
        if look is not None:
            charges = policies.charges(plan, snapshot, circumstances)
            proposal = proposal._replace(known=known, charges=charges, now_ns=now_ns)
        if halted is None:
            decision = policies.judge(plan, snapshot, circumstances)
            if look is not None and look.failed and binding(proposal.charges):
                decision = policies.refuse(Code.UNAVAILABLE, UNAVAILABLE)
        else:
            decision = policies.refuse(*halted)
        declared = plan.declared
        entry = DecisionEntry(
            plan.tool,
            snapshot.values,
            decision,
            () if session is None else session.subjects_json,
            None if view is None else view.id,
            () if view is None else tuple(view.labels),
            _read_facts(plan, facts),
            () if declared is None else declared.mask,
            halted is not None or not (self._observed and self._observes(plan.tool)),
        )
        if self._desk is not None:
            if session is not None:
                session.state.earlier.append((now_ns, entry))
            asked = concerns_people(entry, plan) or self._desk.samples(decision)
            if asked and entry.enforced:
                return Question(proposal, entry, decision.effect is _ALLOW)
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
        try:  # as in `write`, for a call less on the way of every call
            if not self._announced:
                self._announce()
            record = self._log.decision(entry)
        except LogUnavailable as error:
            raise self._unrecorded() from error
        session, declared = proposal.session, proposal.plan.declared
        state = None if session is None else session.state
        if not _runs(entry):
            if state is not None:
                state.refused(entry.tool, declared, entry.decision)
            if proposal.plan.suspending:
                self.gate.suspend(proposal, entry.decision)
            raise refusal(entry, record)
        if state is not None:
            self.gate.begin(state, entry.tool, declared, record, self.policies)
        received = proposal.snapshot.received
        names = NOBODY if session is None else session.names
        return Call(record, received, perf_counter_ns(), state, declared, entry.tool, names)

    def halt(self, session: Session | None) -> Halt | None:
        """Why nothing may run in `session` now, None where it may."""
        return self.gate.halt(session)

    def follow(self, call: Call) -> Callable[[Any], None]:
        """Return what is to be told of each part of a result before the agent has it.

        It raises ActionDenied where who called has been stopped meanwhile.
        """
        return self.gate.follow(call, self.policies)

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
        name = _printable(tool)
        session = current_session()
        entry = DecisionEntry(
            tool=name,
            arguments={},
            decision=self.policies.refuse(Code.INVALID_ACTION, str(error)),
            subjects=() if session is None else session.subjects_json,
            session_id=None if session is None else session.id,
            enforced=type(tool) is not str
            or not self._observes(tool)
            or self.halt(session) is not None,
        )
        record = self.write(entry)
        state = None if session is None else session.state
        declared = self.policies.bundle.tools.get(name)
        if entry.enforced:
            if state is not None:
                state.refused(name, declared, entry.decision)
            raise refusal(entry, record)
        if state is not None:
            self.gate.begin(state, name, declared, record, self.policies)
        names = NOBODY if session is None else session.names
        return Call(record, given, perf_counter_ns(), state, declared, name, names)

    def write(self, entry: DecisionEntry) -> str:
        """Record a decision and return its id; raises ActionDenied where that can't be."""
        try:
            if not self._announced:
                self._announce()
            return self._log.decision(entry)
        except LogUnavailable as error:
            raise self._unrecorded() from error

    def _unrecorded(self) -> ActionDenied:
        message = "This action was refused: the decision over it could not be recorded."
        return ActionDenied(message, self.policies.refuse(Code.UNAVAILABLE, message), "")

    def replace(self, policies: PolicySet, **facts: Any) -> None:
        """Record a load with `facts` about it, then put `policies` in force for calls to come.

        A call that has begun keeps the set it began with. Raises LogUnavailable, and changes
        nothing, where the record can't be written.
        """
        with self._lock:
            self._record_load(policies, facts)
            self.policies = policies

    def note(self, kind: str, **facts: Any) -> None:
        """Record an event that is no decision; raises LogUnavailable."""
        self._log.event(kind, **facts)

    def _announce(self) -> None:
        """Record, before the first decision, which policies are in force."""
        with self._lock:
            if not self._announced:
                self._record_load(self.policies, self._setting)

    def _record_load(self, policies: PolicySet, facts: Mapping[str, Any]) -> None:
        documents = [document.path for document in policies.bundle.documents]
        self._log.event("load", revision=policies.revision, documents=documents, **facts)
        self._announced = True

    def _observes(self, tool: str) -> bool:
        return any(pattern.matches(tool) for pattern in self._observed)


def _runs(entry: DecisionEntry) -> bool:
    """Whether a call runs: policy or people let it, or its tool is only observed."""
    return entry.decision.effect is _ALLOW or not entry.enforced or bool(entry.approvers)


def _without_nulls(plan: Plan, arguments: Any, optional: frozenset[str]) -> Any:
    """The arguments less those left at None where the tool's schema refuses null."""
    declared = plan.declared
    schema = None if declared is None else declared.arguments
    if schema is None or type(arguments) is not dict:
        return arguments
    return {
        name: value
        for name, value in arguments.items()
        if value is not None or name not in optional or not schema.refuses_null(name)
    }


def _read_facts(plan: Plan, facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The facts that the rules read, for the log."""
    keys = plan.context_keys
    if not keys:
        return None
    return facts if "*" in keys else {key: facts[key] for key in keys if key in facts}


def _read_patterns(given: Iterable[str]) -> tuple[Pattern, ...]:
    """Return the patterns of `observe`; raises ConfigurationError for what are none.

    A text is refused above all: its characters would be patterns, and one may be `*`.
    """
    patterns = () if isinstance(given, str) else tuple(given)
    if isinstance(given, str) or not all(map(_is_pattern, patterns)):
        raise ConfigurationError('`observe` is a list of tools and patterns, such as ["legacy.*"]')
    return tuple(map(Pattern, patterns))


def _is_pattern(given: object) -> bool:
    return type(given) is str and is_tool_name(given.replace("*", "x")) is not None


def _printable(tool: object) -> str:
    """The name of a tool that can't have it, fit to be written down."""
    if type(tool) is not str:
        return ""
    return tool[: 2 * MAX_NAME].encode("utf-8", "backslashreplace").decode()
