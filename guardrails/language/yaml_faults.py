"""What libyaml complains of, in words for people who write policies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guardrails.display import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.language.source import Source

_KEY = re.compile(r"(?:^\s*(?:- +)*|[\s,{])([A-Za-z_$][\w.$-]*)\s*:(?=\s|$)")
_CONDITIONS = ("when", "unless")

_LINES_BACK = 50  # how far above a fault the key of a condition is looked for

_TAB = "a tab is used as indentation; use spaces"
_STRAY_COLON = "mapping values are not allowed in this context"
_WORDS: Mapping[str, str] = {
    _STRAY_COLON: "a `: ` can't stand here",
    "did not find expected node content": "expected a value",
    "did not find expected comment or line break": "expected the text on the lines below",
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

_ADVICE: Mapping[str, str] = {
    _STRAY_COLON: ("; check the indentation, or put the text in quotes"),
}
_AFTER_QUOTES = ("expected a key, or the end of the map", "expected the text on the lines below")
_UNCLOSED = ("did not find expected ',' or ']'", "did not find expected ',' or '}'")
_AT_CONTEXT = ("found unexpected end of stream", "could not find expected ':'")


def describe(error: Any, source: Source) -> tuple[int, int, str]:
    """The line, column and message for an error of PyYAML's parser."""
    mark = error.problem_mark
    if error.problem in _AT_CONTEXT and error.context_mark is not None:
        mark = error.context_mark
    line, column = mark.line + 1, mark.column + 1
    text = source.line(line)
    what, advice = _word(error, text[column - 1 : column + 1])
    if text[: column - 1].rstrip().endswith(("'", '"')) and what in _AFTER_QUOTES:
        advice = "; put the whole text in quotes"
    if not source.text[mark.index :].strip():
        what = f"the file ends too soon: {what}"
    return line, column, what + (condition_hint(source, line, column) or advice)


def _word(error: Any, found: str) -> tuple[str, str]:
    """What is wrong, and what to do about it unless it is in a condition.

    `found` is the character at the place, and the next one.
    """
    problem = error.problem
    what = _WORDS.get(problem)
    if (
        problem in _UNCLOSED
        and found.startswith(":")
        and error.context_mark.line == error.problem_mark.line
    ):
        return _WORDS[_STRAY_COLON], "; put the text in quotes"
    if what is not None:
        advice = _ADVICE.get(problem, "")
        if problem in _UNCLOSED:
            advice = f" that begins on line {error.context_mark.line + 1}"
        return what, advice
    if problem == "found character that cannot start any token":
        if found.startswith("\t"):
            return _TAB, ""
        shown = "a backtick" if found.startswith("`") else quote(found[:1])
        return f"{shown} can't start a value", "; put it in quotes"
    if problem == "found unknown escape character":
        return f"unknown escape {quote(found)}", "; write `\\\\` for a backslash in double quotes"
    if "tag" in problem or "tag" in (error.context or ""):
        return "tags are not allowed", ""
    where = f"{error.context}: " if error.context else ""
    return f"not valid YAML: {where}{problem}", ""


def condition_hint(source: Source, line: int, column: int | None = None) -> str:
    """How to write a condition that YAML trips over; nothing where the place isn't in one.

    That is told by the last key before the place, or in the line where no `column` is given.
    """
    before = source.line(line)[: None if column is None else column - 1]
    for number in range(line, max(line - _LINES_BACK, 0), -1):
        keys = _KEY.findall(before if number == line else source.line(number))
        if keys:
            return "; put the condition in quotes or after `>-`" if keys[-1] in _CONDITIONS else ""
    return ""
