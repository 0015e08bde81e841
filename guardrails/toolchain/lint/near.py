"""Names that look like a slip of the pen for another."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST = 5
"""Letters of the part in which two names differ, at least: shorter ones that differ by one letter
are often both meant (`team-a` and `team-b`, `mail` and `main`)."""

OFTEN = 3
"""How often a name must occur for another, that occurs once, to be taken for a slip."""

_SEPARATOR = re.compile(r"[^A-Za-z]+")
_SIGN = re.compile(r"[^A-Za-z0-9*]+")


def slip_of(name: str, known: Iterable[str]) -> str | None:
    """The first of `known` that `name` is a slip of, or None."""
    return next((other for other in known if is_slip(name, other)), None)


def rare_slips(names: Iterable[str]) -> dict[str, str]:
    """Each name that occurs once while one that it is a slip of occurs often, with that one."""
    counts = Counter(names)
    often = [name for name, count in counts.items() if count >= OFTEN]
    rare = (name for name, count in counts.items() if count == 1)
    return {name: meant for name in rare if (meant := slip_of(name, often)) is not None}


def is_slip(name: str, other: str) -> bool:
    """Whether one slip makes one name of the other.

    A slip is another case or separator, or in one word a letter left out, added, changed or swapped
    with the next (the distance of Damerau, CACM 7(3), 1964). What differs in a digit is meant so.
    """
    if name == other:
        return False
    if _SIGN.sub("", name).lower() == _SIGN.sub("", other).lower():
        return True
    if _SEPARATOR.findall(name) != _SEPARATOR.findall(other):
        return False
    words = zip(_SEPARATOR.split(name), _SEPARATOR.split(other), strict=True)
    differing = [pair for pair in words if pair[0] != pair[1]]
    if len(differing) != 1:
        return False
    one, two = sorted(differing[0], key=len)
    return len(one) >= SHORTEST and _one_apart(one, two)


def _one_apart(one: str, two: str) -> bool:
    """Whether a letter left out, added, changed or swapped makes `one`, no longer, into `two`."""
    at = next((i for i, letter in enumerate(one) if letter != two[i]), len(one))
    if len(one) < len(two):
        return one[at:] == two[at + 1 :]
    if len(one) > len(two):
        return False
    swapped = one[at : at + 2][::-1] == two[at : at + 2] and one[at + 2 :] == two[at + 2 :]
    return swapped or one[at + 1 :] == two[at + 1 :]
