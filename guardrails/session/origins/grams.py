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

SEARCHES = 64
"""How often the texts that wait are searched before their rows are made: that costs as much."""

_SIZES = (1 << 18, 1 << 20, 1 << 22)
GRAMS_MAX = sum(_SIZES)
"""Rows that one source holds besides: some 10 MB of English, in 44 MB of memory."""

_CHUNK = 4096
"""Words of a text that waits; a longer one waits in several, each begun in the one before."""

_ROW, _CHARACTER = 8, 4
"""Bytes that a row takes in a filter, and a character at most."""

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

    Few questions are about more than one word, so the longer rows of a text are not made at once.
    The text waits, in the room of filters that aren't there yet, and is searched; once that has
    cost as much as its rows would, they are made. Whoever uses it sees to it that only one thread
    does at a time.
    """

    __slots__ = ("_fresh", "_full", "_room", "_searches", "_tables", "_waiting", "_waiting_size")

    def __init__(self) -> None:
        self._fresh: set[int] = set()
        self._tables: list[array[int]] = []
        self._room = 0
        self._full = False
        self._waiting: list[str] = []
        self._waiting_size = 0
        self._searches = SEARCHES

    def add(self, words: Sequence[str], marks: Iterable[str]) -> bool:
        """Take the rows of `words` and each of `marks` in; return whether there was room."""
        if self._full:
            return False
        self._fresh.update(map(hash, set(words)))
        self._fresh.update(map(hash, marks))
        self._settle()
        for start in range(0, len(words) - 1, _CHUNK):
            self._wait("\n".join(words[start : start + _CHUNK + SPAN - 1]))
        return not self._full

    def _wait(self, text: str) -> None:
        """Keep the words of `text` until a row of them is asked for, or there's no room for it."""
        self._waiting.append(f"\n{text}\n")
        self._waiting_size += len(text) + 2
        if self._waiting_size * _CHARACTER > _ROW * (sum(_SIZES) - sum(map(len, self._tables))):
            self._make_rows()

    def _make_rows(self) -> None:
        """Let the rows of the texts that wait join those that are kept."""
        fresh = self._fresh
        for text in self._waiting:
            words = text[1:-1].split("\n")
            fresh.update(map(hash, pairwise(words)))
            fresh.update(map(hash, zip(words, words[1:], words[2:], words[3:], strict=False)))
            self._settle()
        self._waiting, self._waiting_size, self._searches = [], 0, SEARCHES

    def _settle(self) -> None:
        """Let the last rows join the filters if they are many; note where there's no room."""
        if len(self._fresh) <= FRESH_MAX:
            return
        rows = list(self._fresh)
        while rows and not self._full:
            if not self._room and not self._grow():
                self._full = True
            _set_bits(self._tables[-1], rows[: self._room])
            rows, self._room = rows[self._room :], max(0, self._room - len(rows))
        self._fresh.clear()

    def _grow(self) -> bool:
        """Begin a larger filter; return whether there is one."""
        level = len(self._tables)
        if level == len(_SIZES):
            return False
        self._tables.append(array("Q", bytes(_ROW * _SIZES[level])))
        self._room = _SIZES[level]
        return True

    def has(self, gram: str | tuple[str, ...]) -> bool:
        """Whether a mark or a row of one (as text), two or four words may have been added."""
        if self._holds(hash(gram)):
            return True
        return bool(self._waiting) and type(gram) is tuple and self._waits(gram)

    def _holds(self, row: int) -> bool:
        if self._full or row in self._fresh:
            return True
        bits = _TRIPLES[row >> 40 & 1023] | _TRIPLES[row >> 50 & 1023]
        for table in self._tables:  # noqa: SIM110 - `any` takes a microsecond more
            if table[row & len(table) - 1] & bits == bits:
                return True
        return False

    def _waits(self, row: tuple[str, ...]) -> bool:
        """Whether `row` is in a text whose rows aren't made."""
        if not all(map(self._holds, map(hash, row))):
            return False
        if self._searches:
            self._searches -= 1
            sought = "\n".join(("", *row, ""))
            return any(sought in text for text in self._waiting)
        self._make_rows()
        return self._holds(hash(row))

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
