"""The stores under a guard, opened from what it is told: of people, shared state, and budgets."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, NamedTuple

from guardrails.enforcement.till import Till
from guardrails.errors import ConfigurationError
from guardrails.state.places import open_state

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from guardrails.approvals.requester import Requester
    from guardrails.approvals.service import ApprovalService
    from guardrails.approvals.settings import Approvals
    from guardrails.budgets import Ledger
    from guardrails.enforcement.desk import Desk
    from guardrails.state.sql import SqlState

    Approving = str | Path | ApprovalService | Requester | Approvals


class Stores(NamedTuple):
    """Where people are asked, what guards share (None: nothing), and where budgets are kept."""

    desk: Desk | None
    shared: SqlState | None
    till: Till


def open_stores(
    approvals: Approving | None,
    on_escalate: str,
    state: str | Path | SqlState | None,
    opened: ExitStack,
) -> Stores:
    """Return the stores; `opened` learns to close those that were not given open.

    Raises ConfigurationError, StateUnavailable, and ApprovalsUnavailable.
    """
    desk = _open_desk(approvals, on_escalate, opened)
    shared = open_state(state, approvals)
    if shared is not None and shared is not state:
        opened.callback(shared.close)
    return Stores(desk, shared, Till(None if shared is None else _open_ledger(shared, opened)))


def _open_desk(approvals: Approving | None, on_escalate: str, opened: ExitStack) -> Desk | None:
    if on_escalate not in ("raise", "wait"):
        raise ConfigurationError(f'`on_escalate` is "raise" or "wait", not {on_escalate!r}')
    if approvals is None:
        if on_escalate == "wait":
            raise ConfigurationError("to wait for people the guard needs `approvals`, their store")
        return None
    from guardrails.approvals.places import (  # noqa: PLC0415 - only where people are asked
        open_requester,
    )
    from guardrails.enforcement.desk import Desk  # noqa: PLC0415 - likewise

    requester = open_requester(approvals)
    if isinstance(getattr(approvals, "where", approvals), str | PathLike):
        opened.callback(requester.store.close)
    if requester.prompts and on_escalate != "wait":
        raise ConfigurationError('a prompt is for calls that wait: say `on_escalate="wait"`')
    return Desk(requester, waits=on_escalate == "wait")


def _open_ledger(state: SqlState, opened: ExitStack) -> Ledger:
    """Where guards that share the state keep what was spent of budgets."""
    from guardrails.budgets.sql_ledger import SqlLedger  # noqa: PLC0415 - brings SQLAlchemy

    ledger = SqlLedger(state._database)  # noqa: SLF001 - of one house
    opened.callback(ledger.close)
    return ledger
