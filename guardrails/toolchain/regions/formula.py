"""What must hold of terms: that one lies in a region, that all of several things hold, or some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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


def parts_of(formula: Formula) -> tuple[Formula, ...]:
    """The parts that `formula` joins; none if it speaks of one term."""
    return () if isinstance(formula, Within) else formula.parts


def terms_in(formula: Formula) -> Iterator[str]:
    """The terms of which `formula` says something, repeated as they come."""
    if isinstance(formula, Within):
        yield formula.term
    else:
        for part in formula.parts:
            yield from terms_in(part)


def size(formula: Formula) -> int:
    """How many things it says of terms."""
    return 1 if isinstance(formula, Within) else sum(map(size, formula.parts))


def canonical(formula: Formula, domain: Callable[[str], Region]) -> Formula:
    """`formula` with what it says of one term said once, and in an order of its own.

    `domain` gives the values that a term can have at all. Two formulas that are the same then say
    the same.
    """
    if isinstance(formula, Within):
        possible = domain(formula.term)
        region = formula.region & possible
        return (
            NEVER if not region else ALWAYS if region == possible else Within(formula.term, region)
        )
    conjoined = isinstance(formula, Every)
    regions: dict[str, Region] = {}
    others: list[Formula] = []
    once = [canonical(each, domain) for each in formula.parts]
    if conjoined and NEVER in once:
        return NEVER
    for part in once:
        if not isinstance(part, Within):
            others.append(part)
        elif part.term not in regions:
            regions[part.term] = part.region
        elif conjoined:
            regions[part.term] &= part.region
        else:
            regions[part.term] |= part.region
    said = (canonical(Within(term, regions[term]), domain) for term in sorted(regions))
    parts = (*said, *sorted(set(others), key=hash))
    return every(parts) if conjoined else some(parts)
