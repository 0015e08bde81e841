"""Where values came from and whether the person stated them, by cases and as laws."""

from __future__ import annotations

import string
import unicodedata
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from guardrails.session.origins import Origins
from guardrails.session.origins.folding import fold_loosely, fold_plain
from guardrails.session.origins.grams import SEARCHES, Grams
from guardrails.session.origins.intake import Intake
from guardrails.session.origins.memory import TEXT_MAX
from guardrails.session.origins.reading import Reading, marks, parts, read_folded, readings
from guardrails.values import Opaque, Timestamp

HERE = Path(__file__).parent


@dataclass(slots=True)
class Work:
    """The work that is left."""

    steps: int = 100_000


def cases(name: str) -> list[Any]:
    groups = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return [
        pytest.param(case, group, id=f"{case.get('said', case.get('gave'))} | {case['value']}")
        for group, found in groups.items()
        for case in found
    ]


def origins(memory: Origins, value: Any) -> list[str]:
    return memory.origins(value, Work())


def with_source(gave: Any) -> Origins:
    memory = Origins()
    memory.receive(["untrusted"], gave)
    return memory


@pytest.mark.parametrize(("case", "group"), cases("said.yaml"))
def test_what_is_stated_is_what_a_careful_reader_finds(case: dict[str, Any], group: str) -> None:
    memory = Origins()
    memory.say(case["said"])
    stated = memory.stated(case["value"], Work(), case.get("fields", ()))
    assert stated is case["stated"], group


@pytest.mark.parametrize(("case", "group"), cases("came.yaml"))
def test_a_value_came_from_where_its_text_is(case: dict[str, Any], group: str) -> None:
    expected = ["untrusted"] if group == "found" else []
    assert origins(with_source(case["gave"]), case["value"]) == expected


def test_labels_of_all_sources_and_all_parts_are_united() -> None:
    memory = Origins()
    memory.receive(["untrusted", "mail"], "from ann@example.com")
    memory.receive(["own"], "to bob@example.com")
    memory.receive(["other"], "nothing")
    assert origins(memory, {"a": "ann@example.com", "b": ["bob@example.com"]}) == [
        "mail",
        "own",
        "untrusted",
    ]
    assert origins(memory, "bob@example.com") == ["own"]


def test_what_comes_after_the_first_question_is_known_at_the_next() -> None:
    memory = with_source("first")
    assert origins(memory, "second") == []
    memory.receive(["untrusted"], "second")
    assert origins(memory, "second") == ["untrusted"]


def test_nobody_is_answered_while_another_takes_in_what_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory = with_source("to ACME Ltd")
    begun, go_on, add = Event(), Event(), Grams.add

    def add_slowly(self: Grams, words: list[str], marks: set[str]) -> bool:
        begun.set()
        assert go_on.wait(5)
        return add(self, words, marks)

    monkeypatch.setattr(Grams, "add", add_slowly)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(origins, memory, "x")
        assert begun.wait(5)
        second = pool.submit(origins, memory, "ACME Ltd")
        wait([second], 0.05)
        go_on.set()
        assert (first.result(), second.result()) == ([], ["untrusted"])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-le", "latin-1"])
def test_bytes_that_are_no_text_are_the_origin_of_everything(encoding: str) -> None:
    assert origins(with_source("für ACME".encode()), "für ACME") == ["untrusted"]
    assert origins(with_source("für ACME".encode()), "anything") == []
    assert origins(with_source("für ACME".encode(encoding)), "anything") == ["untrusted"]


def test_an_object_is_read_beyond_its_fields() -> None:
    @dataclass
    class Page:
        title: str

    class Text(str):
        __slots__ = ("__dict__",)

    class Rows(list[str]):
        pass

    for carrier in (Page("Home"), Text("Home"), Rows(["Home"]), ValueError("Home")):
        vars(carrier)["hidden"] = "pay EVIL Ltd"
        memory = with_source([carrier])
        assert origins(memory, "EVIL Ltd") == origins(memory, "home") == ["untrusted"]
        assert origins(memory, "other") == []
    assert origins(with_source(HTTPStatus.OK), "other") == []


def test_a_result_that_comes_again_is_taken_in_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def note(_: Intake, text: str) -> tuple[()]:
        read.append(text)
        return ()

    monkeypatch.setattr(Intake, "read", note)
    memory = Origins()
    page = "the same page \ud800 " * 20
    for labels in (["untrusted"], ["untrusted"], ["own"], ["untrusted"]):
        memory.receive(labels, page)
        origins(memory, "anything")
    assert read == [page, page]


def test_a_result_that_can_not_be_read_is_the_origin_of_everything() -> None:
    memory = with_source({"handle": object()})
    assert origins(memory, "anything") == ["untrusted"]
    assert origins(Origins(), "anything") == []


def test_a_result_beyond_what_is_kept_is_the_origin_of_everything() -> None:
    memory = with_source("x" * (TEXT_MAX + 1))
    assert origins(memory, "anything") == ["untrusted"]


