"""Selectors that have somebody in common."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.language.document import Subjects
from guardrails.language.pattern import Pattern
from guardrails.toolchain.lint.selection import have_subject_in_common, overlap

PATTERNS = st.text("ab*", max_size=5).map(lambda text: re.sub(r"\*+", "*", text))
NAMES = ["".join(letters) for length in range(8) for letters in product("ab", repeat=length)]


@given(PATTERNS, PATTERNS)
def test_patterns_overlap_if_some_name_fits_both(one: str, other: str) -> None:
    # what two patterns of five characters have in common, if anything, has a name of eight at most
    both = [name for name in NAMES if Pattern(one).matches(name) and Pattern(other).matches(name)]
    if both:
        assert overlap(one, other)
    elif len(one.replace("*", "")) + len(other.replace("*", "")) < 8:
        assert not overlap(one, other)


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ([None, None], True),
        ([Subjects(("a",), None), None, Subjects(("a", "b"), None)], True),
        ([Subjects(("a",), None), Subjects(("b",), None)], False),
        ([Subjects(("agent-*",), None), Subjects(("*-7",), None)], True),
        ([Subjects(None, ("reader",)), Subjects(None, ("sender",))], False),
        ([Subjects(None, ("reader",)), Subjects(("agent-1",), None)], True),
        ([Subjects(("a",), ("x",)), Subjects(("a",), ("y",))], False),
        ([Subjects(("a*",), None), Subjects(("b*", "a1"), None), Subjects(("a*1",), None)], True),
    ],
)
def test_subjects_have_somebody_in_common(
    selectors: list[Subjects | None], *, expected: bool
) -> None:
    assert have_subject_in_common(selectors) is expected
