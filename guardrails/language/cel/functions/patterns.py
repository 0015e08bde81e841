"""`matches`: regular expressions of RE2, which take time in proportion to the text.

RE2 has no backtracking, yet the proportion grows with the pattern: at worst about 3 ns for each
byte and instruction. So a match is charged by both. Submatches are never asked for: with them RE2
is a thousand times slower on large patterns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.signature import (
    CHARACTERS_PER_STEP,
    Budget,
    Overload,
    charge,
    charge_text,
)
from guardrails.language.cel.types import BOOL, STRING

if TYPE_CHECKING:
    from collections.abc import Callable

LITERAL_MEMORY = 1 << 20, 1 << 22
"""Bytes that a pattern in a policy may take, its cache of states included; the second for one
that needs it. A text can fill the cache, so RE2's own 8 MiB would be much for hundreds of rules."""

DYNAMIC_MEMORY = 1 << 18
"""The same for a pattern computed while deciding: it keeps the worst compilation near 1 ms."""

DYNAMIC_LENGTH_MAX = 1024
"""Characters of a pattern computed while deciding."""

DYNAMIC_STEPS = 1024
"""The charge for such a pattern, whether or not RE2's Python module still remembers it."""

INSTRUCTIONS_PER_STEP = 8
"""Instructions of a pattern that one step may apply to one measure of text."""


class _PatternError(Exception):
    """A pattern that RE2 refuses; the text says why."""


def matches(budget: Budget, text: str, pattern: str) -> bool:
    """Whether the RE2 regular expression `pattern` matches anywhere in `text`.

    `arguments.to.matches("^[a-z]+@example[.]com$")`; without `^` and `$` a part of the text is
    enough. A literal pattern that RE2 refuses is a fault of the policy, found when it is loaded.
    One computed while deciding is an error if RE2 refuses it, or if it has more than 1,024
    characters.
    """
    if len(pattern) > DYNAMIC_LENGTH_MAX:
        raise EvaluationError(
            f"a pattern that is no literal has at most {DYNAMIC_LENGTH_MAX} characters"
        )
    charge(budget, DYNAMIC_STEPS)
    try:
        compiled = _compile(pattern, DYNAMIC_MEMORY)
    except _PatternError:
        raise EvaluationError("not a regular expression that RE2 takes") from None
    return _search(budget, compiled, compiled.programsize, text)


def _specialise(literals: tuple[object | None, ...]) -> Callable[..., object] | None:
    pattern = literals[1]
    if type(pattern) is not str or _check_literals(literals):
        return None
    compiled = _compile_literal(pattern)
    size = compiled.programsize

    def specialised(budget: Budget, text: str, _pattern: str) -> bool:
        return _search(budget, compiled, size, text)

    return specialised


def _check_literals(literals: tuple[object | None, ...]) -> str | None:
    pattern = literals[1]
    if type(pattern) is not str:
        return None
    try:
        _compile_literal(pattern)
    except _PatternError as error:
        return f"`{pattern}` is not a regular expression that RE2 takes: {error}"
    return None


def _compile_literal(pattern: str) -> Any:
    usual, greatest = LITERAL_MEMORY
    try:
        return _compile(pattern, usual)
    except _PatternError:
        return _compile(pattern, greatest)


def _compile(pattern: str, memory: int) -> Any:
    import re2  # noqa: PLC0415 - many policies have no pattern, and loading it takes a while

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = memory
    try:
        return re2.compile(pattern.encode(), options)
    except UnicodeEncodeError:
        raise _PatternError("it holds half a character") from None
    except re2.error as error:
        reason = error.args[0]
        raise _PatternError(reason.decode("utf-8", "replace")) from None


def _search(budget: Budget, compiled: Any, size: int, text: str) -> bool:
    charge_text(budget, len(text))
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise EvaluationError("a string holds half a character") from None
    charge(budget, len(data) * size // (CHARACTERS_PER_STEP * INSTRUCTIONS_PER_STEP))
    return compiled.search(data) is not None


OVERLOADS = (
    Overload(
        "matches",
        (STRING, STRING),
        BOOL,
        receiver=True,
        implementation=matches,
        check_literals=_check_literals,
        specialise=_specialise,
    ),
    Overload(
        "matches",
        (STRING, STRING),
        BOOL,
        receiver=False,
        implementation=matches,
        check_literals=_check_literals,
        specialise=_specialise,
    ),
)
