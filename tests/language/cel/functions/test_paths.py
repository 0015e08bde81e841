from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from tests.language.cel.functions.calls import (
    Meter,
    call,
    call_specialised,
    cases,
    complaint,
    outcome,
    overload_of,
)

PATHS = st.lists(st.sampled_from(["a", "b", "data", "..", ".", "", "é", "x y"]), max_size=5).map(
    lambda components: "/" + "/".join(components)
)


@pytest.mark.parametrize("case", cases("paths.yaml", "path_within"))
def test_a_path_lies_within_another_component_by_component(case: dict[str, Any]) -> None:
    expected = case["answer"] if "answer" in case else case["refused"]
    assert outcome({"call": "path_within", **case}, case["path"], case["root"]) == expected


@pytest.mark.parametrize("case", cases("paths.yaml", "path_within"))
def test_a_literal_root_answers_the_same(case: dict[str, Any]) -> None:
    if "answer" in case:
        within = call_specialised("path_within", case["path"], case["root"], literal=1)
        assert within == case["answer"]
    else:
        with pytest.raises(EvaluationError):
            call_specialised("path_within", case["path"], case["root"], literal=1)


@pytest.mark.parametrize("case", cases("paths.yaml", "roots"))
def test_a_root_that_is_no_path_is_a_fault_of_the_policy(case: dict[str, Any]) -> None:
    said = complaint("path_within", "/data/x", case["root"], literal=1)
    assert said is not None
    assert said.startswith(f"`{case['root']}` is no plain path such as `/srv/data`: ")
    assert case["refused"] in said
    with pytest.raises(EvaluationError):
        call("path_within", "/data/x", case["root"])


def test_a_root_that_is_no_literal_is_neither_checked_nor_read_at_load() -> None:
    assert complaint("path_within", "/data", "nonsense", literal=0) is None
    overload = overload_of("path_within", "/data", "/data")
    assert overload.specialise is not None
    assert overload.specialise(("/data", None)) is None


def test_a_path_that_no_system_opens_is_refused() -> None:
    with pytest.raises(EvaluationError, match="at most 4096"):
        call("path_within", "/" + "a" * 4096, "/")


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(EvaluationError, match="invisible"):
        call("path_within", "/data/\udc00", "/data")


@given(PATHS, PATHS)
def test_within_is_what_pathlib_says_of_plain_paths(path: str, root: str) -> None:
    try:
        within = call("path_within", path, root)
    except EvaluationError:
        return
    assert within == PurePosixPath(path).is_relative_to(root)


def test_reading_is_charged_by_size() -> None:
    plain, beyond = Meter(), Meter()
    call("path_within", "/data/" + "a" * 100, "/data", meter=plain)
    call("path_within", "/data/" + "é" * 100, "/data", meter=beyond)
    assert plain.spent < 50
    assert beyond.spent > 400
    with pytest.raises(EvaluationError, match="too much work"):
        call("path_within", "/" + "é" * 100_000, "/", meter=Meter(steps=1000))
