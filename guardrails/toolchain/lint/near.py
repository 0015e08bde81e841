"""Names that look like a slip of the pen for another."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SHORTEST = 5
"""Letters of the part in which two names differ, at least: shorter ones that differ by one letter
are often both meant (`team-a` and `team-b`, `mail` and `main`)."""

OFTEN = 2
"""How often a name must occur for another, that occurs once, to be taken for a slip."""

_SEPARATOR = re.compile(r"[^A-Za-z]+")
_SIGN = re.compile(r"[^A-Za-z0-9*]+")


def rare_slips(names: Iterable[str]) -> dict[str, str]:
    """Each name that occurs once while one that it is a slip of occurs often, with that one."""
    counts = Counter(names)
    often: dict[str, list[str]] = defaultdict(list)
    for name, count in counts.items():
        if count >= OFTEN:
            for key in _keys(name):
                often[key].append(name)
    rare = (name for name, count in counts.items() if count == 1)
    return {name: meant for name in rare if (meant := _slip_of(name, often)) is not None}


def _slip_of(name: str, known: Mapping[str, list[str]]) -> str | None:
    """The first that `name` is a slip of, of those `known` by their keys, or None."""
    near = (other for key in _keys(name) for other in known.get(key, ()))
    return next((other for other in near if is_slip(name, other)), None)


def _keys(name: str) -> Iterator[str]:
    """Texts of which two names have one in common if one is a slip of the other.

    What is left of a name without any one character is such a key, so names are looked up instead
    of being compared each with each.
    """
    yield name
    yield _SIGN.sub("", name).lower()
    yield from (name[:at] + name[at + 1 :] for at in range(len(name)))


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
