from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.server.values import lay_out, mark, point_out
from guardrails.values import Duration, Timestamp, UInt


def text(value: Any) -> str:
    return "".join(piece.text for piece in lay_out(value).pieces)


@pytest.mark.parametrize(
    ("value", "shown", "kind"),
    [
        ("ACME", '"ACME"', "text"),
        ("", '""', "text, empty"),
        (900, "900", "integer"),
        (900.0, "900.0", "number"),
        (UInt(5), "5u", "integer without sign"),
        (True, "true", "true or false"),
        (None, "null", "nothing"),
        (b"\x00\xff", "base64 AP8=", "2 bytes"),
        ([], "[]", "list of 0"),
        ({}, "{}", "map of 0"),
        ([1, "a"], '[1, "a"]', "list of 2"),
        ({"a": 1.5}, '{"a": 1.5}', "map of 1"),
        (Timestamp(0), 'timestamp("1970-01-01T00:00:00Z")', "point in time"),
        (Duration(1_500_000_000), 'duration("1.5s")', "span of time"),
        ('say "yes"\\', '"say \\"yes\\"\\\\"', "text"),
        ("a\nb", '"a\\n\nb"', "text"),
    ],
    ids=repr,
)
def test_a_value_is_shown_in_full_with_its_kind(value: Any, shown: str, kind: str) -> None:
    assert text(value) == shown
    assert lay_out(value).kind == kind


@pytest.mark.parametrize(
    ("character", "hint"),
    [
        ("\u202e", "U+202E, right-to-left override"),
        ("\u2066", "U+2066, left-to-right isolate"),
        ("\u200b", "U+200B, zero width space"),
        ("\u00a0", "U+00A0, no-break space"),
        ("\ufeff", "U+FEFF, zero width no-break space"),
        ("\x1b", "U+001B, a control character"),
        ("\x00", "U+0000, a control character"),
        ("\r", "U+000D, a carriage return"),
        ("\u2028", "U+2028, line separator"),
        ("\ufe0f", "U+FE0F, variation selector-16"),
        ("\U000e0041", "U+E0041, tag latin capital letter a"),
    ],
)
def test_what_would_not_show_is_marked_and_told(character: str, hint: str) -> None:
    laid = lay_out(f"a{character}b")
    marks = [piece for piece in laid.pieces if piece.tone == "mark"]
    assert [piece.hint for piece in marks] == [hint]
    assert marks[0].text.isascii()
    assert laid.notes == ("holds characters that would not show",)


def test_letters_that_pass_for_latin_ones_are_told_wherever_they_are() -> None:
    for value in ("\u0410CME", [{"to": ["\u0410CME"]}], {"\u0410": 1}):
        assert lay_out(value).notes == (
            "holds Cyrillic letters, some of which look like Latin ones",
        )
    assert lay_out("Zürich, 東京").notes == ()


def test_the_letter_itself_is_marked() -> None:
    found = [piece for piece in lay_out("\u0410CME").pieces if piece.tone == "alike"]
    assert [(piece.text, piece.hint) for piece in found] == [
        ("\u0410", "U+0410, cyrillic capital letter a")
    ]


def test_a_long_structure_is_laid_out_in_lines() -> None:
    shown = text({"list": ["x" * 40, "y" * 40], "n": 1})
    assert shown == (
        '{\n  "list": [\n    "' + "x" * 40 + '",\n    "' + "y" * 40 + '"\n  ],\n  "n": 1\n}'
    )


@given(st.text())
def test_nothing_of_a_text_is_lost_and_nothing_hides(value: str) -> None:
    shown = text(value)
    assert shown.startswith('"')
    assert shown.endswith('"')
    assert shown.replace("\n", "").isprintable()
    assert len(shown) >= len(value) + 2


@given(st.text())
def test_a_name_is_marked_as_a_value_is(value: str) -> None:
    assert "".join(piece.text for piece in mark(value)).isprintable()


LETTER = "Dear all,\nplease pay {} to the account below by the end of this month.\nRegards"


def compare(before: Any, now: Any) -> tuple[str, str]:
    told = point_out(lay_out(now), lay_out(before))
    return "".join(piece.text for piece in told.pieces if piece.new), told.change


def test_the_part_of_a_long_text_that_has_changed_is_pointed_out() -> None:
    new, told = compare(LETTER.format("20 EUR"), LETTER.format("95 USD"))
    assert new == "95 USD"
    assert told == "Changed in characters 25 to 30, underlined."


def test_what_a_long_text_has_lost_is_told() -> None:
    new, told = compare(LETTER.format("20 EUR"), LETTER.format(""))
    assert new == ""
    assert told == "Changed: what stood after its first 24 characters is gone."


@pytest.mark.parametrize(
    ("before", "now"), [("20", "95"), ("x" * 90, "y" * 90), (LETTER, LETTER)], ids=str
)
def test_what_is_compared_at_a_glance_or_is_another_is_left_as_it_is(before: str, now: str) -> None:
    assert compare(before, now) == ("", "")


@given(st.text(min_size=30), st.text(), st.text(), st.text(min_size=30))
def test_pointing_out_changes_nothing_that_is_shown(
    start: str, was: str, now: str, end: str
) -> None:
    value = lay_out(start + now + end)
    told = point_out(value, lay_out(start + was + end))
    assert "".join(piece.text for piece in told.pieces) == text(start + now + end)
