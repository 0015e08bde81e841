"""Results read as `reading` does, at the pace of a session's traffic: what is plain once for all.

Most of what tools return are words without digits, which mean the same wherever they stand. Their
readings are remembered; what has digits, and what stands beside it, is read anew.
"""

from __future__ import annotations

import re
from itertools import chain, filterfalse
from typing import TYPE_CHECKING

from guardrails.session.origins import addresses, calendar
from guardrails.session.origins.folding import fold_loosely, unwrap
from guardrails.session.origins.reading import Atom, Reading, marks, parts, read_folded

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_KNOWN = 50_000
"""How many pieces are remembered; English has fewer, and data that has more is forgotten."""

_MAX_PIECE = 64

_BY_ITSELF = re.compile(rf"(?!.*(?:[0-9@%€$£¥]|://|(?<!\w){calendar.MONTH}(?!\w))).*\w", re.DOTALL)
"""A piece of folded text that means the same whatever stands before and after it."""

_IBAN = re.compile(r"(?<!\w)[a-z]{2}[0-9]{2}[ \t\n.-]")
_IBAN_PIECES = 18
"""Pieces into which an IBAN's groups and the gaps between them are split at most."""


class Intake:
    """Reads results; whoever uses it sees to it that only one thread does at a time."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}

    def read(self, text: str) -> Iterator[tuple[list[str], set[str]]]:
        """Yield the words and the marks of `text`, as it is, and as a page would show it."""
        shown = unwrap(text)
        yield self._read(fold_loosely(text))
        if shown != text:
            yield self._read(fold_loosely(shown))

    def _read(self, text: str) -> tuple[list[str], set[str]]:
        pieces = text.split(" ")
        found = self._look_up(pieces)
        words: list[str] = []
        read: list[Reading] = []
        start = 0
        for first, end in _stretches(found):
            words += chain.from_iterable(found[start:first])  # type: ignore[arg-type]
            reading = _read_stretch(pieces, first, end)
            words += reading.words
            read.append(reading)
            start = end
        words += chain.from_iterable(found[start:])  # type: ignore[arg-type]
        joined = list(filterfalse(str.isalnum, set(words)))
        atoms = [atom for reading in read for atom in reading.atoms]
        whole = Reading(joined, atoms, 0)
        return words, marks(whole) | parts(whole)

    def _look_up(self, pieces: list[str]) -> list[tuple[str, ...] | None]:
        """The words of each piece that stands by itself, None for any other."""
        known = self._known
        if len(known) > _MAX_KNOWN:
            known.clear()
        for piece in set(pieces).difference(known):
            if len(piece) <= _MAX_PIECE and _BY_ITSELF.match(piece):
                words = tuple(read_folded(piece, symbols=False).words)
                if words:
                    known[piece] = words
        return list(map(known.get, pieces))


def _stretches(found: list[tuple[str, ...] | None]) -> Iterator[tuple[int, int]]:
    """Yield where each stretch begins and ends that has to be read in its context.

    A word that stands by itself belongs to it between two others (`5 of May`) and after the last
    one (`10 am`).
    """
    size = len(found)
    end = 0
    try:
        while True:
            first = end = found.index(None, end)
            while end < size and None in found[end : end + 2]:
                end += 1
            end = min(end + 1, size)
            yield first, end
    except ValueError:
        return


def _read_stretch(pieces: list[str], first: int, end: int) -> Reading:
    text = " ".join(pieces[first:end])
    reading = read_folded(text, symbols=False)
    if _IBAN.search(text) is None:
        return reading
    further = addresses.grouped_ibans(" ".join(pieces[first : end + _IBAN_PIECES]))
    atoms = [*reading.atoms, *(Atom("grouped", (each,)) for each in further)]
    return Reading(reading.words, atoms, reading.others)
