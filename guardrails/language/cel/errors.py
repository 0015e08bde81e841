"""Faults of a condition, found when policies are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.errors import GuardrailsError

if TYPE_CHECKING:
    from collections.abc import Iterable


class CelError(GuardrailsError):
    """A fault of a condition: what it is and the next step, and where it stands in the source.

    `start` and `end` count code points; the message has no place of its own.
    """

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end


def out_of_stack(start: int, end: int) -> CelError:
    """The fault of a condition that is nested deeper than Python has calls left for."""
    return CelError(
        "nested too deep for what is left of Python's stack; split it into several rules",
        start,
        end,
    )


class CelErrors(GuardrailsError):  # noqa: N818 - several of them
    """Every fault that checking a condition has found, in the order of the source."""

    def __init__(self, problems: Iterable[CelError]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.start, problem.end)))
        super().__init__("\n".join(problem.message for problem in self.problems))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean ..?` with the one of `known` that is closest to `name`, or nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - only to word a complaint

    near = get_close_matches(name, list(known), 1)
    return f"; did you mean `{near[0]}`?" if near else ""
