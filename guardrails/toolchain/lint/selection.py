"""Whether selectors have anybody or anything in common."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardrails.language.document import Subjects


def overlap(one: str, other: str) -> bool:
    """Whether some name fits both patterns; `*` stands for any run of characters."""
    # row[j]: whether what was read of `one` and the first j characters of `other` have a name in
    # common, built up character by character
    row = [all(each == "*" for each in other[:end]) for end in range(len(other) + 1)]
    for character in one:
        above, row = row, [row[0] and character == "*"]
        for end, against in enumerate(other, 1):
            if "*" in (character, against):
                row.append(above[end] or row[end - 1])
            else:
                row.append(above[end - 1] and character == against)
    return row[-1]


def have_subject_in_common(selectors: Iterable[Subjects | None]) -> bool:
    """Whether one subject, with one role where roles are asked for, fits all `selectors`."""
    given = [each for each in selectors if each is not None]
    ids = [each.ids for each in given if each.ids is not None]
    roles = [each.roles for each in given if each.roles is not None]
    return _meet(ids) and _meet(roles)


def _meet(lists: Sequence[tuple[str, ...]]) -> bool:
    """Whether one pattern of each list can be taken so that any two overlap."""
    return any(_all_overlap(chosen) for chosen in product(*lists))


def _all_overlap(patterns: tuple[str, ...]) -> bool:
    return all(
        overlap(one, other) for place, one in enumerate(patterns) for other in patterns[place + 1 :]
    )
