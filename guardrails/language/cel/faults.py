"""Errors of evaluation, worded for people: where in the condition, and what was wrong.

A compiled condition runs on Python's own errors, since raising and wording costs time that only a
failure should spend. The line numbers of its code are the numbers of its places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.relations import RUNTIME_TYPES, described

if TYPE_CHECKING:
    from types import TracebackType

    Trace = tuple[str, tuple[tuple[int, int], ...]]

TEXT_MAX = 120
"""Characters of the condition that an error repeats."""

UNJUDGED = "a value that can't be judged"


class ConditionError(EvaluationError):
    """An error that already says where in the condition it happened."""


def worded(error: Exception, trace: Trace, home: dict[str, Any]) -> ConditionError:
    """What to raise for `error`, which was met by a condition whose globals are `home`.

    `trace` is the source of the condition and, by line number from 1, the places in it.
    """
    if isinstance(error, ConditionError):
        return error
    line, direct = _line_in(home, error.__traceback__)
    source, places = trace
    start, end = places[line - 1]
    text = " ".join(source[start:end].split())  # on one line, however many the condition has
    if len(text) > TEXT_MAX:
        text = f"{text[:TEXT_MAX]}..."
    if isinstance(error, EvaluationError):
        return ConditionError(f"`{text}`: {error}")
    if direct and type(error) is KeyError:
        return ConditionError(f"`{text}` is missing")
    if isinstance(error, RecursionError | MemoryError):
        return ConditionError(f"`{text}`: too deep or too large to evaluate")
    return ConditionError(f"`{text}`: could not be evaluated")


def _line_in(home: dict[str, Any], traceback: TracebackType | None) -> tuple[int, bool]:
    """The innermost line of the condition, and whether the error arose there and no deeper."""
    line, direct = 1, False
    while traceback is not None:
        direct = traceback.tb_frame.f_globals is home
        if direct:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line, direct


def refused(*operands: object) -> EvaluationError:
    """The error of an operation or function that does not take such operands."""
    names = []
    for operand in operands:
        type_ = RUNTIME_TYPES.get(type(operand))
        if type_ is None:
            return EvaluationError(UNJUDGED)
        names.append(described(type_))
    return EvaluationError(f"not possible with {' and '.join(names)}")
