"""Text from files and actions made safe to show to people."""

from __future__ import annotations

from unicodedata import category, combining, east_asian_width

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that a terminal obeys or hides instead of showing: controls, formatting
(the bidirectional overrides of "Trojan Source", CVE-2021-42574, among them), surrogates, private
and unassigned characters, and the separators of lines and paragraphs."""


def escape(text: str) -> str:
    r"""`text` on one line, what would not show as itself written as in Python: `\x1b`, `\u202e`."""
    if text.isprintable():
        return text
    return "".join(map(_escape_character, text))


def _escape_character(character: str) -> str:
    if category(character) not in _HIDDEN:
        return character
    return character.encode("unicode_escape").decode("ascii")


_QUOTED = 80  # characters of an input that a message repeats


def quote(text: str) -> str:
    """`text` in backticks, escaped, and shortened where it is long."""
    shown = text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1]}…"
    return f"`{escape(shown)}`" if text else "`` (empty)"


_SHOWN, _BEFORE = 100, 60  # characters of a line that are shown, and at most before the fault
_MARGIN = "    "


def excerpt(line: str, column: int, width: int) -> str:
    """The part of `line` round a fault, escaped, and under it a caret for each character of it.

    `column` counts from 1; `width` is how many characters are at fault (one at least). Of a long
    line only the surroundings are shown, and the indentation is left out.
    """
    at = min(column - 1, len(line))
    indent = len(line) - len(line.lstrip(" "))
    first = max(min(indent, at), at - _BEFORE)
    before = escape(line[first:at])
    shown = escape(line[at : first + _SHOWN])
    marked = escape(line[at : min(at + max(width, 1), first + _SHOWN)])
    carets = "^" * max(_columns(marked), 1)
    return f"{_MARGIN}{before}{shown}\n{_MARGIN}{' ' * _columns(before)}{carets}"


def _columns(text: str) -> int:
    """How many columns of a terminal `text` takes (Unicode Standard Annex 11)."""
    return sum(
        0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        for character in text
    )
