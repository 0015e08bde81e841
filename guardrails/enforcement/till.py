"""Where calls pay: what they spend of budgets is taken in one step before they run."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakSet, finalize

from guardrails.budgets import MemoryLedger
from guardrails.budgets.ledger import Exceeded
from guardrails.errors import BudgetsUnavailable
from guardrails.forks import after_fork

if TYPE_CHECKING:
    from guardrails.audit.records import DecisionEntry
    from guardrails.budgets import Ledger, Reservation
    from guardrails.budgets.ledger import Account
    from guardrails.enforcement.proposal import Proposal
    from guardrails.session import SessionState
    from guardrails.spending import Charge

UNAVAILABLE = "This action was refused: what its budgets have left can't be told at present."


class Look:
    """What a ledger tells while one call is decided; `failed` once it could not.

    The accounts of `used_up` have nothing left, whatever it says.
    """

    __slots__ = ("_ledger", "_used_up", "failed")

    def __init__(self, ledger: Ledger, used_up: frozenset[Account] = frozenset()) -> None:
        self._ledger = ledger
        self._used_up = used_up
        self.failed = False

    def spent(self, charge: Charge, now_ns: int) -> int:
        """The units that count against the budget of `charge`; raises EvaluationError."""
        try:
            spent = self._ledger.spent(charge, now_ns)
        except BudgetsUnavailable:
            self.failed = True
            raise
        return max(spent, charge.limit + 1) if charge.account in self._used_up else spent


class Till:
    """Takes what calls spend from a ledger, in memory where no other is given."""

    __slots__ = ("__weakref__", "_lock", "_tied", "ledger")

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger = MemoryLedger() if ledger is None else ledger
        self._tied: WeakSet[SessionState] = WeakSet()
        self._make_lock()
        after_fork(self, Till._make_lock)  # a thread of the parent may hold the lock

    def _make_lock(self) -> None:
        self._lock = Lock()

    def look(self, used_up: frozenset[Account] = frozenset()) -> Look:
        """What is spent at this moment."""
        return Look(self.ledger, used_up)

    def take(self, proposal: Proposal, entry: DecisionEntry) -> Reservation | Exceeded | None:
        """Take what a call spends, or tell what can't bear it; None where nothing need be taken.

        A rule that matched is past its limit, and the call runs all the same: because people have
        approved it, or because its tool is only observed. Then it is counted whatever the limit.
        Raises BudgetsUnavailable.
        """
        charges = proposal.charges
        matched = {match.rule for match in entry.decision.matches}
        forced = {
            charge.account for charge in charges if charge.rule in matched or not entry.enforced
        }
        try:
            taken = self.ledger.reserve(charges, proposal.now_ns, forced)
        except BudgetsUnavailable:
            if entry.enforced and binding(charges):
                raise
            return None
        if not isinstance(taken, Exceeded) and proposal.session is not None:
            self._tie(proposal.session.state, charges)
        return taken

    def undo(self, reservation: Reservation) -> None:
        """Give back what a call was to spend that does not run, as far as the ledger can."""
        self._give_back(reservation, whole=True)

    def settle(self, reservation: Reservation, error: BaseException | None) -> None:
        """Give back what a failed call spent, where its rules say so.

        A call that was cancelled, or given up, may have done its work: it has spent.
        """
        if reservation.refunds and isinstance(error, Exception):
            self._give_back(reservation, whole=False)

    def _give_back(self, reservation: Reservation, *, whole: bool) -> None:
        try:
            self.ledger.give_back(reservation, whole=whole)
        except BudgetsUnavailable:
            return  # what was taken stays taken

    def _tie(self, state: SessionState, charges: tuple[Charge, ...]) -> None:
        """Let the budgets of a session end when nobody can return to it."""
        if self.ledger.waits or not any(charge.session for charge in charges):
            return
        with self._lock:
            if state not in self._tied:
                self._tied.add(state)
                finalize(state, self.ledger.forget, state.id).atexit = False


def binding(charges: tuple[Charge, ...]) -> bool:
    """Whether any budget is of a rule that does not only watch."""
    return not all(charge.observed for charge in charges)
