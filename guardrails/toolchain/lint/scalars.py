"""Text put into a YAML scalar so that YAML reads there what was meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.toolchain.lint.finding import Edit

if TYPE_CHECKING:
    from guardrails.language.document import Condition
    from guardrails.toolchain.lint.finding import Fix, Region
    from guardrails.toolchain.lint.text import PolicyText

_FLOW = frozenset(",[]{}")
_BREAKS_PLAIN = re.compile(r":(?:\s|$)|\s#|[\r\n]")
_BEGINS_OTHERWISE = re.compile(r"[!&*\[{|>%@`\"'#]|[-?:](?:\s|$)")


def write_in(
    text: PolicyText, condition: Condition, span: tuple[int, int], region: Region, new: str
) -> Fix:
    """The edit that makes `new` of the characters `span` of a condition, which stand at `region`.

    No edit where the characters stand in the file otherwise than in the condition (folded, or
    written as escapes), or where YAML would read something else.
    """
    start, end = span
    old = condition.source[start:end]
    style = text.text[text.offset(condition.span.line, condition.span.column)]
    if not new.isprintable() or text.text[region.start : region.end] != _encode(style, old):
        return ()
    whole = condition.source[:start] + new + condition.source[end:]
    if style == "&" or (style not in "'\"|>" and not _is_plain(whole, condition.source)):
        return ()
    return (Edit(region.path, region.start, region.end, _encode(style, new)),)


def _encode(style: str, value: str) -> str:
    """`value` as it stands in a scalar of that style."""
    if style == "'":
        return value.replace("'", "''")
    return value.replace("\\", "\\\\").replace('"', '\\"') if style == '"' else value


def _is_plain(value: str, before: str) -> bool:
    """Whether a scalar may stand without quotes where `before` stood without."""
    if _BREAKS_PLAIN.search(value) or _BEGINS_OTHERWISE.match(value) or value != value.strip():
        return False
    return bool(_FLOW.intersection(before)) or not _FLOW.intersection(value)
