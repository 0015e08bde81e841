"""Lines of text for people: what is said, and how strongly, without saying which colour."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from guardrails.display import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.decision import Effect


class Tone(StrEnum):
    """How a piece of text is meant; a terminal shows it in colour, a file doesn't."""

    PLAIN = "plain"
    STRONG = "strong"
    FAINT = "faint"
    ALLOW = "allow"
    ESCALATE = "escalate"
    DENY = "deny"


Line = tuple[tuple[str, Tone], ...]
"""One line: its pieces, each escaped, in order."""


def line(*pieces: str | tuple[str, Tone]) -> Line:
    """A line of `pieces`, each a text or a text with its tone; whatever is unsafe is escaped."""
    toned = ((piece, Tone.PLAIN) if isinstance(piece, str) else piece for piece in pieces)
    return tuple((escape(text), tone) for text, tone in toned)


def paragraph(text: str, indent: int) -> list[Line]:
    """The lines of `text`, each `indent` columns in."""
    return [line(" " * indent + part) for part in text.splitlines() if part.strip()]


def tone_of(effect: Effect) -> Tone:
    """The tone in which an effect is told."""
    return Tone(str(effect))


def plain(lines: Iterable[Line]) -> str:
    """The text of `lines`, tones left out, each line ended."""
    return "".join("".join(text for text, _ in pieces).rstrip() + "\n" for pieces in lines)
