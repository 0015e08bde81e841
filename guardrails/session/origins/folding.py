"""Text brought to one form, so that what looks alike to a reader compares alike."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from html import unescape
from itertools import groupby

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
"""Characters without a shape of their own (Unicode, `Default_Ignorable_Code_Point`)."""

_ALIKE = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    }
)
_LETTERS = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0458\u0455\u04bb\u0501"
    "\u051b\u051d\u043a\u043c\u0442\u043d\u0432"
    "\u03b1\u03bf\u03b9\u03bd\u03c1\u03ba\u03c4\u03c5\u03c7\u0131\u0261\u0585\u057d\u0578",
    "aeopcxyijshdqwkmthbaoivpktuxigoun",
)
"""Lower-case letters of other scripts that are drawn as Latin ones (Unicode TS 39, confusables)."""

_TAG = re.compile(r"</?[A-Za-z!][^<>]{0,2000}>")
_ESCAPE = re.compile(r"\\(?:r\\n|[nrt])")
_SPLIT_WORD = re.compile(r"(?<=[^\W\d_])-\r?\n[ \t]*(?=[^\W\d_])")
_AT = re.compile(r"(?<=\w)\s*(?:@|[\[({]\s*at\s*[\])}])\s*(?=\w)", re.IGNORECASE)
_DOT = re.compile(r"(?<=\w)\s*[\[({]\s*dot\s*[\])}]\s*(?=\w)", re.IGNORECASE)
_SPELT = re.compile(r"[@\[({](?:(?<=\s@)|(?<=@)\s|(?<!@)\s*(?:at|dot)\b)", re.IGNORECASE)
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_LONG_CODE = re.compile("&#([0-9]{8,});?")
_CODE_DIGITS = 7
"""Decimal digits of the last character there is."""

_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_PILE = re.compile(r"(?:[^\x00-\x7f\w\s]|[\uff9e\uff9f]){32,}")
"""A run long enough that putting its marks in order, which takes the square of it, is felt.

No mark is a letter but for these two, which become marks.
"""

_LETTERS_KEPT = 4096


def fold_plain(text: str) -> str:
    """Return `text` with its case, its spaces' kinds, quotes and dashes of one form (NFKC)."""
    if text.isascii():
        return text.lower()
    ordered = _PILE.sub(_order_marks, text)
    return unicodedata.normalize("NFKC", ordered).casefold().translate(_ALIKE)


def _order_marks(pile: re.Match[str]) -> str:
    """Return `pile` with its marks in their canonical order (Unicode, section 3.11)."""
    apart = "".join(unicodedata.normalize("NFKD", each) for each in pile[0])
    runs = groupby(apart, lambda each: unicodedata.combining(each) > 0)
    return "".join(
        each
        for are_marks, run in runs
        for each in (sorted(run, key=unicodedata.combining) if are_marks else run)
    )


def fold_loosely(text: str) -> str:
    """Return `text` as `fold_plain` does, and without accents, foreign twins and the invisible."""
    text = text.lower()
    if text.isascii():
        return text
    folded = {each: _fold_letter(each) for each in set(text)}
    return _FOREIGN.sub(lambda found: "".join(map(folded.__getitem__, found[0])), text)


@lru_cache(_LETTERS_KEPT)
def _fold_letter(letter: str) -> str:
    """Return what a character of lower case reads as; it depends on none beside it."""
    bare = unicodedata.normalize("NFKD", _INVISIBLE.sub("", letter)).casefold().translate(_ALIKE)
    return "".join(each for each in bare if not unicodedata.combining(each)).translate(_LETTERS)


def unwrap(text: str) -> str:
    """Return `text` as a page shows it, without tags, entities, escapes and split words.

    Addresses that are spelt out, `bob (at) x (dot) com`, are put together.
    """
    if "<" in text:
        text = _TAG.sub("", text)
    if "&" in text:
        text = unescape(_LONG_CODE.sub(_shorten_code, text))
    if "\\" in text:
        text = _ESCAPE.sub(" ", text)
    if "%" in text:
        text = _PERCENT.sub(_decode_percent, text)
    if _SPELT.search(text):
        text = _DOT.sub(".", _AT.sub("@", text))
    return _SPLIT_WORD.sub("", text) if "-\n" in text or "-\r" in text else text


def _shorten_code(found: re.Match[str]) -> str:
    """Return a character's code without needless zeros: `unescape` raises for 4,300 digits."""
    digits = found[1].lstrip("0")
    return f"&#{digits or 0};" if len(digits) <= _CODE_DIGITS else "\N{REPLACEMENT CHARACTER}"


def _decode_percent(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace")
