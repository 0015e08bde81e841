"""What must hold of terms: that one lies in a region, that all of several things hold, or some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from guardrails.toolchain.regions.region import Region


@dataclass(frozen=True, slots=True)
class Within:
    """That a term's value lies in a region."""

    term: str
    region: Region


@dataclass(frozen=True, slots=True)
class Every:
    """That all parts hold."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """That one part holds at least."""

    parts: tuple[Formula, ...]


Formula = Within | Every | Some

ALWAYS = Every(())
NEVER = Some(())


def every(parts: Iterable[Formula]) -> Formula:
    """That all parts hold, as simply as it can be said."""
    flat: list[Formula] = []
    for part in parts:
        if part == NEVER:
            return NEVER
        flat += part.parts if type(part) is Every else (part,)
    return flat[0] if len(flat) == 1 else Every(tuple(flat))


def some(parts: Iterable[Formula]) -> Formula:
    """That one part holds at least, as simply as it can be said."""
    flat: list[Formula] = []
    for part in parts:
        if part == ALWAYS:
            return ALWAYS
        flat += part.parts if type(part) is Some else (part,)
    return flat[0] if len(flat) == 1 else Some(tuple(flat))


def negate(formula: Formula) -> Formula:
    """That `formula` doesn't hold."""
    if isinstance(formula, Within):
        return Within(formula.term, ~formula.region)
    parts = tuple(map(negate, formula.parts))
    return Some(parts) if isinstance(formula, Every) else Every(parts)


def terms_in(formula: Formula) -> Iterator[str]:
    """The terms of which `formula` says something, repeated as they come."""
    if isinstance(formula, Within):
        yield formula.term
    else:
        for part in formula.parts:
            yield from terms_in(part)


def holds_in(formula: Formula, values: dict[str, Region]) -> bool:
    """Whether `formula` holds wherever each term lies in its region of `values`.

    A term that has none there may lie anywhere.
    """
    if isinstance(formula, Within):
        known = values.get(formula.term)
        return known is not None and known.within(formula.region)
    if isinstance(formula, Every):
        return all(holds_in(part, values) for part in formula.parts)
    return any(holds_in(part, values) for part in formula.parts)


def size(formula: Formula) -> int:
    """How many things it says of terms."""
    return 1 if isinstance(formula, Within) else sum(map(size, formula.parts))
