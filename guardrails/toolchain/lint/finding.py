"""What lint finds: a fault, where it stands, why it is one and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from guardrails.language.document import Span


class Severity(IntEnum):
    """How much a finding weighs, least first, so that the worst of several is `max`."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of a file; a line of 0 means the file as a whole.

    Lines and columns count from 1, offsets from 0, all in code points. `end_column` and `end` are
    those of the first character behind the stretch.
    """

    path: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    start: int = 0
    end: int = 0

    @property
    def span(self) -> Span:
        """Where it begins."""
        return Span(self.path, self.line, self.column)

    @property
    def place(self) -> str:
        """`path:line:column`, or `path` alone for a file as a whole."""
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement: the characters of the file `path` from `start` to `end` become `text`."""

    path: str
    start: int
    end: int
    text: str


Fix = tuple[Edit, ...]
"""The edits that mend one finding; they are made together or not at all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault.

    `message` says what is wrong, `why` in one clause why that is bad, `mend` what to do about it;
    each is lower case without a full stop. `excerpt` is the line with a caret under it, or empty.
    `fix` is empty where no mend is certain.

    A rule leaves `rule` empty; who runs it fills that in, and the severity where the rule left
    the one it is declared with.
    """

    region: Region
    message: str
    why: str
    mend: str
    excerpt: str = ""
    fix: Fix = ()
    rule: str = ""
    severity: Severity | None = None

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """By place first."""
        region = self.region
        return (region.path, region.line, region.column, self.rule, self.message)