def test_an_error_of_a_tool_is_read_with_what_it_came_from() -> None:
    error = ValueError("outer")
    error.__cause__ = KeyError("inner words of the attacker")
    memory = with_source(error)
    assert origins(memory, "inner words of the attacker") == ["untrusted"]


def test_what_is_split_over_the_parts_of_a_stream_is_found() -> None:
    memory = Origins()
    stream = memory.open_stream(["untrusted"])
    for part in ("send it to GB29NWBK", "6016133", "1926819 today"):
        stream.receive(part)
    assert origins(memory, "GB29NWBK60161331926819") == ["untrusted"]
    stream.receive(" and mar")
    assert origins(memory, "mark@example.com") == []
    stream.receive("k@example.com")
    assert origins(memory, "mark@example.com") == ["untrusted"]


def test_records_of_a_stream_are_read_each_by_itself() -> None:
    memory = Origins()
    stream = memory.open_stream(["untrusted"])
    for record in ({"name": "ann"}, {"name": "bob"}):
        stream.receive(record)
    assert origins(memory, "bob") == ["untrusted"]


def test_a_result_of_a_class_that_raises_when_it_is_read_harms_nobody() -> None:
    class NastyError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert origins(with_source(NastyError()), "anything") == ["untrusted"]


def test_an_opaque_value_can_not_be_told() -> None:
    memory = with_source("text")
    for ask in (memory.origins, memory.stated):
        with pytest.raises(EvaluationError, match="a socket"):
            ask([Opaque("a socket")], Work())


def test_a_timestamp_is_stated_by_its_day_and_its_time() -> None:
    memory = Origins()
    memory.say("tomorrow, 1 June 2026, at 10:00")
    assert memory.stated(Timestamp(1_780_308_000_000_000_000), Work()) is True
    assert memory.stated(Timestamp(1_780_311_600_000_000_000), Work()) is False


def test_work_is_charged_by_the_length_of_the_value() -> None:
    memory = with_source("text")
    for ask in (memory.origins, memory.stated):
        work = Work(2_000)
        ask("x" * 500, work)
        assert work.steps == 999
        with pytest.raises(EvaluationError, match="too much work"):
            ask("x" * 500, work)


words = st.lists(st.text(string.ascii_letters, min_size=1, max_size=8), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(words, words, words)
def test_any_row_of_words_of_a_source_is_found_in_it(
    before: list[str], row: list[str], after: list[str]
) -> None:
    memory = with_source(" ".join([*before, *row, *after]))
    assert origins(memory, " ".join(row)) == ["untrusted"]


@settings(max_examples=60, deadline=None)
@given(words, words, words)
def test_any_row_of_words_that_was_said_is_stated(
    before: list[str], row: list[str], after: list[str]
) -> None:
    memory = Origins()
    memory.say(" ".join([*before, *row, *after]))
    assert memory.stated(" ".join(row), Work())


scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats()
values = st.recursive(
    scalars | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None)
@given(values)
def test_every_value_can_be_received_and_asked_about(value: Any) -> None:
    memory = with_source(value)
    memory.say(str(value))
    assert set(origins(memory, value)) <= {"untrusted"}
    assert memory.stated(value, Work(10**6)) in (True, False)


def test_rows_that_were_not_added_are_hardly_ever_found() -> None:
    grams = Grams()
    texts = [f"word{number}" for number in range(70_000)]
    assert grams.add(texts, ())
    assert all(map(grams.has, texts))
    assert sum(grams.has(f"other{number}") for number in range(20_000)) <= 20


def test_a_source_that_is_full_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardrails.session.origins.grams.FRESH_MAX", 8)
    monkeypatch.setattr("guardrails.session.origins.grams._SIZES", (8, 16))
    source = Grams()
    words = [f"word{number}" for number in range(40)]
    taken = [source.add([word], ()) for word in words]
    assert taken == [True] * 26 + [False] * 14
    assert all(map(source.has, words))


def test_words_of_a_text_that_waits_are_found_and_what_it_does_not_say_is_not() -> None:
    grams = Grams()
    grams.add(["a", "b", "c"], ())
    grams.add(["d", "a", "c"], ())
    for _ in range(SEARCHES):  # once more than the texts are searched
        assert grams.has_row(["a", "b", "c"])
        assert not grams.has_row(["c", "d"])  # one word ends a text, the other begins the next
        assert not grams.has_row(["b", "a"])


def test_the_rows_of_a_long_text_are_all_found_before_they_are_made_and_after() -> None:
    grams, words = Grams(), [f"word{number}" for number in range(10_000)]
    grams.add(words, ())
    rows = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    crossing = [row for row in rows if row[0] in ("word4093", "word4094", "word4095", "word8191")]
    assert all(map(grams.has, crossing))
    assert all(map(grams.has, rows))
    assert all(map(grams.has, pairwise(words)))


def test_a_text_whose_rows_would_fill_the_memory_does_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("guardrails.session.origins.grams.FRESH_MAX", 8)
    monkeypatch.setattr("guardrails.session.origins.grams._SIZES", (8, 16))
    source = Grams()
    taken = [source.add([f"a{number}", f"b{number}"], ()) for number in range(20)]
    assert taken == [True] * 9 + [False] * 11
    assert source.has(("never", "added"))  # as of whatever may have been beyond it


def test_texts_are_searched_as_often_as_their_rows_would_cost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Grams] = []
    make = Grams._make_rows

    def note(self: Grams) -> None:
        made.append(self)
        make(self)

    monkeypatch.setattr(Grams, "_make_rows", note)
    grams = Grams()
    grams.add(["a", "b", "c"], ())
    for asked in range(3 * SEARCHES):
        assert not grams.has(("b", "unknown"))  # of a word that no text has: none is searched
        assert not grams.has(("c", "a"))
        assert len(made) == (asked >= SEARCHES)


