"""What budgets count: amounts, what a call would spend, and who knows what has been spent.

Amounts are whole millionths, so that sums are exact: ten times 0.1 is 1. `guardrails.budgets`
keeps the sums; conditions and the engine only ask.
"""

from __future__ import annotations

from math import ceil, isfinite
from typing import Any, NamedTuple, Protocol

from guardrails.errors import EvaluationError
from guardrails.values import UInt

UNITS = 1_000_000
"""Units of an amount of 1: what is finer is rounded up."""

AMOUNT_MAX = 4_000_000_000_000
"""The largest amount: in units, twice as much still fits the 64 bits of a database."""

_EXACT = 2**52
"""Below it doubles lie less than a unit apart, so that each number of units has its own."""


class Charge(NamedTuple):
    """What one call would spend of the budget of one rule.

    `rule` is the rule's full name, `scope` who shares the budget, as canonical text. `amount` and
    `limit` are in units. `window_ns` is how far back spending counts, in nanoseconds, None where
    the budget does not roll; `period` numbers the stretch of the calendar, 0 where there is none.
    `refunds` says that a call that fails gives its amount back, `observed` that the rule only
    watches; `session` is the id of the session with which the budget ends, "" where with none.
    """

    rule: str
    scope: str
    amount: int
    limit: int
    window_ns: int | None = None
    period: int = 0
    refunds: bool = False
    observed: bool = False
    session: str = ""

    @property
    def account(self) -> tuple[str, str]:
        """What its sums are kept under."""
        return self.rule, self.scope


class Spending(Protocol):
    """Who knows what has been spent."""

    def spent(self, charge: Charge, now_ns: int) -> int:
        """The units that count against the budget of `charge` at `now_ns`.

        Raises EvaluationError where that can't be told.
        """


class UsedUp:
    """Spending of which nothing is left."""

    def spent(self, charge: Charge, now_ns: int) -> int:  # noqa: ARG002 - as in `Spending`
        """More than the limit."""
        return charge.limit + 1


USED_UP = UsedUp()
"""All budgets used up."""


def read_amount(value: Any) -> int:
    """The units of a cost or limit; a double stands for its shortest decimal form.

    Raises EvaluationError for what is no amount: negative, not finite, no number, out of range.
    """
    kind = type(value)
    if kind not in (int, float, UInt):
        raise EvaluationError("the cost is not a number")
    if kind is float and not isfinite(value):
        raise EvaluationError("the cost is not finite")
    if value < 0:
        raise EvaluationError("the cost is negative")
    units = _units_of(value) if kind is float else int(value) * UNITS
    if units > AMOUNT_MAX * UNITS:
        raise EvaluationError("the cost is out of range")
    return units


def show_amount(units: int) -> str:
    """The amount as people write it: `4,800`, `0.25`."""
    whole, rest = divmod(units, UNITS)
    return f"{whole:,}" + (f".{rest:06}".rstrip("0") if rest else "")


def _units_of(value: float) -> int:
    units = round(value * UNITS) if value < AMOUNT_MAX * 2 else _EXACT
    if units < _EXACT and units / UNITS == value:
        return units  # the only whole number of units that `value` can stand for
    from decimal import Decimal  # noqa: PLC0415 - rarely needed

    return ceil(Decimal(repr(value)) * UNITS)
