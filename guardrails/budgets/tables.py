"""The tables of what was spent, and the steps by which they came to be what they are."""

from __future__ import annotations

from guardrails.errors import BudgetsUnavailable
from guardrails.store.schema import Schema, script

_FIRST = """
CREATE TABLE budget_accounts (
    account TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    spent BIGINT NOT NULL,
    period BIGINT NOT NULL,
    latest_ns BIGINT NOT NULL,
    ends_ns BIGINT NOT NULL
);
CREATE INDEX budget_accounts_ends ON budget_accounts (ends_ns);
CREATE TABLE budget_entries (
    number {serial},
    account TEXT NOT NULL,
    at_ns BIGINT NOT NULL,
    amount BIGINT NOT NULL
);
CREATE INDEX budget_entries_account ON budget_entries (account, at_ns)
"""

BUDGETS = Schema(
    title="the ledger of budgets",
    unavailable=BudgetsUnavailable,
    versions="budget_versions",
    steps=(script(_FIRST),),
    unversioned="budget_entries",
)
"""The accounts, each with its sum, and the charges of those whose window rolls, one by one."""
