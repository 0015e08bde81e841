"""The figures of a run of `benchmarks.decide`, looked up by contestant, size and workload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.contestants import CONTESTANTS, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.timing import Figures


class Key(NamedTuple):
    """What figures are of; `matching` tells calls that a rule denies from those that none does."""

    contestant: str
    size: int
    matching: bool


@dataclass(frozen=True, slots=True)
class Results:
    """All figures of one run."""

    figures: Mapping[Key, Figures]

    def of(self, contestant: str, size: int, *, matching: bool) -> Figures | None:
        """The figures of a contestant, None if it was left out."""
        return self.figures.get(Key(contestant, size, matching))

    def fastest(self, kinds: set[Kind], size: int, *, matching: bool) -> tuple[str, Figures] | None:
        """The quickest contestant of these kinds, None if none was measured."""
        candidates = [
            (contestant.name, figures)
            for contestant in CONTESTANTS
            if contestant.kind in kinds
            and (figures := self.of(contestant.name, size, matching=matching))
        ]
        return min(candidates, key=lambda candidate: candidate[1].best, default=None)

    def ours(self, size: int, *, matching: bool) -> Figures | None:
        """This library's figures."""
        found = self.fastest({Kind.OURS}, size, matching=matching)
        return found[1] if found else None

    def floor(self, size: int, *, matching: bool) -> Figures | None:
        """The hand-written closures' figures."""
        found = self.fastest({Kind.FLOOR}, size, matching=matching)
        return found[1] if found else None
