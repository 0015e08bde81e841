from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from guardrails.action import Action, SessionView, Subject
from guardrails.action_json import MAX_BYTES, MAX_DIGITS, parse_action, parse_json
from guardrails.errors import InvalidActionError

REFUSED = yaml.safe_load((Path(__file__).parent / "action_json_refused.yaml").read_text("utf-8"))

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


def refusal(text: str | bytes) -> str:
    with pytest.raises(InvalidActionError) as caught:
        parse_action(text)
    return str(caught.value)


def with_argument(value: str) -> str:
    return f'{{"tool": "pay", "arguments": {{"a": {value}}}}}'


def argument(value: str) -> Any:
    return (parse_action(with_argument(value)).arguments or {})["a"]


@pytest.mark.parametrize(
    ("text", "reason"), [case[1:] for case in REFUSED], ids=[str(case[0]) for case in REFUSED]
)
def test_whatever_could_be_read_differently_is_refused_with_its_reason(
    text: str, reason: str
) -> None:
    assert refusal(text) == reason
    assert refusal(text.encode()) == reason


def test_a_trailing_comma_is_refused() -> None:
    assert refusal('{"tool": "pay",}').startswith("malformed JSON at line 1, column 1")


def test_a_whole_action_is_read_as_written() -> None:
    text = """
    {"tool": "payments.transfer",
     "arguments": {"to": "ACME", "amount": 20, "parts": [1.5, true, null, {}]},
     "subject": {"id": "agent-7", "roles": ["billing"], "on_behalf_of": "dana@example.com",
                 "attributes": {"team": "x"}},
     "context": {"environment": "prod"},
     "session": {"id": "s-1", "labels": ["confidential"]}}
    """
    assert parse_action(text) == Action(
        "payments.transfer",
        {"to": "ACME", "amount": 20, "parts": [1.5, True, None, {}]},
        Subject("agent-7", ["billing"], "dana@example.com", {"team": "x"}),
        {"environment": "prod"},
        SessionView("s-1", frozenset({"confidential"})),
    )


def test_what_is_left_out_is_unknown() -> None:
    assert parse_action('{"tool": "pay"}') == Action("pay", {}, None, None, None)


def test_a_subject_needs_only_an_id() -> None:
    action = parse_action('{"tool": "pay", "subject": {"id": "a"}, "session": {"id": "s"}}')
    assert action.subject == Subject("a")
    assert action.session == SessionView("s")


def test_a_byte_order_mark_is_refused() -> None:
    reason = "starts with a byte order mark; save it as UTF-8 without one"
    assert refusal('\ufeff{"tool": "pay"}') == reason
    assert refusal(b'\xef\xbb\xbf{"tool": "pay"}') == reason


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-16-be"])
def test_other_encodings_are_not_guessed(encoding: str) -> None:
    assert refusal('{"tool": "päy"}'.encode(encoding))


def test_bytes_that_are_not_utf_8_are_refused_with_their_place() -> None:
    assert refusal(b'{"tool": "p\xffy"}') == "not UTF-8: byte 12 is invalid"
    assert refusal(b'{"tool": "\xed\xa0\x80"}') == "not UTF-8: byte 11 is invalid"
    assert refusal(b'{"tool": "\xc0\xae"}') == "not UTF-8: byte 11 is invalid"


def test_a_lone_surrogate_in_the_text_itself_is_refused() -> None:
    assert refusal('{"tool": "\ud800"}') == "not Unicode text: character 11 is a lone surrogate"


def test_a_pair_of_surrogate_escapes_is_one_character() -> None:
    assert argument(r'"\ud83d\ude00"') == "\U0001f600"
    assert argument(r'"\\ud800"') == r"\ud800"


def test_integers_of_any_size_stay_exact() -> None:
    assert argument("9007199254740993") == 2**53 + 1
    assert argument("1" + "0" * 30) == 10**30
    assert argument("-" + "9" * (MAX_DIGITS - 1)) == -(10 ** (MAX_DIGITS - 1)) + 1
    assert type(argument("20")) is int
    assert type(argument("20.0")) is float


def test_an_integer_beyond_pythons_limit_of_conversion_is_refused() -> None:
    reason = f"an integer of more than {MAX_DIGITS} digits"
    assert refusal(with_argument("9" * (MAX_DIGITS + 1))) == reason
    assert refusal(with_argument("9" * 1_000_000)) == reason


def test_long_decimals_are_numbers() -> None:
    assert argument("0." + "1" * 100_000) == pytest.approx(1 / 9)
    assert argument("1e-999") == 0.0


def test_the_size_is_bounded_before_anything_is_parsed() -> None:
    reason = "longer than 4,194,304 bytes"
    assert refusal(b"[" * (MAX_BYTES + 1)) == reason
    assert refusal("[" * (MAX_BYTES + 1)) == reason
    assert refusal("é" * (MAX_BYTES // 2 + 1)) == reason


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"b":'])
def test_nesting_is_bounded_before_anything_is_parsed(opening: str) -> None:
    assert refusal(opening * 100_000) == "nested deeper than 128 levels"


def test_brackets_in_strings_are_no_nesting() -> None:
    assert argument(json.dumps('[{\\"' * 1000)) == '[{\\"' * 1000
    assert argument("[" * 126 + "]" * 126) is not None
    assert refusal(with_argument("[" * 127 + "]" * 127)) == "nested deeper than 128 levels"
    many = "[" + ",".join(["[]"] * 1000) + "]"
    assert argument(many) == [[]] * 1000


def test_a_caller_whose_stack_is_almost_used_up_gets_a_refusal() -> None:
    text = with_argument("[" * 100 + "]" * 100)

    def descend(levels: int) -> str:
        if levels:
            return descend(levels - 1)
        try:
            parse_json(text)
        except InvalidActionError as error:
            return str(error)
        return "parsed"

    outcomes = set()
    for levels in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit()):
        try:
            outcomes.add(descend(levels))
        except RecursionError:
            break
    assert outcomes <= {"parsed", "nested too deep to be parsed here"}


def test_long_keys_are_cut_in_the_reason() -> None:
    key = "k" * 100_000
    assert refusal(f'{{"{key}": 1}}') == "unknown key `" + "k" * 79 + "…`"


@given(VALUES)
def test_what_json_writes_is_read_back_exactly(value: Any) -> None:
    for ascii_only in (True, False):
        read = argument(json.dumps(value, ensure_ascii=ascii_only))
        assert (repr(read), type(read)) == (repr(value), type(value))


@given(st.binary(max_size=200) | st.text(st.characters(), max_size=200))
@example(b"\x00")
@example("{" * 300)
def test_no_text_raises_anything_but_a_refusal(text: str | bytes) -> None:
    with suppress(InvalidActionError):
        assert type(parse_action(text)) is Action
