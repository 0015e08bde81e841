from __future__ import annotations

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.display import escape


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
