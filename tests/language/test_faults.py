"""Every message of the loader to the letter, with its place and its caret: see faults.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrails.errors import PolicyError
from guardrails.language.loader import load_texts

CASES = yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_problem_of_a_faulty_document_is_told(case: dict[str, Any]) -> None:
    files = case.get("files") or {"p.yaml": case["text"]}
    with pytest.raises(PolicyError) as caught:
        load_texts(files)
    assert str(caught.value) == case["problems"].removesuffix("\n")


def test_names_of_cases_are_unique() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)
