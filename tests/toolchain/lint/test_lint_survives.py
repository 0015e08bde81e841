"""Every rule of lint goes through every policy of the tests that loads, however it is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from guardrails.errors import PolicyError
from guardrails.instants import parse_timestamp
from guardrails.language.folder import folder_of
from guardrails.toolchain.lint import lint
from guardrails.toolchain.lint.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).resolve().parents[2]
NOW = parse_timestamp("2026-06-01T10:00:00Z").ns


def texts_in(value: Any) -> Iterator[str]:
    """The texts of policy documents anywhere in the data of a test."""
    if type(value) is str:
        if "version: 1" in value and "policy:" in value:
            yield value
    elif type(value) in (list, dict):
        for each in value.values() if type(value) is dict else value:
            yield from texts_in(each)


def policies() -> list[str]:
    """Every such text of the tests' YAML files, and the policies that stand beside them."""
    found: dict[str, None] = {}
    for path in sorted(TESTS.rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        found |= dict.fromkeys(texts_in(yaml.load(text, yaml.CSafeLoader)))
        found |= dict.fromkeys(texts_in(text))
    return list(found)


def rewritten(text: str) -> Iterator[str]:
    """The same policy with other line breaks, with a mark before it, and without its last break."""
    yield text
    yield text.replace("\n", "\r\n")
    yield "\ufeff" + text.rstrip("\n")


@pytest.mark.slow
def test_no_policy_that_loads_is_too_much_for_a_rule() -> None:
    loaded = 0
    for policy in policies():
        for text in rewritten(policy):
            try:
                project = Project(folder_of({"p.yaml": text}), "policies", NOW)
            except PolicyError:
                continue
            loaded += 1
            for finding in lint(project).findings:
                lines = project.texts["p.yaml"].starts
                assert 0 <= finding.region.line <= len(lines)
                assert finding.message
                assert finding.why
                assert finding.mend
                assert not finding.message.endswith(".")
    assert loaded > 300
