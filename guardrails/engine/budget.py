"""The budget of one rule, made ready: what a call would spend of it, and whether it may."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.instants import EPOCH_DAY, civil
from guardrails.language.budgets import pinned
from guardrails.language.cel.functions.time import offset_of
from guardrails.language.document import Calendar
from guardrails.spending import UNITS, Charge, read_amount
from guardrails.values import NANOSECONDS, UInt

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.engine.facts import Frame
    from guardrails.language.document import Budget

    Compiled = Callable[[dict[str, Any], Frame], object]

_LASTING = ("session", "task")


class CompiledBudget:
    """A budget with its expressions compiled. `by_subject`: it is another for each subject."""

    __slots__ = (
        "_arguments",
        "_cost",
        "_kind",
        "_lasting",
        "_scope",
        "budget",
        "by_subject",
        "rule",
    )

    def __init__(self, rule: str, budget: Budget, compile_: Callable[[Any], Compiled]) -> None:
        self.rule = rule
        self.budget = budget
        self._cost = None if budget.cost is None else compile_(budget.cost)
        self._scope = [each if isinstance(each, str) else compile_(each) for each in budget.scope]
        self._kind = _kind_of(budget)
        self._lasting = any(word in budget.scope for word in _LASTING)
        self._arguments = {
            name
            for each in budget.scope
            if not isinstance(each, str)
            for variable, name in each.checked.selects
            if variable == "arguments"
        }
        reads = {name for each in budget.conditions for name in each.checked.variables}
        self.by_subject = "subject" in budget.scope or "subject" in reads

    def charge(self, values: dict[str, Any], frame: Frame, *, observed: bool) -> Charge:
        """What the call would spend; raises EvaluationError where that can't be told."""
        budget = self.budget
        for name in self._arguments:
            if not pinned(frame.declared, name):
                raise EvaluationError(f"the schema doesn't say how `{name}` is written")
        amount = UNITS if self._cost is None else read_amount(self._cost(values, frame))
        parts = [self._kind, *(_named(part, values, frame) for part in self._scope)]
        per = budget.per
        return Charge(
            self.rule,
            json.dumps(parts, ensure_ascii=True, separators=(",", ":")),
            amount,
            budget.limit,
            per if type(per) is int else None,
            _period(per, frame.now_ns) if isinstance(per, Calendar) else 0,
            budget.refunds,
            observed,
            str(frame.session["id"]) if self._lasting else "",
        )

    def passes(self, values: dict[str, Any], frame: Frame) -> bool:
        """Whether the call would pass the limit; raises EvaluationError likewise."""
        charge = self.charge(values, frame, observed=False)
        if frame.spending is None:
            raise EvaluationError("what has been spent is unknown")
        return frame.spending.spent(charge, frame.now_ns) + charge.amount > charge.limit


def _kind_of(budget: Budget) -> str:
    """What tells budgets apart that renew themselves in different ways."""
    per = budget.per
    if isinstance(per, Calendar):
        return f"{per.unit} {per.zone}"
    return "ever" if per is None else "rolling"


def _named(part: str | Compiled, values: dict[str, Any], frame: Frame) -> list[Any]:
    """A part of the scope as no other is written."""
    if isinstance(part, str):
        return [part, _word(part, frame)]
    value = part(values, frame)
    if type(value) not in (str, int, bool, UInt):
        raise EvaluationError("what shares the budget is neither text nor a whole number")
    return [type(value).__name__, value]


def _word(word: str, frame: Frame) -> str:
    if word == "tool":
        return frame.tool
    # A delegation shares the id of the session around it, so the outermost session has it, too.
    return str((frame.subject if word == "subject" else frame.session)["id"])


def _period(per: Calendar, now_ns: int) -> int:
    """The number of the stretch of the calendar that `now_ns` lies in; later ones are greater."""
    ahead = offset_of(per.zone)(now_ns // NANOSECONDS) * NANOSECONDS
    day, second, _ = civil(now_ns + ahead)
    ordinal = day.toordinal()
    if per.unit == "hour":
        return (ordinal - EPOCH_DAY) * 24 + second // 3600
    if per.unit == "day":
        return ordinal
    # The first day of the year 1 was a Monday, and has the number 1.
    return (ordinal - 1) // 7 if per.unit == "week" else day.year * 12 + day.month
