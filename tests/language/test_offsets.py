"""Where the characters of a scalar stand in the file."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from guardrails.language.offsets import locate, segments_of
from guardrails.language.yaml_reader import decode, read_yaml

BLANK = " \t\r\n"


def places_of(text: str) -> tuple[str, list[tuple[int, int]]]:
    tree, problems = read_yaml(decode("p.yaml", text.encode()))
    assert tree is not None, problems
    value: Any = tree.data["when"]
    segments = segments_of(text, tree.value(tree.data, "when"))
    return value, [locate(segments, offset) for offset in range(len(value) + 1)]


def find(text: str, word: str) -> tuple[int, int]:
    value, places = places_of(text)
    return places[value.index(word)]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("when: abc here", (1, 11)),
        ("when: 'abc here'", (1, 12)),
        ('when: "abc here"', (1, 12)),
        ("when: &x abc here", (1, 14)),
        ("when: &x 'abc here'", (1, 15)),
        ("when: 'a''c'' here'", (1, 15)),
        ('when: "\\x61\\u0062\\U00000063 \\"here"', (1, 31)),
        ('when: "a\\tb\\\\\\n here"', (1, 17)),
        ("when: abc\n  def here", (2, 7)),
        ("when:\n  abc\n  here", (3, 3)),
        ("when: abc\r\n  def here", (2, 7)),
        ("when: 'abc\n\n  def here'", (3, 7)),
        ('when: "abc \\\n  \\ def here"', (2, 9)),
        ('when: "abc\\\r\n  def here"', (2, 7)),
        ("when: >-\n  abc\n  def here", (3, 7)),
        ("when: >-  # why\n  abc\n\n\n  def here\n", (5, 7)),
        ("when: |\n    abc\n      def here\n", (3, 11)),
        ("when: |2-\n    abc\n  here\n", (3, 3)),
        ('when: "abc here \\\n"', (1, 12)),
        ("when: |+\r\n  abc\r\n  here\r\n\r\n", (3, 3)),
        ("a: b\nwhen: &x\n  abc here", (3, 7)),
        ("a: b\nwhen: &x >-\n  abc here", (3, 7)),
    ],
)
def test_a_word_is_found_where_it_stands(text: str, place: tuple[int, int]) -> None:
    assert find(text, "here") == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("when: abc", (1, 10)),
        ("when: 'abc'", (1, 11)),
        ("when: |\n  abc\n", (2, 6)),
        ("when: ''", (1, 8)),
    ],
)
def test_the_end_of_a_value_has_a_place_too(text: str, place: tuple[int, int]) -> None:
    value, places = places_of(text)
    assert places[len(value.rstrip("\n"))] == place


texts = st.text(st.sampled_from("ab'\"\\#: \n\tü\U0001f600&|>-{}[],\u00a0"), min_size=1)


@given(texts, st.sampled_from(["'", '"', "|", ">", None]), st.integers(20, 60), st.booleans())
def test_every_character_that_stands_for_itself_is_found(
    value: str, style: str | None, width: int, unicode: bool
) -> None:
    text = yaml.dump(
        {"a": 1, "when": value}, default_style=style, width=width, allow_unicode=unicode
    )
    lines = text.split("\n")
    loaded, places = places_of(text)
    for character, (line, column) in zip(loaded, places, strict=False):
        assert column >= 1
        found = lines[line - 1][column - 1 : column]
        if character not in BLANK:
            assert found in (character, "\\")


def test_a_value_that_is_not_in_the_text_leads_no_further_than_its_end() -> None:
    event = yaml.ScalarEvent(
        None,
        None,
        (False, True),
        "xyz",
        yaml.Mark("", 0, 0, 0, "", 0),
        yaml.Mark("", 4, 0, 4, "", 0),
        "'",
    )
    segments = segments_of("'  '", event)
    assert locate(segments, 0) == (1, 4)
