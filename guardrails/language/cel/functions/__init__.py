"""The library functions of the condition language, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.language.cel.functions import format, patterns, strings, time  # noqa: A004 - the function's own name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.language.cel.functions.signature import Overload

__all__ = ["OVERLOADS"]


def _by_name(overloads: Iterable[Overload]) -> Mapping[str, tuple[Overload, ...]]:
    table: dict[str, tuple[Overload, ...]] = {}
    for overload in overloads:
        table[overload.name] = (*table.get(overload.name, ()), overload)
    return table


OVERLOADS: Mapping[str, tuple[Overload, ...]] = _by_name(
    (*strings.OVERLOADS, *format.OVERLOADS, *patterns.OVERLOADS, *time.OVERLOADS)
)
"""Every library function: its name and its signatures."""
