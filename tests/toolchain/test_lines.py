from __future__ import annotations

from guardrails.decision import Effect
from guardrails.toolchain.lines import Tone, line, paragraph, plain, tone_of


def test_a_line_escapes_what_it_is_given() -> None:
    told = line("deny ", ("pay\x1b[2J", Tone.STRONG))
    assert told == (("deny ", Tone.PLAIN), (r"pay\x1b[2J", Tone.STRONG))


def test_a_paragraph_keeps_the_lines_of_its_text_and_drops_empty_ones() -> None:
    assert plain(paragraph("one\n\ntwo\u202e", 2)) == "  one\n  two\\u202e\n"
    assert paragraph("", 2) == []


def test_plain_text_has_no_trailing_blanks() -> None:
    assert plain([line("a", "  "), line(), line("b")]) == "a\n\nb\n"


def test_every_effect_has_a_tone() -> None:
    assert [tone_of(effect) for effect in Effect] == [Tone.ALLOW, Tone.ESCALATE, Tone.DENY]
