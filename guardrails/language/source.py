"""The text of a file, and the faults found in it."""

from __future__ import annotations

import re

from guardrails.display import escape, excerpt
from guardrails.errors import Problem

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class Source:
    """A file's text, from which problems get their place and excerpt.

    `path` is the file as people know it. Lines and columns count from 1, in code points.
    """

    __slots__ = ("_lines", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._lines: list[str] | None = None

    def line(self, number: int) -> str:
        """The line of that number, or nothing where the file has ended."""
        if self._lines is None:
            self._lines = _LINE_BREAK.split(self.text)
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def problem(self, line: int, column: int, message: str, width: int = 1) -> Problem:
        """A problem at that place; `width` characters from it on are at fault."""
        text = self.line(line)
        shown = excerpt(text, column, width) if text.strip() else ""
        return Problem(escape(self.path), line, column, escape(message), shown)

    def problem_of_file(self, message: str) -> Problem:
        """A problem of the file as a whole."""
        return Problem(escape(self.path), 0, 0, escape(message))
