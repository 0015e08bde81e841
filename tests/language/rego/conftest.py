"""Modules of one test, loaded as a policy set of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from guardrails.engine import Facts, PolicySet
from guardrails.language.loader import load_texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    class LoadRego(Protocol):
        def __call__(self, rego: str = "", **files: str) -> PolicySet: ...


NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MANIFEST = """
version: 1
policy: tools
constants: {limit: 500}
tools:
  pay: {traits: [write, spend]}
  look: {traits: [read]}
  odd: {description: Nobody says what it can touch.}
"""


@pytest.fixture
def facts() -> Facts:
    return Facts.at(NOW)


@pytest.fixture
def load_rego() -> Iterator[LoadRego]:
    """Load the module `p.rego` beside a manifest; the processes end with the test."""
    made: list[PolicySet] = []

    def load(rego: str = "", **files: str) -> PolicySet:
        texts = {"tools.yaml": MANIFEST, **({"p.rego": rego} if rego else {})}
        texts |= {
            name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()
        }
        made.append(PolicySet(load_texts(texts)))
        return made[-1]

    yield load
    for policies in made:
        for rule in policies.bundle.rules:
            if rule.module is not None:
                rule.module.engine.close()
