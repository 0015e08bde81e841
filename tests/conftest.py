"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import execute_there, schema, server, where

__all__ = ["execute_there", "schema", "server", "where"]

APART = frozenset(
    {"approvals", "benchmarks", "budgets", "evaluations", "server", "source", "state", "store"}
    | {"test_docs.py", "test_prompt.py"}
)
"""What starts servers, databases and processes, or waits for clocks: `make check` leaves it out."""

settings.register_profile(
    "default",
    deadline=None,  # a loaded machine is no fault of the code
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow whatever stands apart."""
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in APART:
            item.add_marker(pytest.mark.slow)
