"""Mistakes in policies that must not load as fewer restrictions: see policies_refused.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrails import PolicyError
from guardrails.testing import policies_over

MISTAKES = yaml.safe_load(
    Path(__file__).with_name("policies_refused.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["name"])
def test_a_mistake_in_a_policy_is_refused(mistake: dict[str, Any]) -> None:
    with pytest.raises(PolicyError) as caught:
        policies_over(mistake["text"])
    place, says = mistake["problem"]
    found = [f"{each.line}:{each.column} {each.message}" for each in caught.value.problems]
    assert any(each.startswith(f"{place} ") and says in each for each in found), found
