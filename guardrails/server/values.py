"""Judged values laid out for a page: in full, typed, and with nothing in them that deceives.

A value is the agent's, so it is shown as data: quoted, what a browser would hide or reorder
written out and marked, and letters of other scripts named.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.approvals.wording import write_value
from guardrails.display import escape
from guardrails.values import Duration, MapKey, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_INDENT = "  "
_SHORT = 72  # characters of a list or map that stays on one line

_COMPARED = 60  # characters from which a value is too long to be compared at a glance

_KINDS = {
    bool: "true or false",
    int: "integer",
    UInt: "integer without sign",
    float: "number",
    Timestamp: "point in time",
    Duration: "span of time",
    type(None): "nothing",
}


class Piece(NamedTuple):
    """A stretch of text and how it is meant: `plain`, `text`, `number`, `escape`, `mark`, `alike`.

    An escape or a mark stands for what is not written as itself; a mark should be looked at, and so
    should what is `alike`, a letter that may pass for another. `hint` names it. `new` is what was
    not there before.
    """

    text: str
    tone: str = "plain"
    hint: str = ""
    new: bool = False


class Value(NamedTuple):
    """A value as a page shows it: its pieces, its kind in words, and what to be wary of.

    `change` says, of a value compared with an earlier one, where they part.
    """

    pieces: tuple[Piece, ...]
    kind: str
    notes: tuple[str, ...]
    length: int
    change: str = ""


def lay_out(value: Any) -> Value:
    """The value for a page."""
    pieces = tuple(_tell(value, ""))
    length = sum(len(piece.text) for piece in pieces)
    return Value(pieces, _kind(value), tuple(_warn(value, pieces)), length)


def point_out(value: Value, before: Value) -> Value:
    """A long value with that part pointed out in which it differs from what it was before.

    A short one, or one that has little in common with the other, is compared at a glance.
    """
    text, was = _text(value), _text(before)
    first = _count_alike(text, was)
    end = len(text) - _count_alike(reversed(text[first:]), reversed(was[first:]))
    if text == was or len(text) < _COMPARED or end - first > len(text) // 2:
        return value
    change = f"Changed in characters {first + 1:,} to {end:,}, underlined."
    if first == end:
        change = f"Changed: what stood after its first {first:,} characters is gone."
    return value._replace(pieces=tuple(_split(value.pieces, first, end)), change=change)


def _count_alike(these: Iterable[str], those: Iterable[str]) -> int:
    """How many characters are the same until one is not."""
    pairs = zip(these, those, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _text(value: Value) -> str:
    return "".join(piece.text for piece in value.pieces)


def _split(pieces: Iterable[Piece], first: int, end: int) -> Iterator[Piece]:
    """The pieces, cut where what is new begins and ends."""
    at = 0
    for piece in pieces:
        cuts = [min(max(cut - at, 0), len(piece.text)) for cut in (first, end)]
        for start, stop in pairwise([0, *cuts, len(piece.text)]):
            if text := piece.text[start:stop]:
                yield piece._replace(text=text, new=first <= at + start < end)
        at += len(piece.text)


def mark(text: str) -> tuple[Piece, ...]:
    """Text that nobody vouches for, such as an agent's name: what would not show is marked."""
    return tuple(_mark(text, "plain", quoted=False))


def _tell(value: Any, indent: str) -> Iterator[Piece]:
    kind = type(value)
    if kind is str:
        yield Piece('"')
        yield from _mark(value, "text", quoted=True)
        yield Piece('"')
    elif kind is list and value:
        yield from _tell_parts("[", [((), each) for each in value], "]", indent)
    elif kind is dict and value:
        parts = [((*_tell(key, ""), Piece(": ")), each) for key, each in value.items()]
        yield from _tell_parts("{", parts, "}", indent)
    else:
        yield Piece(write_value(value), "number")


def _tell_parts(
    start: str, parts: list[tuple[tuple[Piece, ...], Any]], end: str, indent: str
) -> Iterator[Piece]:
    deeper = indent + _INDENT
    told = [(*before, *_tell(each, deeper)) for before, each in parts]
    first, between, last = f"\n{deeper}", f",\n{deeper}", f"\n{indent}"
    if sum(len(piece.text) for pieces in told for piece in pieces) <= _SHORT:
        first, between, last = "", ", ", ""
    yield Piece(start + first)
    for number, pieces in enumerate(told):
        if number:
            yield Piece(between)
        yield from pieces
    yield Piece(last + end)


def _mark(text: str, tone: str, *, quoted: bool) -> Iterator[Piece]:
    plain = ""
    for character in text:
        written, meant = _write(character, tone, quoted=quoted)
        if meant == tone:
            plain += written
            continue
        if plain:
            yield Piece(plain, tone)
        plain = ""
        yield Piece(written, meant, _name(character))
        if character == "\n" and quoted:
            yield Piece("\n", tone)
    if plain:
        yield Piece(plain, tone)


def _write(character: str, tone: str, *, quoted: bool) -> tuple[str, str]:
    """How a character is written, and how that is meant."""
    written = _show(character, quoted=quoted)
    if written != character:
        return written, "escape" if quoted and character in '"\\\n\t' else "mark"
    return written, "alike" if _script(character) else tone


def _show(character: str, *, quoted: bool) -> str:
    if quoted and character in '"\\':
        return f"\\{character}"
    if character != " " and unicodedata.category(character) == "Zs":
        return character.encode("unicode_escape").decode("ascii")  # a space, but not that one
    if unicodedata.category(character) == "Mn" and unicodedata.combining(character) == 0:
        return character.encode("unicode_escape").decode("ascii")  # variation selectors, say
    return escape(character)


def _name(character: str) -> str:
    names = {"\n": "a new line", "\r": "a carriage return", "\t": "a tabulator"}
    if character in '"\\':
        return "itself, written so that it is not taken for the end"
    known = names.get(character) or unicodedata.name(character, "a control character").lower()
    return f"U+{ord(character):04X}, {known}"


def _kind(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return "text" if value else "text, empty"
    if kind is bytes:
        return f"{len(value):,} bytes"
    if kind is list:
        return f"list of {len(value):,}"
    if kind is dict:
        return f"map of {len(value):,}"
    return _KINDS.get(kind, "value")


def _warn(value: Any, pieces: tuple[Piece, ...]) -> Iterator[str]:
    if any(piece.tone == "mark" for piece in pieces):
        yield "holds characters that would not show"
    scripts = sorted({script for text in _texts(value) for script in _scripts(text)})
    if scripts:
        yield f"holds {' and '.join(scripts)} letters, some of which look like Latin ones"


def _texts(value: Any) -> Iterator[str]:
    kind = type(value)
    if kind is str:
        yield value
    elif kind is list:
        for each in value:
            yield from _texts(each)
    elif kind is dict:
        for key, each in value.items():
            yield from _texts("" if type(key) is MapKey else key)
            yield from _texts(each)


_ALIKE = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "LISU", "FULLWIDTH", "MATHEMATICAL")
"""Scripts with letters that pass for Latin ones (Unicode Technical Standard 39)."""


def _scripts(text: str) -> Iterator[str]:
    yield from filter(None, map(_script, text))


def _script(character: str) -> str:
    """The script of a letter that may pass for a Latin one, "" of any other character."""
    if character.isascii() or not character.isalpha():
        return ""
    script = unicodedata.name(character, "").split(" ", 1)[0]
    return script.capitalize() if script in _ALIKE else ""
