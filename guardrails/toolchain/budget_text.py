"""What a budget has to say of one call, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.document import Calendar
from guardrails.spending import show_amount
from guardrails.toolchain.explanation import Part

if TYPE_CHECKING:
    from guardrails.engine.budget import CompiledBudget
    from guardrails.engine.facts import Frame
    from guardrails.language.document import Budget


def tell_budget(compiled: CompiledBudget, values: dict[str, Any], frame: Frame) -> Part:
    """The part of an explanation: what was spent, of how much, and what this call costs."""
    if frame.spending is None:
        return Part("budget", None, "error: what has been spent is unknown")
    try:
        charge = compiled.charge(values, frame, observed=False)
        spent = frame.spending.spent(charge, frame.now_ns)
    except EvaluationError as error:
        return Part("budget", None, f"error: {error}")
    why = (
        f"spent {show_amount(spent)} of {show_amount(charge.limit)}{_tell_when(compiled.budget)},"
        f" this call costs {show_amount(charge.amount)}"
    )
    return Part("budget", spent + charge.amount > charge.limit, why)


def _tell_when(budget: Budget) -> str:
    per = budget.per
    if per is None:
        return ""
    if isinstance(per, Calendar):
        return f" in this {per.unit} ({per.zone})"
    return f" in the last {budget.per_text}"