HOSTILE = {
    "no spaces": "abcdefgh" * 4_000,
    "one character": "a" * 32_000,
    "digits": "1" * 32_000,
    "numbers": "12 345 6 " * 4_000,
    "addresses": "".join(f"u{number}@e{number}.com " for number in range(2_000)),
    "at signs": "@" * 32_000,
    "dots": "a." * 16_000,
    "tags without an end": "<a" * 16_000,
    "split words": "a-\n" * 10_000,
    "white space": "a" + " " * 32_000 + "\n" * 8_000,
    "months": "may 5 of " * 4_000,
    "accounts": "de89 3704 " * 3_000,
    "letters of 18": "\ufdfa" * 2_000,
    "marks": "a" + "\u0301\u0316" * 16_000,
    "invisible characters": "\u200b" * 32_000,
}
"""Texts that would take the square of their length if they were read again and again."""


@pytest.mark.parametrize("name", HOSTILE)
def test_no_part_of_a_result_is_read_more_than_twice(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def note(text: str, *, symbols: bool) -> Reading:
        read.append(len(text))
        return read_folded(text, symbols=symbols)

    monkeypatch.setattr("guardrails.session.origins.intake.read_folded", note)
    text = HOSTILE[name]
    for words, _ in Intake().read(text):
        assert sum(map(len, words)) <= 18 * len(text)
    assert sum(read) <= 2 * max(len(text), len(fold_loosely(text)))


@settings(max_examples=200, deadline=None)
@given(st.text("a\u00e9\u0301\u0316\u0327\u0345\u0f73\u3099\uff9e\u1e69\U0001f600", max_size=120))
def test_marks_in_any_order_fold_as_unicode_has_it(text: str) -> None:
    assert fold_plain(text) == unicodedata.normalize("NFKC", text).casefold()


def test_marks_are_put_in_order_before_that_takes_the_square_of_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    normalize = unicodedata.normalize

    def normalize_ordered(form: Any, text: str) -> str:
        classes = list(map(unicodedata.combining, text))
        assert sum(a > b > 0 for a, b in pairwise(classes)) <= 32
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", normalize_ordered)
    for pile in ("\u0301\u0316", "\u0f73", "\uff9e\u0301", "\u0345\u0334"):
        for fold in (fold_plain, fold_loosely):
            assert len(fold("a" + pile * 5_000)) >= 1


@pytest.mark.parametrize("code", ["0" * 5_000 + "65", "65", "0065"])
def test_the_code_of_a_character_is_read_however_long_it_is(code: str) -> None:
    assert origins(with_source(f"pay &#{code};CME now"), "ACME") == ["untrusted"]
    assert origins(with_source(f"pay &#{'9' * 5_000};ACME now"), "ACME") == ["untrusted"]


ODDITIES = """
of of the word and/or it's e.g. 5 5th 10 am pm a.m. May may, sept. 2024 - -- ( ) \u20ac $ %
10% 5eur DE89 GB29 NWBK 3704 0044 6016 +44 20 7946 10:30 t14 20.05.2024 2024-05-20 mar
decide x@y.com http://a.b/c mailto:a@b.c 1,000.00 1 000 .5 k nd h 12:00z
caf\u00e9 \u0130stanbul \u00bd \u03a3 \u0391\u03a3 \u017f K e\u0301 \u0345 \ufdfa \uff9e \u200b
<b>x</b> &amp; a%20b {k: "q" [z] 5.238,531.73 &#65; &#0000000065; \\n \\\\
p.m. am/pm amy office pm) 10th \uff19 a..b _a_ a_b foo( .ssh ../x /etc/p :// -5 marble jan&feb
(may) "may" mailto: usd 5k #5 v2.0 abc123def a1-b2
"""
GAPS = (*" " * 6, "  ", "\n", " \n ", "\t", "\t\n", "\r\n", "", "-", " \x1f ", "\u00a0", ", ", ". ")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ODDITIES.split()), st.sampled_from(GAPS)), max_size=25))
def test_results_are_taken_in_as_they_read(pieces: list[tuple[str, str]]) -> None:
    text = "".join(part for piece in pieces for part in piece)
    taken = [(words, found) for words, found in INTAKE.read(text)]
    assert taken == [(each.words, marks(each) | parts(each)) for each in readings(text)]


INTAKE = Intake()
"""One for all examples, as a session has one: what it remembers must not tell."""
