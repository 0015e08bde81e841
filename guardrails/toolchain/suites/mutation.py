"""Suites tried on mutants of the policies: a mutant that no test notices shows what none tests.

Mutants are tried until the time is up; `ground.py` tells whether one is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from guardrails.toolchain.suites.ground import Ground, OutOfTime
from guardrails.toolchain.suites.mutants import mutants_of
from guardrails.toolchain.suites.parts import part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardrails.language.document import Bundle
    from guardrails.toolchain.suites.mutants import Mutant
    from guardrails.toolchain.suites.suite import Case


@dataclass(frozen=True, slots=True)
class Mutation:
    """What became of the mutants; `untried` counts those that there was no time for.

    `unchanged` are the paths of documents that are not mutated: Rego modules.
    """

    killed: int
    survivors: tuple[Mutant, ...]
    untried: int = 0
    unchanged: tuple[str, ...] = ()

    @property
    def tried(self) -> int:
        """How many mutants the tests were run on."""
        return self.killed + len(self.survivors)

    def as_json(self) -> dict[str, Any]:
        """The outcome as the command line prints it."""
        return {
            "tried": self.tried,
            "killed": self.killed,
            "untried": self.untried,
            "not_mutated": list(self.unchanged),
            "survivors": [mutant.as_json() for mutant in self.survivors],
        }


def try_mutants(
    bundle: Bundle,
    cases: Sequence[Case],
    now_ns: int,
    seconds: float,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Mutation:
    """What became of every mutant of `bundle`; `cases` all pass on it.

    `seconds` is how long mutants are tried. `progress` is told how many have been, of how many.
    """
    grounds = _lay_grounds(bundle, cases, now_ns, monotonic() + seconds)
    mutants = tuple(mutants_of(bundle))
    survivors: list[Mutant] = []
    unchanged = tuple(dict.fromkeys(rule.span.path for rule in bundle.rules if rule.module))
    for done, mutant in enumerate(mutants):
        progress(done, len(mutants))
        try:
            if not any(ground.notices(mutant) for ground in grounds if ground.holds(mutant)):
                survivors.append(mutant)
        except OutOfTime:
            return Mutation(done - len(survivors), tuple(survivors), len(mutants) - done, unchanged)
    return Mutation(len(mutants) - len(survivors), tuple(survivors), unchanged=unchanged)


def _lay_grounds(
    bundle: Bundle, cases: Sequence[Case], now_ns: int, deadline: float
) -> tuple[Ground, ...]:
    """A ground for each part of the policies that suites are judged by."""
    groups: dict[tuple[str, ...], list[Case]] = {}
    for case in cases:
        groups.setdefault(case.policies, []).append(case)
    return tuple(
        Ground(part_of(bundle, names), group, now_ns, deadline) for names, group in groups.items()
    )
