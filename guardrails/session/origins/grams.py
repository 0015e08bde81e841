"""The words of any amount of text in bounded memory: whether a row of words may occur in it."""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SPAN = 4
"""Words of the longest row that is kept; of longer ones, every row of so many must occur."""

_SIZES = (1 << 12, 1 << 16, 1 << 20, 1 << 22)
GRAMS_MAX = sum(_SIZES)
"""Rows that one source holds: some 10 MB of English, in 42 MB of memory."""

_PAIRS = [1 << (index & 63) | 1 << (index >> 6) for index in range(1 << 12)]


class Grams:
    """Rows of one, two and four words, in Bloom filters of which each is larger than the last.

    What was added is always found. What was not is found by chance at most once in 10,000 times,
    which is wrong in the safe direction. Each row sets six bits of one word of memory (Putze,
    Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007).
    """

    __slots__ = ("_count", "_tables", "size")

    def __init__(self) -> None:
        self._tables: list[array[int]] = []
        self._count = 0
        self.size = 0

    def add(self, words: Sequence[str], marks: Iterable[str]) -> bool:
        """Take the rows of `words` and each of `marks` in; return whether there was room."""
        found = set(map(hash, words))
        found.update(map(hash, marks))
        found.update(map(hash, pairwise(words)))
        if len(words) >= SPAN:
            found.update(map(hash, zip(words, words[1:], words[2:], words[3:], strict=False)))
        return self._add(found)

    def _add(self, hashes: set[int]) -> bool:
        pairs = _PAIRS
        while hashes:
            room = self._room()
            if not room:
                return False
            table = self._tables[-1]
            mask = len(table) - 1
            batch = hashes if len(hashes) <= room else [hashes.pop() for _ in range(room)]
            for each in batch:
                table[each & mask] |= (
                    pairs[each >> 24 & 4095] | pairs[each >> 36 & 4095] | pairs[each >> 48 & 4095]
                )
            self._count += len(batch)
            self.size += len(batch)
            if batch is hashes:
                return True
        return True

    def _room(self) -> int:
        """How many rows the newest table still takes; a larger one is begun where it is full."""
        level = len(self._tables)
        if level and self._count < _SIZES[level - 1]:
            return _SIZES[level - 1] - self._count
        if level == len(_SIZES):
            return 0
        self._tables.append(array("Q", bytes(8 * _SIZES[level])))
        self._count = 0
        return _SIZES[level]

    def has(self, gram: str | tuple[str, ...]) -> bool:
        """Whether a mark or a row of one (as text), two or four words may have been added."""
        each = hash(gram)
        bits = _PAIRS[each >> 24 & 4095] | _PAIRS[each >> 36 & 4095] | _PAIRS[each >> 48 & 4095]
        for table in reversed(self._tables):  # noqa: SIM110 - `any` takes a microsecond more
            if table[each & len(table) - 1] & bits == bits:
                return True
        return False

    def has_row(self, words: Sequence[str]) -> bool:
        """Whether all of `words` may occur in this order, one beside the other."""
        if len(words) == 1:
            return self.has(words[0])
        if len(words) < SPAN:
            return bool(words) and all(map(self.has, pairwise(words)))
        return all(map(self.has, zip(words, words[1:], words[2:], words[3:], strict=False)))
