"""An action as the engine reads it, before any rule: what conditions are evaluated over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardrails.engine.facts import Circumstances, Frame
from guardrails.engine.policy_set import read_chain, read_facts
from guardrails.snapshot import take_snapshot

if TYPE_CHECKING:
    from guardrails.action import Action, Subject
    from guardrails.engine import Facts, PolicySet
    from guardrails.engine.plan import Plan


@dataclass(frozen=True, slots=True)
class Case:
    """What one action is judged by: the plan of its tool, its values, and all around it."""

    plan: Plan
    values: dict[str, Any]
    circumstances: Circumstances

    @property
    def tool(self) -> str:
        """The name of the tool."""
        return self.plan.tool

    @property
    def now_ns(self) -> int:
        """The time of the decision, in nanoseconds since 1970."""
        return self.circumstances.now_ns

    def frame(self, member: Subject | None) -> Frame:
        """The variables of a condition, with a fresh allowance of work; `member` is who acts."""
        frame = Frame(self.plan, self.values, self.circumstances)
        frame.member = member
        return frame


def read_case(policies: PolicySet, action: Action, facts: Facts) -> Case:
    """The case that `action` makes; its arguments are not held against their schema.

    Raises `InvalidActionError` for an action that can't be judged.
    """
    plan = policies.plan(action.tool)
    values = take_snapshot(action.arguments).values
    if plan.declared is not None and plan.declared.arguments is not None:
        values = plan.declared.arguments.coerce(values)
    session = action.session if facts.session is None else facts.session
    chain = read_chain(action.subject, session)
    context = policies.admit(read_facts(action.context) | read_facts(facts.context))
    circumstances = Circumstances(
        chain, context, session, facts.now_ns, facts.overdue, facts.spending
    )
    return Case(plan, values, circumstances)
