"""The ledger of one process."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from guardrails.budgets.ledger import Booked, Exceeded, Reservation, too_much
from guardrails.errors import BudgetsUnavailable
from guardrails.forks import after_fork
from guardrails.instants import DAY
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from guardrails.budgets.ledger import Account
    from guardrails.spending import Charge

MAX_ACCOUNTS = 100_000
"""How many budgets are kept at once, some 300 bytes each; to forget one would renew it."""

MAX_ENTRIES = 10_000
"""How many charges of one budget are kept one by one; those beyond count as one, the last."""

_PERIOD_KEPT_NS = 62 * DAY * NANOSECONDS
"""Longer than two months: by then a stretch of the calendar is over for every clock."""

_SWEEP_NS = NANOSECONDS


class _Entry:
    """One charge, or several that end together. What no longer counts has the amount 0."""

    __slots__ = ("amount", "at_ns")

    def __init__(self, at_ns: int, amount: int) -> None:
        self.at_ns = at_ns
        self.amount = amount


class _Sum:
    """What was spent of one budget: the sum, and for one that rolls every charge in it."""

    __slots__ = ("ends_ns", "entries", "latest_ns", "period", "spent")

    def __init__(self) -> None:
        self.spent = 0
        self.period = 0
        self.latest_ns = 0
        self.ends_ns: int | None = None
        self.entries: deque[_Entry] = deque()

    def copy(self) -> _Sum:
        other = _Sum()
        other.spent, other.period, other.latest_ns = self.spent, self.period, self.latest_ns
        other.entries.extend(_Entry(each.at_ns, each.amount) for each in self.entries)
        return other

    def present(self, charge: Charge, now_ns: int) -> int:
        """What counts at `now_ns`; nothing is changed."""
        if charge.window_ns is None:
            return 0 if charge.period > self.period else self.spent
        spent, begin = self.spent, max(now_ns, self.latest_ns) - charge.window_ns
        for entry in self.entries:
            if entry.at_ns > begin:
                break
            spent -= entry.amount
        return spent

    def add(self, charge: Charge, now_ns: int) -> _Entry:
        """Take a charge; the entry is what gives it back."""
        self.latest_ns = now_ns = max(now_ns, self.latest_ns)
        if charge.window_ns is None:
            return self._add_to_period(charge, now_ns)
        self.ends_ns = now_ns + charge.window_ns
        entries, begin = self.entries, now_ns - charge.window_ns
        while entries and entries[0].at_ns <= begin:
            gone = entries.popleft()
            self.spent -= gone.amount
            gone.amount = 0
        if len(entries) >= MAX_ENTRIES:
            entries[-1].at_ns = now_ns
            entries[-1].amount += charge.amount
        else:
            entries.append(_Entry(now_ns, charge.amount))
        self.spent += charge.amount
        return entries[-1]

    def _add_to_period(self, charge: Charge, now_ns: int) -> _Entry:
        if charge.period:
            self.ends_ns = now_ns + _PERIOD_KEPT_NS
        if charge.period > self.period or not self.entries:
            for entry in self.entries:
                entry.amount = 0
            self.entries = deque([_Entry(0, 0)])
            self.spent, self.period = 0, max(charge.period, self.period)
        self.spent += charge.amount
        self.entries[0].amount += charge.amount
        return self.entries[0]

    def take_off(self, entry: _Entry, amount: int) -> None:
        """Give an amount back, as far as it still counts."""
        amount = min(amount, entry.amount)
        entry.amount -= amount
        self.spent -= amount


class Frozen:
    """What was spent at one moment."""

    __slots__ = ("_sums",)

    def __init__(self, sums: Mapping[Account, _Sum]) -> None:
        self._sums = sums

    def spent(self, charge: Charge, now_ns: int) -> int:
        """The units that count against the budget of `charge`."""
        found = self._sums.get(charge.account)
        return 0 if found is None else found.present(charge, now_ns)


class MemoryLedger:
    """A ledger in memory, for the threads of one process: it ends with the process."""

    waits = False

    def __init__(self) -> None:
        self._sums: dict[Account, _Sum] = {}
        self._by_session: dict[str, set[Account]] = {}
        self._swept_ns = 0
        self._make_lock()
        after_fork(self, MemoryLedger._make_lock)  # a thread of the parent may hold the lock

    def _make_lock(self) -> None:
        self._lock = Lock()

    def freeze(self) -> Frozen:
        """What is spent at this moment, as it stays."""
        with self._lock:
            return Frozen({account: each.copy() for account, each in self._sums.items()})

    def spent(self, charge: Charge, now_ns: int) -> int:
        """The units that count against the budget of `charge`."""
        with self._lock:
            found = self._sums.get(charge.account)
            return 0 if found is None else found.present(charge, now_ns)

    def reserve(
        self, charges: Sequence[Charge], now_ns: int, forced: Collection[Account] = ()
    ) -> Reservation | Exceeded:
        """Take all charges or none; raises BudgetsUnavailable where there are too many budgets."""
        with self._lock:
            exceeded = []
            for charge in charges:
                found = self._sums.get(charge.account)
                spent = 0 if found is None else found.present(charge, now_ns)
                if too_much(charge, spent, forced):
                    exceeded.append(charge.account)
            if exceeded:
                return Exceeded(frozenset(exceeded))
            self._make_room(charges, now_ns)
            return Reservation(tuple(self._book(charge, now_ns) for charge in charges))

    def give_back(self, reservation: Reservation, *, whole: bool) -> None:
        """Undo a reservation, or what its rules say a failed call gives back."""
        with self._lock:
            for charge, entry in reservation.booked:
                found = self._sums.get(charge.account)
                if found is not None and (whole or charge.refunds):
                    found.take_off(entry, charge.amount)

    def forget(self, session: str) -> None:
        """Drop the budgets of a session that nobody can return to."""
        with self._lock:
            for account in self._by_session.pop(session, ()):
                self._sums.pop(account, None)

    def _book(self, charge: Charge, now_ns: int) -> Booked:
        found = self._sums.get(charge.account)
        if found is None:
            found = self._sums[charge.account] = _Sum()
            if charge.session:
                self._by_session.setdefault(charge.session, set()).add(charge.account)
        return Booked(charge, found.add(charge, now_ns))

    def _make_room(self, charges: Sequence[Charge], now_ns: int) -> None:
        """See that new budgets fit: drop those that are over, but not more than once a second."""
        if len(self._sums) + len(charges) <= MAX_ACCOUNTS:
            return
        if now_ns >= self._swept_ns + _SWEEP_NS:
            self._swept_ns = now_ns
            over = [
                account
                for account, each in self._sums.items()
                if each.ends_ns is not None and each.ends_ns <= now_ns
            ]
            for account in over:
                del self._sums[account]
        new = sum(charge.account not in self._sums for charge in charges)
        if len(self._sums) + new > MAX_ACCOUNTS:
            msg = f"the ledger holds {MAX_ACCOUNTS:,} budgets in memory and can take no more"
            raise BudgetsUnavailable(msg)
