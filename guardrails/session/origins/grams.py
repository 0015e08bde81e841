"""The words of any amount of text in bounded memory: whether a row of words may occur in it."""

from __future__ import annotations

from array import array
from itertools import combinations, islice, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SPAN = 4
"""Words of the longest row that is kept; of longer ones, every row of so many must occur."""

FRESH_MAX = 1 << 17
"""Rows that are kept as they are, in some 10 MB, before they are worked off together."""

_SIZES = (1 << 18, 1 << 20, 1 << 22)
"""Rows that one source holds besides, in one filter after another: some 10 MB of English in all, in
44 MB of memory."""

_TRIPLES = [
    1 << one | 1 << two | 1 << three
    for one, two, three in islice(combinations(range(64), 3), 0, 40 * 1024, 40)
]
"""Three bits of a word for each number of ten bits."""


class Grams:
    """Rows of one, two and four words: the last ones in a set, the others in Bloom filters.

    What was added is always found. What was not is found by chance about once in 10,000 times,
    which is wrong in the safe direction. Each row sets up to six bits of one word of memory
    (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007); each filter
    is larger than the last.
    """

    __slots__ = ("_fresh", "_room", "_tables")

    def __init__(self) -> None:
        self._fresh: set[int] = set()
        self._tables: list[array[int]] = []
        self._room = 0

    def add(self, words: Sequence[str], marks: Iterable[str]) -> bool:
        """Take the rows of `words` and each of `marks` in; return whether there was room."""
        fresh = self._fresh
        fresh.update(map(hash, words))
        fresh.update(map(hash, marks))
        fresh.update(map(hash, pairwise(words)))
        if len(words) >= SPAN:
            fresh.update(map(hash, zip(words, words[1:], words[2:], words[3:], strict=False)))
        return len(fresh) <= FRESH_MAX or self._work_off()

    def _work_off(self) -> bool:
        """Let the last rows join the filters; return whether there was room."""
        rows = list(self._fresh)
        while rows:
            if not self._room and not self._grow():
                return False
            _set_bits(self._tables[-1], rows[: self._room])
            rows, self._room = rows[self._room :], max(0, self._room - len(rows))
        self._fresh = set()  # only now: others may be looking
        return True

    def _grow(self) -> bool:
        """Begin a larger filter; return whether there is one."""
        level = len(self._tables)
        if level == len(_SIZES):
            return False
        self._tables.append(array("Q", bytes(8 * _SIZES[level])))
        self._room = _SIZES[level]
        return True

    def has(self, gram: str | tuple[str, ...]) -> bool:
        """Whether a mark or a row of one (as text), two or four words may have been added."""
        row = hash(gram)
        if row in self._fresh:
            return True
        bits = _TRIPLES[row >> 40 & 1023] | _TRIPLES[row >> 50 & 1023]
        for table in self._tables:  # noqa: SIM110 - `any` takes a microsecond more
            if table[row & len(table) - 1] & bits == bits:
                return True
        return False

    def has_row(self, words: Sequence[str]) -> bool:
        """Whether all of `words` may occur in this order, one beside the other."""
        if len(words) == 1:
            return self.has(words[0])
        if len(words) < SPAN:
            return bool(words) and all(map(self.has, pairwise(words)))
        return all(map(self.has, zip(words, words[1:], words[2:], words[3:], strict=False)))


def _set_bits(table: array[int], rows: list[int]) -> None:
    triples, mask = _TRIPLES, len(table) - 1
    for row in rows:
        table[row & mask] |= triples[row >> 40 & 1023] | triples[row >> 50 & 1023]
