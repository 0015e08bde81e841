"""What has been spent of the budgets of rules, and charges that many make at once."""

from guardrails.budgets.ledger import Ledger, Reservation
from guardrails.budgets.memory import MemoryLedger

__all__ = ["Ledger", "MemoryLedger", "Reservation"]
