"""Where values came from and whether the person stated them, by cases and as laws."""

from __future__ import annotations

import string
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from guardrails.session.origins import Origins
from guardrails.session.origins.grams import Grams
from guardrails.session.origins.intake import Intake
from guardrails.session.origins.memory import TEXT_MAX
from guardrails.session.origins.reading import marks, parts, readings
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


ODDITIES = """
of of the word and/or it's e.g. 5 5th 10 am pm a.m. May may, sept. 2024 - -- ( ) \u20ac $ %
10% 5eur DE89 GB29 NWBK 3704 0044 6016 +44 20 7946 10:30 t14 20.05.2024 2024-05-20 mar
decide x@y.com http://a.b/c mailto:a@b.c 1,000.00 1 000 .5 k nd h 12:00z
caf\u00e9 \u0130stanbul \u00bd
<b>x</b> &amp; a%20b {k: "q" [z] 5.238,531.73
"""
GAPS = (" ", " ", " ", "  ", "\n", " \n ", "\t", "", "-", " \x1f ")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ODDITIES.split()), st.sampled_from(GAPS)), max_size=25))
def test_results_are_taken_in_as_they_read(pieces: list[tuple[str, str]]) -> None:
    text = "".join(part for piece in pieces for part in piece)
    taken = [(words, found) for words, found in INTAKE.read(text)]
    assert taken == [(each.words, marks(each) | parts(each)) for each in readings(text)]


INTAKE = Intake()
"""One for all examples, as a session has one: what it remembers must not tell."""
