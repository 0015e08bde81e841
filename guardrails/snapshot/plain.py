"""Arguments that need no walk: built-in scalars, few and short, as most calls have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from guardrails.values import INT_MAX, INT_MIN

if TYPE_CHECKING:
    from collections.abc import Callable

    R = TypeVar("R")

_PLAIN_SIZE = 10_000
"""Characters of text and number of arguments up to which no bound of a snapshot can be near."""

_QUICK_MIN, _QUICK_MAX = 1 - 2**30, 2**30 - 1
"""Integers that compare in one step of the interpreter; most are."""


def copy_plain(arguments: object) -> dict[str, Any] | None:
    """Return a copy of arguments that are built-in scalars well within the bounds, else None.

    These are most calls. What is copied is at once what is judged and what the tool receives.
    """
    return use_plain(arguments, _first)


def are_plain(*texts: object) -> bool:
    """Whether `texts` are built-in strings that need no check, well within the bounds likewise."""
    size = len(texts)
    for text in texts:
        if type(text) is not str or not text.isascii():
            return False
        size += len(text)
    return size < _PLAIN_SIZE


def use_plain(arguments: object, use: Callable[[dict[str, Any], None], R]) -> R | None:  # noqa: C901 - one test a kind
    """Return `use(copy, None)` for such a copy, else None: a call less on the hot path."""
    if type(arguments) is not dict:
        return None
    values = arguments.copy()
    size = len(values)
    for name, value in values.items():
        kind = type(value)
        if kind is str:
            if not value.isascii():
                return None
            size += len(value)
        elif kind is int:
            if not _QUICK_MIN < value < _QUICK_MAX and not INT_MIN <= value <= INT_MAX:
                return None
        elif kind is float:
            if value - value != 0.0:
                return None
        elif kind is not bool and value is not None:
            return None
        if type(name) is not str or not name.isascii():
            return None
    return use(values, None) if size < _PLAIN_SIZE else None


def _first(values: dict[str, Any], _frame: None) -> dict[str, Any]:
    return values
