"""Where a character of a YAML scalar's value stands in the file.

Folding, quotes and escapes make the value another text than the source. The two are walked along
each other: what isn't white space stands in both in the same order, escapes apart. (White space
that folding made out of other white space is found where that begins.)
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any

Segments = tuple[tuple[int, int, int], ...]
"""Runs of a value that stand in the file as they are: offset in the value, line, column."""

_ANCHOR = re.compile(r"&\S+\s+")
_ESCAPE = re.compile(r"\\(?:x.{2}|u.{4}|U.{8}|(?:\r\n|\r|\n)[ \t]*|.)", re.DOTALL)
_BREAK = re.compile(r"\r\n|\r|\n")
_BLANK = " \t\r\n"
_FAR = 1 << 62


def locate(segments: Segments, offset: int) -> tuple[int, int]:
    """The line and column of the character at `offset` of a value; its length means its end."""
    start, line, column = segments[bisect_right(segments, (offset, _FAR, _FAR)) - 1]
    return line, column + offset - start


def segments_of(text: str, event: Any) -> Segments:
    """The segments of the value of a scalar, given its event and the text of the file."""
    start, end = event.start_mark, event.end_mark
    if start.line == end.line and not event.anchor:
        if event.implicit[0]:
            return ((0, start.line + 1, start.column + 1),)
        if text[start.index + 1 : end.index - 1] == event.value:
            return ((0, start.line + 1, start.column + 2),)
    raw = text[start.index : end.index]
    return _join(raw, _walk(raw, event), start.line + 1, start.column + 1)


def _walk(raw: str, event: Any) -> list[int]:
    """Where in `raw` each character of the value stands, and its end."""
    anchor = _ANCHOR.match(raw) if event.anchor else None
    at = anchor.end() if anchor else 0
    style = event.style
    if style in ("|", ">"):
        header = _BREAK.search(raw, at)
        at = header.end() if header else len(raw)
    elif style in ("'", '"'):
        at += 1
    places = []
    for character in event.value:
        at = _skip(raw, at, style, blanks=character not in _BLANK)
        places.append(at)
        at = _step(raw, at, style)
    return [*places, at]


def _skip(raw: str, at: int, style: str, *, blanks: bool) -> int:
    """Past escaped line breaks, and past white space where `blanks` are not what is looked for."""
    while at < len(raw):
        if blanks and raw[at] in _BLANK:
            at += 1
        elif style == '"' and raw[at] == "\\" and raw[at + 1 : at + 2] in ("\r", "\n"):
            at = _step(raw, at, style)
        else:
            break
    return at


def _step(raw: str, at: int, style: str) -> int:
    """Past what stands for one character of the value."""
    if style == '"' and (escape := _ESCAPE.match(raw, at)):
        return escape.end()
    if style == "'" and raw.startswith("''", at):
        return at + 2
    return at + (2 if raw.startswith("\r\n", at) else 1)


def _join(raw: str, places: list[int], line: int, column: int) -> Segments:
    starts = [found.end() for found in _BREAK.finditer(raw)]
    segments = []
    expected = None
    for offset, at in enumerate(places):
        below = bisect_right(starts, at)
        place = (line + below, at - starts[below - 1] + 1 if below else column + at)
        if place != expected:
            segments.append((offset, *place))
        expected = (place[0], place[1] + 1)
    return tuple(segments)
