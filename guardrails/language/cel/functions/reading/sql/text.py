"""What of a text of SQL one database reads as a text or comment and another as code."""

from __future__ import annotations

import re

from guardrails.errors import EvaluationError

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\u2000-\u200f\u2028-\u202f\u205f-\u206f\ufeff\ud800-\udfff]"
)
_SEGMENT = re.compile(
    r"""'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|"[^"]*"|`[^`]*`""",
    re.DOTALL,
)
_QUOTED_NAME = re.compile(r'"|\[')
_READ_DIFFERENTLY = re.compile(r"""#|\$\$|\$[A-Za-z_]\w*\$|'|`|/\*|"(?!")(?<!"")""")


def check_text(text: str, dialect: str) -> None:
    """Refuse, by an `EvaluationError`, what databases read differently."""
    if _UNSEEN.search(text):
        raise EvaluationError("SQL must not hold control characters or blanks that aren't plain")
    if "\\" in text:
        raise EvaluationError("SQL must not hold a backslash, which ends a text to some databases")
    bare = _SEGMENT.sub(_checked_segment, text)
    if _READ_DIFFERENTLY.search(bare):
        raise EvaluationError("SQL must not hold `#`, a text in dollar signs or an open quote")
    if not dialect and _QUOTED_NAME.search(bare):
        raise EvaluationError("SQL with quoted names is read with its dialect: name it")


def _checked_segment(segment: re.Match[str]) -> str:
    """What is left of a text (nothing), a quoted name (itself in short) or a comment (a blank)."""
    found = segment[0]
    if found.startswith("--"):
        if found[2:3].strip():
            raise EvaluationError("a comment `--` in SQL must be followed by a blank")
        return " "
    if found.startswith("/*"):
        if found[2:3] in {"!", "+", "M"} or "/*" in found[2:]:
            raise EvaluationError("a comment in SQL must not hold code or another comment")
        return " "
    return "" if found.startswith("'") else '""' if found[0] == '"' else "[]"
