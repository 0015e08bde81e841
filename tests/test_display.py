from __future__ import annotations

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.display import escape, excerpt, quote


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("payments.transfer", "payments.transfer"),
        ("Überweisung für 日本", "Überweisung für 日本"),
        ("no-break\u00a0space", "no-break\u00a0space"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("user\u202efdp.exe", r"user\u202efdp.exe"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("two\u2028lines", r"two\u2028lines"),
        ("\ud800", r"\ud800"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("\x9b31m", r"\x9b31m"),
    ],
)
def test_what_a_terminal_would_obey_or_hide_is_written_out(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text(st.characters()))
def test_nothing_escaped_holds_a_control_or_format_character(text: str) -> None:
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not {category(character) for character in escape(text)} & hidden


@pytest.mark.parametrize(
    ("line", "column", "width", "shown"),
    [
        ("when: abc", 7, 3, "    when: abc\n          ^^^"),
        ("      when: abc", 13, 3, "    when: abc\n          ^^^"),
        ("  abc", 1, 1, "      abc\n    ^"),
        ("abc", 4, 1, "    abc\n       ^"),
        ("abc", 2, 0, "    abc\n     ^"),
        ("abc", 2, 99, "    abc\n     ^^"),
        ("\tabc\x1b", 2, 9, "    \\tabc\\x1b\n      ^^^^^^^"),
        ("日本 abc", 4, 3, "    日本 abc\n         ^^^"),
        ("日本", 2, 1, "    日本\n      ^^"),
        ("e\u0301 abc", 4, 3, "    e\u0301 abc\n      ^^^"),
        ("x" * 300, 200, 2, f"    {'x' * 100}\n    {' ' * 60}^^"),
        ("x" * 300, 200, 99, f"    {'x' * 100}\n    {' ' * 60}{'^' * 40}"),
        ("", 1, 1, "    \n    ^"),
    ],
)
def test_carets_stand_under_what_is_at_fault(
    line: str, column: int, width: int, shown: str
) -> None:
    assert excerpt(line, column, width) == shown


def test_an_input_is_quoted_escaped_and_cut() -> None:
    assert quote("a\u202eb") == r"`a\u202eb`"
    assert quote("x" * 80) == f"`{'x' * 80}`"
    assert quote("x" * 81) == f"`{'x' * 79}…`"
    assert quote("") == "`` (empty)"
