"""Terms of approval in results and annotations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrails.language.document import Approval, Stage, Voters
from guardrails.language.rego.terms import read_terms

CASES = yaml.safe_load((Path(__file__).parent / "terms.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["terms"]))
def test_terms_are_read_or_refused_in_words(case: dict[str, Any]) -> None:
    if "fault" in case:
        with pytest.raises(ValueError, match=f"^{re.escape(case['fault'])}$"):
            read_terms(case["terms"])
        return
    told = case["as"]
    groups = tuple(Voters(tuple(names), quorum) for names, quorum in told["groups"])
    stages = tuple(Stage(after, tuple(names)) for after, names in told.get("stages", ()))
    assert read_terms(case["terms"]) == Approval(
        groups,
        told.get("timeout_ns"),
        stages,
        tuple(told.get("separate_from", ())),
        told.get("remember_ns"),
        told.get("veto", True),
    )
