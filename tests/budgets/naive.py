"""A ledger as simple as it can be: every charge in one list, summed up each time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardrails.spending import Charge


@dataclass
class NaiveLedger:
    taken: list[tuple[int, Charge, int]] = field(default_factory=list)
    """The number of the reservation, the charge, and when it was taken."""

    number: int = 0

    def spent(self, charge: Charge, now_ns: int) -> int:
        mine = [(each, at) for _, each, at in self.taken if each.account == charge.account]
        if charge.window_ns is not None:
            return sum(each.amount for each, at in mine if at > now_ns - charge.window_ns)
        latest = max([charge.period, *(each.period for each, _ in mine)])
        return sum(each.amount for each, _ in mine if each.period == latest)

    def reserve(self, charges: list[Charge], now_ns: int) -> int | None:
        if any(self.spent(each, now_ns) + each.amount > each.limit for each in charges):
            return None
        self.number += 1
        self.taken += [(self.number, each, now_ns) for each in charges]
        return self.number

    def give_back(self, number: int, *, whole: bool) -> None:
        self.taken = [
            each for each in self.taken if each[0] != number or not (whole or each[1].refunds)
        ]
