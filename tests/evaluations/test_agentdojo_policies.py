"""The two assistants' policies hold by their own tests, alone and in one folder."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from guardrails.language.folder import read_folder
from guardrails.toolchain.suites.tester import Asked, run_tests

FOLDER = Path(__file__).parents[2] / "evaluations" / "agentdojo" / "policies"


@pytest.mark.parametrize("part", [".", "banking", "workspace"])
def test_the_policies_pass_their_tests_alone_and_beside_each_other(part: str) -> None:
    folder = read_folder(FOLDER / part)
    report = run_tests(
        folder, "policies", Asked(), 0, lambda _what: nullcontext(lambda _done, _of: None)
    )
    assert [each.case.title for each in report.failures] == []
    assert report.exit_code == 0
