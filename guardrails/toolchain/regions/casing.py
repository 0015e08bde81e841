"""The case of letters that functions of conditions give, whatever they are given.

`lowerAscii` and `upperAscii` change the letters A to Z alone (the strings extension of CEL); hosts
and domains are answered in lower-case A-labels.
"""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING

from guardrails.language.cel.tree import Invoke
from guardrails.toolchain.regions.comparison import Answers
from guardrails.toolchain.regions.region import exactly

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.language.cel.tree import Node
    from guardrails.toolchain.regions.region import Region

_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)
_GIVES: Mapping[str, tuple[dict[int, int], str]] = {
    "email_domain": (_LOWER, "capital"),
    "lowerAscii": (_LOWER, "capital"),
    "upperAscii": (_UPPER, "small"),
    "url_host": (_LOWER, "capital"),
}
"""How each function changes a text, and the letters that it never gives."""


def as_given(term: Node, text: str) -> str:
    """`text` in the case of letters that `term` has; as it is where it may have any."""
    found = _GIVES.get(term.function) if isinstance(term, Invoke) else None
    return text if found is None else text.translate(found[0])


def letters_missing(term: Node) -> str:
    """Which letters `term`, for which `as_given` changes a text, never has."""
    assert isinstance(term, Invoke)
    return f"{_GIVES[term.function][1]} letters"


def answered_in_case(term: Node, answers: Answers, limit: int) -> Answers:
    """`answers` of `term`, with texts that it never is counted to the others.

    That is done on the side that holds `limit` values at most, as one of `==`, `!=` and `in` does.
    """
    never = _never(term, answers.true, limit)
    if never:
        return Answers(answers.true & ~never, answers.false | never)
    never = _never(term, answers.false, limit)
    return Answers(answers.true | never, answers.false & ~never)


def _never(term: Node, region: Region, limit: int) -> Region:
    """The texts in `region` that `term` is never, where it has few values."""
    values = region.values(limit) or ()
    return exactly(*(each for each in values if type(each) is str and as_given(term, each) != each))
