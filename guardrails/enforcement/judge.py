"""Where calls are judged: by the policies in force and the facts of the moment."""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING, Any

from guardrails.action import MAX_NAME, Action
from guardrails.audit.records import DecisionEntry
from guardrails.decision import Code
from guardrails.enforcement.gate import names_in
from guardrails.enforcement.proposal import Proposal
from guardrails.enforcement.till import UNAVAILABLE, binding
from guardrails.engine import Facts
from guardrails.engine.facts import Circumstances
from guardrails.engine.policy_set import read_facts
from guardrails.errors import InvalidActionError
from guardrails.session import current_session
from guardrails.snapshot import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.decision import Decision
    from guardrails.enforcement.desk import Desk
    from guardrails.enforcement.gate import Gate
    from guardrails.enforcement.observed import Observed
    from guardrails.enforcement.proposal import Known
    from guardrails.enforcement.providers import Providers
    from guardrails.enforcement.till import Till
    from guardrails.engine import PolicySet
    from guardrails.engine.plan import Plan

_NO_FACTS: Mapping[str, Any] = {}

NOTHING: Known = (_NO_FACTS, frozenset())
"""What is known of a call for which nothing has to be looked up."""


class Judge:
    """Decides over calls, and writes nothing. `policies` are those in force."""

    __slots__ = ("_desk", "gate", "observed", "policies", "providers", "till")

    def __init__(
        self,
        policies: PolicySet,
        providers: Providers,
        gate: Gate,
        till: Till,
        observed: Observed,
        desk: Desk | None,
    ) -> None:
        self.policies = policies
        self.providers = providers
        self.gate = gate
        self.till = till
        self.observed = observed
        self._desk = desk

    def read(
        self, tool: str, arguments: Any, optional: frozenset[str] = frozenset(), fault: str = ""
    ) -> Proposal:
        """The call as it is judged; raises InvalidActionError, with `fault` if there is one.

        `optional` are parameters whose None means that nothing was given.
        """
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

    def read_again(self, proposal: Proposal) -> Proposal:
        """The same call under the policies that are in force by now."""
        plan = self.policies.plan(proposal.plan.tool)
        wanted = self.providers.wanted(plan.context_keys, proposal.context)
        return Proposal(
            self.policies, plan, proposal.snapshot, proposal.session, proposal.context, wanted
        )

    def is_quick(self, proposal: Proposal) -> bool:
        """Whether nothing has to be asked of others, who take their time, to judge it."""
        plan = proposal.plan
        return not (proposal.wanted or plan.reviewed or self.blocks(plan))

    def blocks(self, plan: Plan) -> bool:
        """Whether to judge a call of the tool holds up its thread."""
        return plan.asks or bool(plan.budgeted and self.till.ledger.waits)

    def look_up(self, proposal: Proposal) -> Known:
        """What has to be looked up before the call is judged."""
        return self.providers.gather(proposal.wanted, proposal.action), self.overdue(proposal.plan)

    async def look_up_async(self, proposal: Proposal) -> Known:
        """What `look_up` gives, without holding up the event loop."""
        from asyncio import to_thread  # noqa: PLC0415 - slow to import, and rarely needed

        found = await self.providers.gather_async(proposal.wanted, proposal.action)
        return found, await to_thread(self.overdue, proposal.plan)

    def overdue(self, plan: Plan) -> frozenset[str]:
        """The rules of a tool of which a review is overdue; all where none can be opened."""
        rules = plan.reviewed
        if self._desk is None or not rules:
            return frozenset(rules)
        return self._desk.overdue(rules)

    def judge(self, proposal: Proposal, known: Known) -> tuple[Proposal, DecisionEntry]:
        """The call, with what it is to spend, and the decision over it as it is recorded."""
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
        return proposal, DecisionEntry(
            plan.tool,
            snapshot.values,
            decision,
            () if session is None else session.subjects_json,
            None if view is None else view.id,
            () if view is None else tuple(view.labels),
            _read_facts(plan, facts),
            () if declared is None else declared.mask,
            halted is not None or not self.observed.any or plan.tool not in self.observed,
        )

    def decide(self, action: Action, now_ns: int) -> Decision:
        """The decision over an action that is not about to run; see `Guard.decide`."""
        session = current_session()
        try:
            plan = self.policies.plan(action.tool)
            snapshot = take_snapshot(action.arguments)
            given = read_facts(action.context)
            names = names_in(action)
        except InvalidActionError as error:
            return self.policies.refuse(Code.INVALID_ACTION, str(error))
        except AttributeError:
            return self.policies.refuse(Code.INVALID_ACTION, "there is no action to judge")
        context = dict(session.context) if session is not None else {}
        wanted = self.providers.wanted(plan.context_keys, {**given, **context})
        if wanted:
            proposed = Action(
                action.tool, snapshot.values, action.subject, action.context, action.session
            )
            context |= self.providers.gather(wanted, proposed)
        halted = self.gate.bar(session, names)
        if halted is not None:
            return self.policies.refuse(*halted)
        view = None if session is None else session.view
        spending = self.till.look() if plan.budgeted else None
        facts = Facts(now_ns, context, view, self.overdue(plan), spending)
        return self.policies.decide(action, facts)

    def refuse_unread(self, tool: object, why: str) -> DecisionEntry:
        """The denial of a call that can't be judged; it runs only where its tool is observed."""
        session = current_session()
        return DecisionEntry(
            tool=_printable(tool),
            arguments={},
            decision=self.policies.refuse(Code.INVALID_ACTION, why),
            subjects=() if session is None else session.subjects_json,
            session_id=None if session is None else session.id,
            enforced=tool not in self.observed or self.gate.halt(session) is not None,
        )


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


def _printable(tool: object) -> str:
    """The name of a tool that can't have it, fit to be written down."""
    if type(tool) is not str:
        return ""
    return tool[: 2 * MAX_NAME].encode("utf-8", "backslashreplace").decode()
