"""Text read as a careful reader does: as words, and as the numbers, dates and addresses in it."""

from __future__ import annotations

import re
from itertools import filterfalse
from typing import NamedTuple

from guardrails.session.origins import addresses, calendar, numerals
from guardrails.session.origins.folding import fold_loosely, fold_plain, unwrap

_TOKEN = re.compile(
    "|".join(
        (
            rf"(?P<plain>(?!{calendar.MONTH}(?!\w))[^\W\d_]+(?![\w@:'/+-]|\.\w))",
            *addresses.PATTERNS,
            *calendar.PATTERNS,
            numerals.PATTERN,
            r"(?P<word>\w+(?:[._'/+-]+\w+)*)",
            r"(?P<symbol>[^\s\w.,:!'\"()])",
            r"(?P<dots>(?<![\w.)\]'\"])(?:\.(?=[^\W\d_])|\.\.?(?=[/\\]))|(?<=[/\\])\.\.?(?!\w))",
        )
    )
)
"""One token of folded text; the quickest kind, and the most frequent, comes first.

Symbols are what changes a meaning: those of shells and globs, and the dots of `.ssh` and `../a`.
"""

_PARTS = re.compile(r"[^\W_]{3,}")
_DATES = frozenset({"iso", "numeric", "day_first", "month_first"})


class Atom(NamedTuple):
    """A token that means something by itself, and whatever it may mean, the likeliest first."""

    kind: str
    meanings: tuple[str, ...]


class Reading(NamedTuple):
    """A text's `words` in order, each in one form, and the `atoms` among them.

    `others` are how many of the words are neither atoms nor the unit of a number.
    """

    words: list[str]
    atoms: list[Atom]
    others: int


def read_exactly(text: str) -> Reading:
    """Return how `text` reads where nothing may be overlooked: symbols count as words."""
    return read_folded(fold_plain(text), symbols=True)


def read_loosely(text: str) -> Reading:
    """Return how `text` reads where likeness is enough: no symbols, accents or foreign twins."""
    return read_folded(fold_loosely(text), symbols=False)


def readings(text: str) -> list[Reading]:
    """Return the loose readings of `text`: as it is, and as a page would show it."""
    shown = unwrap(text)
    return [read_loosely(text)] if shown == text else [read_loosely(text), read_loosely(shown)]


def read_folded(text: str, *, symbols: bool) -> Reading:
    """Return how folded `text` reads; `symbols` says whether they count as words."""
    words: list[str] = []
    atoms: list[Atom] = []
    others = 0
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        word = found[0]
        if kind == "plain":
            words.append(word)
            others += numerals.UNIT.match(word) is None
        elif kind == "word":
            words.append(word.removesuffix("'s"))
            others += 1
        elif kind in ("symbol", "dots"):
            if symbols:
                words.append(word)
                others += 1
        else:
            assert kind is not None
            meanings = _meanings(found, kind, exactly=symbols)
            words.append(meanings[0] if meanings else word)
            others += not meanings
            if meanings:
                atoms.append(Atom(kind, tuple(meanings)))
    atoms += [Atom("grouped", (each,)) for each in addresses.grouped(text, exactly=symbols)]
    return Reading(words, atoms, others)


def _meanings(found: re.Match[str], kind: str, *, exactly: bool) -> list[str]:
    text = found[0]
    if kind == "number":
        return numerals.read_number(text)
    if kind in _DATES:
        return calendar.read_date(found, kind)
    if kind == "time":
        return [calendar.read_time(text)]
    if kind == "email":
        return addresses.read_email(text)
    return addresses.read_url(text, exactly=exactly)


def marks(reading: Reading) -> set[str]:
    """Return what the atoms of a text mean, as `sought` asks for it."""
    found = set()
    for kind, meanings in reading.atoms:
        if kind in ("email", "url"):
            found.add(meanings[0])
            continue
        found.update(meanings)
        found.update("f:" + meaning[7:] for meaning in meanings if meaning.startswith("d:"))
    return found


def parts(reading: Reading) -> set[str]:
    """Return the parts of what is joined: of names with dots, of paths, of addresses."""
    found = {meaning for kind, meanings in reading.atoms if kind in ("email", "url")
             for meaning in meanings}  # fmt: skip
    for word in filterfalse(str.isalnum, reading.words):
        if word[:2] not in ("d:", "m:", "t:") and not _is_number(word):
            found.update(_PARTS.findall(word))
    return found


def _is_number(word: str) -> bool:
    return word.lstrip("-").replace(".", "", 1).isdigit()


def sought(atom: Atom) -> list[str]:
    """Return the marks of which any one shows that a text says what `atom` does.

    A day of a year is said by the same day without one too, and the other way round.
    """
    if atom.kind in ("email", "url"):
        return [atom.meanings[0]]
    found = list(atom.meanings)
    for meaning in atom.meanings:
        if meaning.startswith("d:"):
            found.append("m:" + meaning[7:])
        elif meaning.startswith("m:"):
            found.append("f:" + meaning[2:])
    return found
