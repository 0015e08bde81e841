"""The reference of conditions tells the truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrails.engine.facts import CONDITION_STEPS
from guardrails.language.cel.lexer import MAX_LENGTH
from guardrails.language.cel.library import NAMES
from guardrails.language.cel.macros import VARIABLES
from guardrails.language.cel.parser import MAX_DEPTH
from guardrails.language.cel.relations import DENOTED

TEXT = (Path(__file__).parents[3] / "docs" / "reference" / "cel.md").read_text("utf-8")


def test_it_names_every_function_macro_and_type() -> None:
    assert [name for name in (*NAMES, *VARIABLES) if f"{name}(" not in TEXT] == []
    assert [name for name in DENOTED if f"| `{name}` |" not in TEXT] == []


@pytest.mark.parametrize(
    "line",
    [
        f"| characters of a condition | {MAX_LENGTH:,} |",
        f"| nesting | {MAX_DEPTH} |",
        f"| work of one condition | {CONDITION_STEPS:,} steps",
    ],
)
def test_it_tells_the_bounds(line: str) -> None:
    assert line in TEXT
