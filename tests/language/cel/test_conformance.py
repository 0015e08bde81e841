"""Every conformance case of the CEL specification passes that conditions can have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.language.cel.conformance import (
    SECTIONS,
    Case,
    cases_in,
    left_out,
    literal,
    passes,
    run,
)
from tests.shared import SHARED

FOLDER = SHARED / "data" / "cel_spec"
REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "cel.md"

pytestmark = pytest.mark.skipif(
    not FOLDER.exists(), reason="the specification's cases are not beside the project"
)


@pytest.fixture(scope="module")
def every() -> dict[str, Case]:
    return cases_in(FOLDER)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_case_passes_that_is_not_left_out(every: dict[str, Case], section: str) -> None:
    skipped = left_out()
    failing = [
        name
        for name, case in every.items()
        if case["file"] == section and name not in skipped and not passes(case)
    ]
    assert failing == []


def test_no_case_is_left_out_that_is_unknown_or_passes(every: dict[str, Case]) -> None:
    skipped = left_out()
    assert skipped.keys() - every.keys() == set()
    assert [name for name in skipped if passes(every[name])] == []


def test_the_reference_tells_how_many_cases_pass_and_are_left_out(every: dict[str, Case]) -> None:
    told = re.search(
        r"Of (\d+)\s+cases, (\d+) pass and (\d+) are left out", REFERENCE.read_text("utf-8")
    )
    assert told is not None
    skipped = len(left_out())
    assert tuple(map(int, told.groups())) == (len(every), len(every) - skipped, skipped)


def _can_be_a_condition(case: Case) -> bool:
    nan = "'nan'" in str(case.get("value"))  # which equals nothing, not even itself
    return "value" in case and not nan and not case.get("disable_check")


def test_every_value_is_given_by_a_condition_too(every: dict[str, Case]) -> None:
    skipped = left_out()
    chosen = [
        case for name, case in every.items() if name not in skipped and _can_be_a_condition(case)
    ]
    compared = [
        {**case, "expr": f"({case['expr']}) == {literal(case['value'])}"} for case in chosen
    ]
    assert len(compared) > 1_100
    assert [case["expr"] for case in compared if run(case, condition=True) is not True] == []
