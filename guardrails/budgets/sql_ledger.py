"""The ledger that processes and hosts share: in the store of approvals, SQLite or PostgreSQL.

One transaction takes all charges of a call: on SQLite the only one at that moment, on PostgreSQL
with the rows of its budgets locked, in the order of their names. A process that is killed between
leaves what it took taken.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from guardrails.budgets.ledger import Booked, Exceeded, Reservation, too_much
from guardrails.budgets.tables import BUDGETS
from guardrails.budgets.transactions import PostgresTransactions, SqliteTransactions
from guardrails.instants import DAY
from guardrails.store.database import Database
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Sequence

    from guardrails.budgets.ledger import Account
    from guardrails.budgets.transactions import Transaction, Transactions
    from guardrails.spending import Charge

_READ = "SELECT spent, period, latest_ns FROM budget_accounts WHERE account = ?"
_OPEN = (
    "INSERT INTO budget_accounts (account, rule, spent, period, latest_ns, ends_ns)"
    " VALUES (?, ?, 0, 0, 0, 0) ON CONFLICT DO NOTHING"
)
_OVER = "SELECT COALESCE(SUM(amount), 0) FROM budget_entries WHERE account = ? AND at_ns <= ?"
_PRUNE = "DELETE FROM budget_entries WHERE account = ? AND at_ns <= ?"
_ENTER = "INSERT INTO budget_entries (account, at_ns, amount) VALUES (?, ?, ?) RETURNING number"
_KEEP = (
    "UPDATE budget_accounts SET spent = ?, period = ?, latest_ns = ?, ends_ns = ? WHERE account = ?"
)
_REMOVE = "DELETE FROM budget_entries WHERE number = ? RETURNING amount"
_GIVE_BACK = "UPDATE budget_accounts SET spent = spent - ? WHERE account = ? AND period = ?"
_FIND_ENDED = "SELECT account FROM budget_accounts WHERE ends_ns > 0 AND ends_ns < ? LIMIT 10"
_CLOSE = "DELETE FROM budget_accounts WHERE account = ?"
_CLEAR = "DELETE FROM budget_entries WHERE account = ?"

_PERIOD_KEPT_NS = 62 * DAY * NANOSECONDS
"""Longer than two months: by then a stretch of the calendar is over for every clock."""

_ENDED_NS = DAY * NANOSECONDS
"""How long a budget that is over is kept: clocks of hosts may differ."""


class SqlLedger:
    """The ledger in one database. What fails raises BudgetsUnavailable.

    A database that is given stays open when this is closed. Raises ConfigurationError for what
    can't be a store.
    """

    waits = True

    def __init__(self, where: str | os.PathLike[str] | Database) -> None:
        database = Database.at(where, BUDGETS)
        self._lock_rows = database.path is None
        self._transactions: Transactions = (
            PostgresTransactions(database)
            if database.path is None
            else SqliteTransactions(database, database.path)
        )

    def close(self) -> None:
        """Give back the connections, unless the database was given."""
        self._transactions.close()

    def spent(self, charge: Charge, now_ns: int) -> int:
        """The units that count against the budget of `charge`; raises BudgetsUnavailable."""
        with self._transactions.begin(writes=False) as transaction:
            return _Line(transaction, charge, now_ns, lock="").spent

    def reserve(
        self, charges: Sequence[Charge], now_ns: int, forced: Collection[Account] = ()
    ) -> Reservation | Exceeded:
        """Take all charges or none; raises BudgetsUnavailable, then none is taken."""
        lock = " FOR UPDATE" if self._lock_rows else ""
        with self._transactions.begin(writes=True) as transaction:
            lines = [_Line(transaction, charge, now_ns, lock) for charge in _ordered(charges)]
            exceeded = [
                line.charge.account for line in lines if too_much(line.charge, line.spent, forced)
            ]
            if exceeded:
                return Exceeded(frozenset(exceeded))
            reservation = Reservation(tuple(line.book() for line in lines))
            if any(line.new for line in lines):
                self._close_ended(transaction, now_ns)
            return reservation

    def give_back(self, reservation: Reservation, *, whole: bool) -> None:
        """Undo a reservation, or what its rules say a failed call gives back."""
        booked = [each for each in reservation.booked if whole or each.charge.refunds]
        if not booked:
            return
        with self._transactions.begin(writes=True) as transaction:
            for charge, entry in booked:
                name, amount, period = _name(charge), charge.amount, entry
                if charge.window_ns is not None:
                    removed = transaction.execute(_REMOVE, (entry,))
                    amount, period = (removed[0][0] if removed else 0), 0
                transaction.execute(_GIVE_BACK, (amount, name, period))

    def _close_ended(self, transaction: Transaction, now_ns: int) -> None:
        """Close a few accounts that are over, so that no more pile up than end."""
        # To wait for a row that another has locked could let two wait for each other.
        lock = " FOR UPDATE SKIP LOCKED" if self._lock_rows else ""
        for (ended,) in transaction.execute(_FIND_ENDED + lock, (now_ns - _ENDED_NS,)):
            transaction.execute(_CLOSE, (ended,))
            transaction.execute(_CLEAR, (ended,))

    def forget(self, session: str) -> None:
        """Keep the budgets: other processes may be in the session still."""


class _Line:
    """The account of one charge within a transaction; `spent` is what counts against it."""

    def __init__(self, transaction: Transaction, charge: Charge, now_ns: int, lock: str) -> None:
        self.charge = charge
        self._transaction = transaction
        self._name = _name(charge)
        self._lock = lock
        rows = transaction.execute(_READ + lock, (self._name,))
        self.new = not rows
        if self.new and lock:  # there must be a row to lock
            transaction.execute(_OPEN, (self._name, charge.rule))
            rows = transaction.execute(_READ + lock, (self._name,))
        self.spent: int = 0
        self._period, latest_ns = 0, 0
        if rows:
            self.spent, self._period, latest_ns = rows[0]
        self._now_ns = max(now_ns, latest_ns)
        self._over = 0
        if charge.window_ns is not None:
            begin = self._now_ns - charge.window_ns
            self._over = int(transaction.execute(_OVER, (self._name, begin))[0][0])
            self.spent -= self._over
        elif charge.period > self._period:
            self.spent, self._period = 0, charge.period

    def book(self) -> Booked:
        """Take the charge."""
        charge, name = self.charge, self._name
        execute = self._transaction.execute
        if self.new and not self._lock:
            execute(_OPEN, (name, charge.rule))
        entry, ends_ns = self._period, self._now_ns + _PERIOD_KEPT_NS if charge.period else 0
        if charge.window_ns is not None:
            if self._over:
                execute(_PRUNE, (name, self._now_ns - charge.window_ns))
            entry = execute(_ENTER, (name, self._now_ns, charge.amount))[0][0]
            ends_ns = self._now_ns + charge.window_ns
        total = self.spent + charge.amount
        execute(_KEEP, (total, self._period, self._now_ns, ends_ns, name))
        return Booked(charge, entry)


def _name(charge: Charge) -> str:
    """The name of the account: a digest, for what shares a budget may be nobody's business."""
    rule, scope = charge.account
    return sha256(f"{len(rule)} {rule} {scope}".encode()).hexdigest()


def _ordered(charges: Sequence[Charge]) -> list[Charge]:
    return sorted(charges, key=_name)
