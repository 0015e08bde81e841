"""Where a value came from, and whether the person asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.language.cel.functions.signature import Overload
from guardrails.language.cel.types import BOOL, DYN, STRING, list_of

if TYPE_CHECKING:
    from guardrails.past import HasPast


def origins(frame: HasPast, value: Any) -> list[str]:
    """The labels of the sources of this session from which the text of a value came, sorted.

    Sources are the results of tools that declare `returns`. A text came from a source where it
    occurs in it, or where it has an address, a long number or four words in a row of it. Of a list
    or map the labels of all parts are united. What could not be read counts as the origin of
    everything.

    Errors: a value that can't be judged; more than 50,000 characters.
    """
    return list(frame.past.origins(value, frame))


def stated(frame: HasPast, value: Any) -> bool:
    """Whether the person asked for a value: whether what she said has it, as she may write it.

    Of a list or map every part must be said, keys too; null, booleans and empty text count as said,
    and so do the fields that the tool's schema names. A part of a word, a number or an address is
    not said.

    Errors: a value that can't be judged; more than 50,000 characters.
    """
    return frame.past.stated(value, frame, frame.fields)


OVERLOADS = (
    Overload(
        "origins", (DYN,), list_of(STRING), receiver=False, implementation=origins, reads="session"
    ),
    Overload("stated", (DYN,), BOOL, receiver=False, implementation=stated, reads="session"),
)
"""The functions of this module."""
