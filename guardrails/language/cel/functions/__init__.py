"""The library functions of the condition language, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.language.cel.functions.signature import Overload

OVERLOADS: Mapping[str, tuple[Overload, ...]] = {}
"""Every library function: its name and its signatures."""
