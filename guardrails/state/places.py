"""Where the state that guards share is kept, found from what a guard is told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from guardrails.errors import ConfigurationError

if TYPE_CHECKING:
    from guardrails.state.sql import SqlState

VARIABLE = "GUARDRAILS_STATE"
"""The variable that says where the state is kept, if a program doesn't."""


def open_state(state: Any, approvals: Any = None) -> SqlState | None:
    """What a guard shares with others, at `state`, the variable's place, or beside `approvals`.

    None where none of them says a place. Raises ConfigurationError for what is no store,
    StateUnavailable where it can't be reached.
    """
    where = state if state is not None else os.environ.get(VARIABLE) or None
    if where is not None:
        return open_at(where)
    return None if approvals is None else _open_beside(approvals)


def open_at(where: Any) -> SqlState:
    """The state in a folder such as `.guardrails`, the file of a store, or at its URL."""
    from guardrails.approvals.places import locate  # noqa: PLC0415 - brings SQLAlchemy
    from guardrails.state.sql import SqlState  # noqa: PLC0415 - likewise

    if isinstance(where, SqlState):
        return where
    if not isinstance(where, str | os.PathLike):
        raise ConfigurationError("`state` is a folder such as `.guardrails`, or the URL of a store")
    return SqlState(locate(where).store)


def _open_beside(approvals: Any) -> SqlState | None:
    """The state in the store of `approvals`; None where that is of another kind."""
    from guardrails.approvals.sql_store import SqlStore  # noqa: PLC0415 - brings SQLAlchemy
    from guardrails.state.sql import SqlState  # noqa: PLC0415 - likewise

    where = getattr(approvals, "where", approvals)
    if isinstance(where, str | os.PathLike):
        return open_at(where)
    store = getattr(where, "store", None)
    return SqlState(store._database) if isinstance(store, SqlStore) else None  # noqa: SLF001 - of one house
