"""All policies of one load, ready to judge actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.action import Action, SessionView, Subject, is_tool_name
from guardrails.decision import Code, Decision, Effect
from guardrails.engine.facts import Circumstances
from guardrails.engine.index import RuleIndex
from guardrails.engine.plan import Plan
from guardrails.engine.rule import compile_rule
from guardrails.errors import EvaluationError, InvalidActionError
from guardrails.json_form import json_form
from guardrails.snapshot import are_plain, judge_value, take_snapshot, use_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.engine.facts import Facts
    from guardrails.engine.plan import Single
    from guardrails.engine.rule import CompiledRule
    from guardrails.language.document import Bundle, Rule
    from guardrails.snapshot import Snapshot
    from guardrails.spending import Charge


class PolicySet:
    """The policies of one load. `bundle` is what was read, `revision` its digest.

    An instance never changes, and any number of threads may use it at once.
    """

    __slots__ = ("_index", "_known", "_plans", "_singles", "bundle", "revision")

    def __init__(self, bundle: Bundle, rules: Iterable[CompiledRule] | None = None) -> None:
        """Make the bundle's rules ready; `rules` are they, where that has been done before."""
        self.bundle = bundle
        self.revision = bundle.revision
        self._index = RuleIndex(
            map(compile_rule, bundle.rules) if rules is None else rules, bundle.tools
        )
        self._known = self._index.names()
        self._plans: dict[str, Plan] = {}
        self._singles: dict[str, Single] = {}

    def decide(self, action: Action, facts: Facts) -> Decision:
        """Return the decision over `action`; the same action and facts give the same decision.

        Never raises for an action, whatever it holds: one that can't be judged is refused as
        `invalid_action`.
        """
        # The usual action for the usual tool, which has one condition on its arguments. Slots are
        # read as such: a property costs what a comparison does.
        if type(action) is Action and action._around is None:  # noqa: SLF001
            tool = action._tool  # noqa: SLF001
            single = self._singles.get(tool) if type(tool) is str else None
            if single is not None:
                when, hit, miss = single
                try:
                    value = use_plain(action._arguments, when)  # noqa: SLF001
                except EvaluationError:
                    value = None
                if value is True:
                    return hit
                if value is False:
                    return miss
        try:
            return self._decide(action, facts)
        except InvalidActionError as error:
            return self.refuse(Code.INVALID_ACTION, str(error))

    def judge(self, plan: Plan, snapshot: Snapshot, circumstances: Circumstances) -> Decision:
        """Return the decision over parts that have been read already."""
        if not self.bundle.documents:
            return self.refuse(Code.NO_POLICIES, "No policies are in force, so nothing may run.")
        values = snapshot.values
        declared = plan.declared
        if declared is not None and declared.arguments is not None:
            schema = declared.arguments
            problem = schema.problem(values if snapshot.plain else json_form(values))
            if problem is not None:
                return self.refuse(Code.INVALID_ARGUMENTS, problem)
            values = schema.coerce(values, plain=snapshot.plain)
        if plan.quick:
            decision = plan.decide_quickly(values)
            if decision is not None:
                return decision
        return plan.decide(values, circumstances)

    def charges(
        self, plan: Plan, snapshot: Snapshot, circumstances: Circumstances
    ) -> tuple[Charge, ...]:
        """Return what a call spends of the budgets of rules if it runs."""
        if not plan.budgeted:
            return ()
        values = snapshot.values
        if plan.declared is not None and plan.declared.arguments is not None:
            values = plan.declared.arguments.coerce(values, plain=snapshot.plain)
        return plan.charges(values, circumstances)

    def plan(self, tool: object) -> Plan:
        """Return what is known of `tool` before a call; raises InvalidActionError for its name."""
        if type(tool) is str:
            plan = self._plans.get(tool)
            if plan is not None:
                return plan
            if is_tool_name(tool):
                return self._make_plan(tool)
        raise InvalidActionError(
            "a tool's name must be 1 to 128 characters of `A-Z a-z 0-9 _ . : / -`"
        )

    def concerning(self, tool: str) -> tuple[Rule, ...]:
        """Return the rules whose selectors `tools` and `traits` match `tool`, by full name."""
        return tuple(compiled.rule for compiled in self._index.concerning(tool))

    def admit(self, context: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the facts of `context` that satisfy their declared schemas."""
        schema = self.bundle.context
        return context if schema is None else schema.admit(context)

    def refuse(self, code: Code, message: str) -> Decision:
        """Return a deny that no rule made."""
        return Decision(Effect.DENY, code, message=message, revision=self.revision)

    def _decide(self, action: object, facts: Facts) -> Decision:
        if type(action) is not Action:
            raise InvalidActionError("an action is made with `Action(tool, arguments)`")
        plan = self.plan(action.tool)
        snapshot = take_snapshot(action.arguments)
        session = facts.session if facts.session is not None else action.session
        if session is not None:
            session = read_session(session)
        chain = read_chain(action.subject, session)
        context = self.admit(read_facts(action.context) | read_facts(facts.context))
        circumstances = Circumstances(
            chain, context, session, facts.now_ns, facts.overdue, facts.spending
        )
        return self.judge(plan, snapshot, circumstances)

    def _make_plan(self, tool: str) -> Plan:
        plan = Plan(
            tool,
            self.bundle.tools.get(tool),
            self._index.concerning(tool),
            self.revision,
        )
        if tool in self._known:
            self._plans[tool] = plan
            if plan.single is not None:
                self._singles[tool] = plan.single
        return plan


def read_facts(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return facts as conditions see them; raises InvalidActionError for what is no map of them."""
    if given is None:
        return {}
    try:
        judged = judge_value(dict(given))
    except InvalidActionError:
        raise
    except Exception:  # noqa: BLE001 - the class of `given` may be anyone's
        judged = None
    if type(judged) is not dict or not all(type(key) is str for key in judged):
        raise InvalidActionError("the context of an action is a map from names to values")
    return judged


def read_session(session: object) -> SessionView:
    """Return a session as conditions see it; raises InvalidActionError for what is none."""
    if type(session) is not SessionView:
        raise InvalidActionError("the session of an action is a `SessionView`")
    id_, labels, chain, past, targets = session
    if type(labels) not in (frozenset, set, list, tuple) or type(chain) is not tuple:
        raise InvalidActionError("the labels and the chain of a session are lists")
    if not {Subject}.issuperset(map(type, chain)):
        raise InvalidActionError("the members of a session's chain are `Subject`s")
    if targets is not None and type(targets) not in (tuple, list):
        raise InvalidActionError("the targets of a session are a list")
    if targets is None and type(labels) is frozenset and are_plain(id_, *labels):
        return session
    texts = judge_value([id_, *(targets or ()), *labels])
    if not all(type(text) is str for text in texts):
        raise InvalidActionError("the id, the labels and the targets of a session are texts")
    known = 1 + len(targets or ())
    about = None if targets is None else tuple(texts[1:known])
    return SessionView(texts[0], frozenset(texts[known:]), chain, past, about)


def read_chain(subject: object, session: SessionView | None) -> tuple[Subject, ...]:
    """Return everyone in whose name the call is made, the one who makes it last."""
    if subject is not None and type(subject) is not Subject:
        raise InvalidActionError("the subject of an action is a `Subject`")
    chain = () if session is None else session.chain
    return chain if subject is None or subject in chain[-1:] else (*chain, subject)
