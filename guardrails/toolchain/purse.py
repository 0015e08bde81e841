"""What the calls of one test case, or of one recorded trace, have spent of budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.budgets import MemoryLedger
from guardrails.budgets.ledger import Exceeded
from guardrails.toolchain.case import read_case

if TYPE_CHECKING:
    from guardrails.action import Action
    from guardrails.decision import Decision
    from guardrails.engine import Facts, PolicySet
    from guardrails.spending import Spending


class Purse:
    """A ledger of its own, with nothing spent to begin with."""

    def __init__(self) -> None:
        self._ledger = MemoryLedger()

    @property
    def spending(self) -> Spending:
        """What is spent at this moment; later calls don't change it."""
        return self._ledger.freeze()

    def pay(
        self,
        policies: PolicySet,
        action: Action,
        facts: Facts,
        decision: Decision,
        *,
        fails: bool = False,
    ) -> None:
        """Spend what a call spends that runs after that decision, as under a guard."""
        if not policies.plan(action.tool).budgeted:
            return
        case = read_case(policies, action, facts)
        charges = case.plan.charges(case.values, case.circumstances)
        matched = {match.rule for match in decision.matches}
        forced = {charge.account for charge in charges if charge.rule in matched}
        taken = self._ledger.reserve(charges, case.now_ns, forced)
        if fails and not isinstance(taken, Exceeded):
            self._ledger.give_back(taken, whole=False)
