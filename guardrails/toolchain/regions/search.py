"""The search for values of terms that satisfy formulas: complete, but bounded."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from guardrails.toolchain.regions.formula import NEVER, Every, Formula, Some, Within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from guardrails.toolchain.regions.region import Region

    Values = dict[str, Region]
    Domain = Callable[[str], Region]

STEPS = 5_000
"""Parts of formulas that one search may look at: some 10 ms."""


RELATIONS_KEPT = 65_536
"""Pairs of regions of which it is kept how they lie: rules ask the same again and again."""


class Undecided(Exception):  # noqa: N818 - it never leaves this package
    """The search would take more work than it may do."""


def find_values(formulas: Iterable[Formula], domain: Domain, steps: int = STEPS) -> Values | None:
    """Regions of the terms from which any values will do, or None where none satisfy `formulas`.

    `domain` gives the values that a term can have at all; terms of which nothing is asked are left
    out. Raises `Undecided` where that takes more than `steps`.
    """
    return _Search(domain, steps).solve({}, list(formulas))


def judge(formula: Formula, values: Values, domain: Domain) -> bool | None:
    """Whether `formula` holds wherever terms lie in `values`: True, False for nowhere, or None.

    None also where that would take a search to tell.
    """
    if isinstance(formula, Within):
        known = values.get(formula.term)
        return _lies(domain(formula.term) if known is None else known, formula.region)
    decisive = isinstance(formula, Some)
    verdict: bool | None = not decisive
    for part in formula.parts:
        found = judge(part, values, domain)
        if found is decisive:
            return decisive
        if found is None:
            verdict = None
    return verdict


@lru_cache(RELATIONS_KEPT)
def _lies(known: Region, region: Region) -> bool | None:
    """Whether all values of `known` are in `region` (True), none is (False), or some are."""
    if known.disjoint(region):
        return False
    return True if known.within(region) else None


class _Search:
    """One search; `left` is the work that it may still do."""

    def __init__(self, domain: Domain, steps: int) -> None:
        self._domain = domain
        self._left = steps

    def solve(self, values: Values, waiting: list[Formula]) -> Values | None:
        """`values` narrowed until all that is waiting holds; it is written to."""
        choices: list[Some] = []
        while True:
            while waiting:
                part = waiting.pop()
                self._charge()
                if isinstance(part, Every):
                    waiting += part.parts
                elif isinstance(part, Some):
                    choices.append(part)
                elif not self._narrow(values, part):
                    return None
            choices = list(self._open(values, choices))
            if not choices:
                return values
            forced = [each for each in choices if len(each.parts) <= 1]
            if not forced:
                return self._branch(values, choices)
            if NEVER in forced:
                return None
            choices = [each for each in choices if len(each.parts) > 1]
            waiting = [each.parts[0] for each in forced]

    def _branch(self, values: Values, choices: list[Some]) -> Values | None:
        """Try each part of the choice that has the fewest."""
        first = min(choices, key=lambda each: len(each.parts))
        others = [each for each in choices if each is not first]
        for part in first.parts:
            found = self.solve(dict(values), [*others, part])
            if found is not None:
                return found
        return None

    def _open(self, values: Values, choices: list[Some]) -> Iterable[Some]:
        """The choices that `values` leave open, each with the parts that it can still be."""
        for choice in choices:
            parts = []
            for part in choice.parts:
                verdict = self._judge(part, values)
                if verdict is True:
                    break
                if verdict is None:
                    parts.append(part)
            else:
                yield Some(tuple(parts))

    def _judge(self, part: Formula, values: Values) -> bool | None:
        self._charge()
        return judge(part, values, self._domain)

    def _narrow(self, values: Values, part: Within) -> bool:
        """Put a term into a region; whether any value is left."""
        known = values.get(part.term)
        left = (self._domain(part.term) if known is None else known) & part.region
        values[part.term] = left
        return bool(left)

    def _charge(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Undecided
