"""Text from files and actions made safe to show to people."""

from __future__ import annotations

from unicodedata import category

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
