from __future__ import annotations

import pytest

from guardrails.toolchain.lint.regex import open_ends

BOUND = [
    "^a$",
    r"\Aa\z",
    "(?i)^a$",
    "(?i:^a$)",
    "^(a|b)$",
    "(^a|^b)$",
    "^a$|^b$",
    "(?P<name>^a)$",
    "(?<name>^a)$",
    "^a.*",
    ".*a$",
    r"[\s\S]*a[\s\S]+",
    "^a{2,3}$",
    "^[]]$|^[^]]$",
    r"^[^\]]$",
    r"^\Q$|\E$",
    "(?m)\\Aa\\z",
    "(?-m)^a$",
]
AT_THE_BEGINNING = [
    "a$",
    "a|^b$".replace("a|", "a$|"),
    "(^|/)a$",
    "(?m)^a\\z",
    "(^a)?b$",
    r"\^a$",
    "(?:^a)*$",
]
AT_THE_END = ["^a", r"^a\$", "^a($|/)", "^a[$]", "(?m)\\Aa$", r"^\Qa$"]
AT_BOTH = ["a", "", "a|b", "^a|b$", "(?m)^a$", "(?i)a", "(a)", "^a$|"]


@pytest.mark.parametrize("pattern", BOUND)
def test_a_pattern_is_bound_where_no_text_can_stand_beyond_it(pattern: str) -> None:
    assert open_ends(pattern) == (False, False)


@pytest.mark.parametrize("pattern", AT_THE_BEGINNING)
def test_a_pattern_is_open_at_its_beginning(pattern: str) -> None:
    assert open_ends(pattern) == (True, False)


@pytest.mark.parametrize("pattern", AT_THE_END)
def test_a_pattern_is_open_at_its_end(pattern: str) -> None:
    assert open_ends(pattern) == (False, True)


@pytest.mark.parametrize("pattern", AT_BOTH)
def test_a_pattern_is_open_at_both_ends(pattern: str) -> None:
    assert open_ends(pattern) == (True, True)


@pytest.mark.parametrize("pattern", BOUND + AT_THE_BEGINNING + AT_THE_END + AT_BOTH)
def test_the_patterns_above_are_such_as_re2_takes(pattern: str) -> None:
    import re2

    re2.compile(pattern)
