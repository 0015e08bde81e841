"""What libyaml complains of, in words for people who write policies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guardrails.display import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.language.source import Source

_CONDITION_KEY = re.compile(r"(?:^|[\s,{])(?:when|unless)\s*:(?:\s|$)")
_ANY_KEY = re.compile(r"^\s*(?:- +)*[A-Za-z_$][\w.$-]*\s*:(?:\s|$)")

_LINES_BACK = 50  # how far above a fault the key of a condition is looked for

_TAB = "a tab is used as indentation; use spaces"
_WORDS: Mapping[str, str] = {
    "mapping values are not allowed in this context": "a `: ` can't stand here",
    "did not find expected key": "expected a key, or the end of the map",
    "could not find expected ':'": "expected a `:` after the key",
    "did not find expected ',' or ']'": "expected a `,` or the `]` of the list",
    "did not find expected ',' or '}'": "expected a `,` or the `}` of the map",
    "did not find expected '-' indicator": "expected the next `-`, or the end of the list",
    "did not find expected <document start>": "expected nothing more after the document's end",
    "block sequence entries are not allowed in this context": "a list item can't start here",
    "mapping keys are not allowed in this context": "a key can't start here",
    "found a tab character that violates indentation": _TAB,
    "found a tab character where an indentation space is expected": _TAB,
    "found unexpected end of stream": "a quote that is never closed",
    "found unexpected document indicator": "a quote that is not closed before the document's end",
    "did not find expected alphabetic or numeric character": "expected a name after `&` or `*`",
}
"""The problems of libyaml 0.2.5 that an author meets (its scanner.c and parser.c)."""

_AT_CONTEXT = ("found unexpected end of stream", "could not find expected ':'")


def describe(error: Any, source: Source) -> tuple[int, int, str]:
    """The line, column and message for an error of PyYAML's parser."""
    mark = error.problem_mark
    if error.problem in _AT_CONTEXT and error.context_mark is not None:
        mark = error.context_mark
    line, column = mark.line + 1, mark.column + 1
    return line, column, _word(error, source, line, column) + condition_hint(source, line)


def _word(error: Any, source: Source, line: int, column: int) -> str:
    problem = error.problem
    if problem in _WORDS:
        return _WORDS[problem]
    character = source.line(line)[column - 1 : column]
    if problem == "found character that cannot start any token":
        return _TAB if character == "\t" else f"{quote(character)} can't start a value"
    if problem == "found unknown escape character":
        escaped = source.line(line)[column - 1 : column + 1]
        return f"unknown escape {quote(escaped)} in double quotes; write `\\\\` for a backslash"
    if "tag" in problem or "tag" in (error.context or ""):
        return "tags are not allowed"
    where = f"{error.context}: " if error.context else ""
    return f"not valid YAML: {where}{problem}"


def condition_hint(source: Source, line: int) -> str:
    """How to write a condition that YAML trips over; nothing where the line isn't of one."""
    for number in range(line, max(line - _LINES_BACK, 0), -1):
        text = source.line(number)
        if _CONDITION_KEY.search(text):
            return "; put the condition in quotes or after `>-`"
        if _ANY_KEY.search(text):
            break
    return ""
