"""What happened in a session, as far as conditions may ask; `guardrails.session` keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    from guardrails.language.cel.functions.signature import Budget


class Past(Protocol):
    """The memory of a session. What it can't tell for certain raises EvaluationError."""

    def origins(self, value: Any, budget: Budget) -> Collection[str]:
        """The labels of the sources of this session from which the text of `value` came."""

    def stated(self, value: Any, budget: Budget) -> bool:
        """Whether the person asked for `value`: whether every part of it is in what she said."""
