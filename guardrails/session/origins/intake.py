"""Results read as `reading` does, at the pace of a session's traffic: what is plain once for all.

Most of what tools return are words without digits, which mean the same wherever they stand. Their
readings are remembered; what has digits is read with what stands beside it, and remembered with it.
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

_IN_CONTEXT = re.compile(rf"[0-9@%€$£¥]|://|(?<!\w){calendar.MONTH}(?!\w)")
"""What makes that a piece of folded text may mean something else beside others."""

_AROUND = " \n\t\r.,:;!?()[]{}<>\"'`*|=#&~\\"
"""What stands around a word and is no part of any."""

_WORD = re.compile(r"[^\W\d_]+(?![\w@:'/+-]|\.\w)|\w+(?:[._'/+-]+\w+)*")
"""What `reading` takes for words where nothing is `_IN_CONTEXT`."""

_JOINS = ("of", "am", "pm", "a.m", "p.m")
"""How those words begin that mean something else after a number."""

_MONTHS = frozenset(calendar.MONTHS)

_IBAN = re.compile(r"(?<!\w)[a-z]{2}[0-9]{2}(?:[ \t\n.-]|\Z)")
_IBAN_PIECES = 18
"""Pieces into which an IBAN's groups and the gaps between them are split at most."""


class Intake:
    """Reads results; whoever uses it sees to it that only one thread does at a time."""

    __slots__ = ("_joined", "_stretches", "_words")

    def __init__(self) -> None:
        self._words: dict[str, tuple[str, ...]] = {}
        self._joined: dict[str, set[str]] = {}
        self._stretches: dict[str, tuple[list[str], set[str]]] = {}

    def read(self, text: str) -> Iterator[tuple[list[str], set[str]]]:
        """Yield the words and the marks of `text`, as it is, and as a page would show it."""
        if len(self._words) > _MAX_KNOWN:
            self._words.clear()
            self._joined.clear()
        if len(self._stretches) > _MAX_KNOWN:
            self._stretches.clear()
        shown = unwrap(text)
        yield self._read(fold_loosely(text))
        if shown != text:
            yield self._read(fold_loosely(shown))

    def _read(self, text: str) -> tuple[list[str], set[str]]:
        pieces = _split(text)
        found = list(map(self._words.get, pieces))
        if self._learn(
            {piece for piece, words in zip(pieces, found, strict=True) if words is None}
        ):
            found = list(map(self._words.get, pieces))
        words: list[str] = []
        seen: set[str] = set()
        start = 0
        for first, end in _stretches(found):
            words += chain.from_iterable(found[start:first])  # type: ignore[arg-type]
            read, told = self._read_stretch(pieces, first, end)
            words += read
            seen |= told
            start = end
        words += chain.from_iterable(found[start:])  # type: ignore[arg-type]
        return words, seen.union(*map(self._joined.__getitem__, self._joined.keys() & words))

    def _learn(self, pieces: set[str]) -> bool:
        """Remember the words of pieces that mean the same anywhere; return whether any does."""
        known = self._words
        before = len(known)
        for piece in pieces:
            if len(piece) > _MAX_PIECE:
                continue
            bare = piece.strip(_AROUND)
            if bare.isalpha() and bare[:3] not in _MONTHS:
                known[piece] = (bare,)
            elif _IN_CONTEXT.search(piece) is None:
                words = [word.removesuffix("'s") for word in _WORD.findall(piece)]
                known[piece] = tuple(words)
                for word in filterfalse(str.isalnum, words):
                    self._joined[word] = parts(Reading([word], [], 0))
        return len(known) > before

    def _read_stretch(self, pieces: list[str], first: int, end: int) -> tuple[list[str], set[str]]:
        """Return the words and the marks of the pieces from `first` to before `end`."""
        text = _join(pieces[first:end])
        known = self._stretches.get(text)
        if known is not None:
            return known
        reading = read_folded(text, symbols=False)
        if _IBAN.search(text) is not None:
            further = addresses.grouped_ibans(_join(pieces[first : end + _IBAN_PIECES]))
            reading.atoms.extend(Atom("grouped", (each,)) for each in further)
            return reading.words, marks(reading) | parts(reading)
        read = reading.words, marks(reading) | parts(reading)
        if len(text) <= _MAX_PIECE:
            self._stretches[text] = read
        return read


def _split(text: str) -> list[str]:
    """Return `text` in pieces, each of which ends at the first white space after it began."""
    return text.replace("\n", "\n ").replace("\t", "\t ").split(" ")


def _join(pieces: list[str]) -> str:
    """Return the text that was split to `pieces`."""
    return " ".join(pieces).replace("\n ", "\n").replace("\t ", "\t")


def _stretches(found: list[tuple[str, ...] | None]) -> Iterator[tuple[int, int]]:
    """Yield where each stretch begins and ends that has to be read in its context.

    What has no words belongs to it, and a word that joins it to another piece (`5 of May`).
    """
    size = len(found)
    end = 0
    try:
        while True:
            first = end = found.index(None, end)
            joined = False
            while end < size:
                piece = found[end]
                if piece:
                    if joined or not piece[0].startswith(_JOINS):
                        break
                    joined = True
                else:
                    joined = joined and piece is not None
                end += 1
            yield first, end
    except ValueError:
        return
