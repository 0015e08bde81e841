from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.instants import parse_timestamp
from guardrails.language.folder import folder_of, read_folder
from guardrails.toolchain.suites.tester import Asked, run_tests

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from guardrails.toolchain.suites.report import Report

FOLDERS = Path(__file__).parent / "folders"
NOW_NS = parse_timestamp("2026-06-01T10:00:00Z").ns


def silent(what: str) -> AbstractContextManager[Callable[[int, int], None]]:
    """Show no progress."""
    del what
    return nullcontext(lambda _done, _of: None)


@pytest.fixture
def run() -> Callable[..., Report]:
    """Run the tests of texts by file name, or of a folder below `folders/`."""

    def run(policies: str | dict[str, str], **asked: Any) -> Report:
        if isinstance(policies, str):
            folder = read_folder(FOLDERS / policies)
        else:
            folder = folder_of({name: dedent(text) for name, text in policies.items()})
        return run_tests(folder, "policies", Asked(**asked), NOW_NS, silent)

    return run
