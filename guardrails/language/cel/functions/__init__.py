"""The library functions of the condition language, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.language.cel.functions import (
    format,  # noqa: A004 - the module is named after the function it holds
    names,
    origins,
    paths,
    patterns,
    session,
    strings,
    time,
)
from guardrails.language.cel.functions.reading import (
    emails,
    named_paths,
    secrets,
    shell,
    sql,
    urls,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.language.cel.functions.signature import Overload

__all__ = ["OVERLOADS"]


def _by_name(overloads: Iterable[Overload]) -> Mapping[str, tuple[Overload, ...]]:
    table: dict[str, tuple[Overload, ...]] = {}
    for overload in overloads:
        table[overload.name] = (*table.get(overload.name, ()), overload)
    return table


READERS = (shell, sql, urls, named_paths, emails, secrets)
"""The modules of the functions that read what an argument means."""

OVERLOADS: Mapping[str, tuple[Overload, ...]] = _by_name(
    overload
    for module in (strings, format, patterns, time, names, paths, session, origins, *READERS)
    for overload in module.OVERLOADS
)
"""Every library function: its name and its signatures."""
