from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from tests.language.cel.functions.calls import Meter, call, cases, outcome

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("ab"), max_size=12)
MEGABYTE = "ab" * 500_000


@pytest.mark.parametrize("case", cases("strings.yaml", "strings"))
def test_a_function_on_strings_answers_as_specified(case: dict[str, Any]) -> None:
    assert outcome(case, *case["of"]) == case.get("answer", case.get("refused"))


@given(TEXTS, TEXTS)
def test_a_place_that_is_found_holds_the_part(text: str, part: str) -> None:
    first, last = call("indexOf", text, part), call("lastIndexOf", text, part)
    assert first == text.find(part)
    assert last == text.rfind(part)
    assert (first >= 0) == call("contains", text, part)


@given(TEXTS, TEXTS, st.integers(0, 12))
def test_a_last_place_begins_no_later_than_asked(text: str, part: str, latest: int) -> None:
    latest = min(latest, len(text))
    expected = max((at for at in range(latest + 1) if text.startswith(part, at)), default=-1)
    assert call("lastIndexOf", text, part, latest) == expected


@given(TEXTS, TEXTS, st.integers(-2, 5))
def test_what_is_split_joins_again(text: str, separator: str, limit: int) -> None:
    parts = call("split", text, separator, limit)
    assert call("join", parts, separator) == ("" if limit == 0 else text)
    assert limit < 0 or len(parts) <= limit


@given(TEXTS, TEXTS, TEXTS, st.integers(-2, 5))
def test_replacing_is_python_s(text: str, old: str, new: str, limit: int) -> None:
    assert call("replace", text, old, new, limit) == text.replace(old, new, max(limit, -1))


@given(TEXTS)
def test_case_of_ascii_changes_no_other_character(text: str) -> None:
    lower, upper = call("lowerAscii", text), call("upperAscii", text)
    assert [a for a in lower if not a.isascii()] == [a for a in text if not a.isascii()]
    assert lower == "".join(a.lower() if a.isascii() else a for a in text)
    assert upper == "".join(a.upper() if a.isascii() else a for a in text)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("contains", (MEGABYTE, "abc")),
        ("startsWith", ("abc", MEGABYTE)),
        ("endsWith", ("abc", MEGABYTE)),
        ("indexOf", (MEGABYTE, "c")),
        ("lastIndexOf", (MEGABYTE, "c")),
        ("lastIndexOf", (MEGABYTE, "c", 900_000)),
        ("lowerAscii", (MEGABYTE,)),
        ("upperAscii", (MEGABYTE,)),
        ("trim", (MEGABYTE,)),
        ("reverse", (MEGABYTE,)),
        ("substring", (MEGABYTE, 1)),
        ("replace", (MEGABYTE, "c", "d")),
        ("split", (MEGABYTE, "c")),
        ("join", ([MEGABYTE],)),
        ("strings.quote", (MEGABYTE,)),
        ("format", ("%s", [MEGABYTE])),
        ("format", (MEGABYTE, [])),
    ],
)
def test_a_megabyte_is_charged_by_size_and_refused_before_it_is_read(
    name: str, arguments: tuple[object, ...]
) -> None:
    meter = Meter()
    call(name, *arguments, meter=meter)
    assert 10_000 < meter.spent < 100_000
    with pytest.raises(EvaluationError, match="too much work"):
        call(name, *arguments, meter=Meter(steps=5_000))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("replace", (MEGABYTE, "", MEGABYTE)),
        ("replace", ("a" * 10_000, "a", "b" * 100_000)),
        ("join", ([MEGABYTE] * 10_000,)),
        ("join", ([""] * 100_000, MEGABYTE)),
        ("split", (MEGABYTE, "")),
        ("split", (MEGABYTE, "a")),
        ("format", ("%s" * 1000, [MEGABYTE] * 1000)),
        ("format", ("%.1000f" * 100_000, [1.0] * 100_000)),
    ],
)
def test_what_would_grow_is_charged_by_the_size_of_its_result(
    name: str, arguments: tuple[object, ...]
) -> None:
    with pytest.raises(EvaluationError, match="too much work"):
        call(name, *arguments, meter=Meter(steps=400_000))


def test_searching_backwards_takes_linear_time() -> None:
    # `str.rfind` would compare 10**10 characters here.
    assert call("lastIndexOf", "a" * 200_000, "b" + "a" * 100_000) == -1


def test_a_lone_surrogate_passes_through_what_only_moves_characters() -> None:
    assert call("lowerAscii", "A\ud800") == "a\ud800"
    assert call("upperAscii", "a\udfff") == "A\udfff"
    assert call("reverse", "a\ud800") == "\ud800a"
