"""What a ledger of budgets does: it tells what was spent, and takes charges whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from guardrails.errors import BudgetsUnavailable
from guardrails.spending import AMOUNT_MAX, UNITS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from guardrails.spending import Charge

    Account = tuple[str, str]

SPENT_MAX = AMOUNT_MAX * UNITS
"""The greatest sum of an account, in units; what would pass it is refused whatever the limit."""


class Booked(NamedTuple):
    """One charge as a ledger has taken it; `entry` is how the ledger finds it again."""

    charge: Charge
    entry: Any


class Reservation(NamedTuple):
    """The charges of one call, taken together."""

    booked: tuple[Booked, ...]

    @property
    def refunds(self) -> bool:
        """Whether any of it is given back if the call fails."""
        return any(booked.charge.refunds for booked in self.booked)


class Exceeded(NamedTuple):
    """What was too much: the accounts that can't bear their charges. Nothing was taken."""

    accounts: frozenset[Account]


class Ledger(Protocol):
    """Where the sums of budgets are kept.

    Times are nanoseconds since 1970; for an account, time never goes back. `waits` says that the
    ledger may hold up its caller, so that an event loop asks it in a thread.
    """

    waits: bool

    def spent(self, charge: Charge, now_ns: int) -> int:
        """The units that count against the budget of `charge`; raises BudgetsUnavailable."""

    def reserve(
        self, charges: Sequence[Charge], now_ns: int, forced: Collection[Account] = ()
    ) -> Reservation | Exceeded:
        """Take all charges in one step, or none where one would pass its limit.

        `charges` are sorted by account, each account once; those of `forced` accounts are taken
        whatever the limit. Raises BudgetsUnavailable, and then none is taken that could be told.
        """

    def give_back(self, reservation: Reservation, *, whole: bool) -> None:
        """Undo a reservation: the `whole` of it, or what its rules say a failed call gives back.

        Raises BudgetsUnavailable; then what was taken stays taken.
        """

    def forget(self, session: str) -> None:
        """Drop the budgets of a session that nobody can return to."""


def too_much(charge: Charge, spent: int, forced: Collection[Account]) -> bool:
    """Whether a charge can't be taken, with so much spent; raises BudgetsUnavailable."""
    total = spent + charge.amount
    if charge.account in forced or charge.observed:
        if total > SPENT_MAX:
            raise BudgetsUnavailable("the ledger of budgets can't count as far as that")
        return False
    return total > charge.limit
