"""The benchmark of lint runs from end to end on a few rules; no time is asserted."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from benchmarks import lint
from benchmarks.lint import Case


def test_every_case_is_linted_and_its_slowest_rules_are_told() -> None:
    case = Case("simple rules", 3, 60.0, lint.write_simple)
    report = lint.run(1, (case,))
    assert [table.title for table in report.tables] == [
        "Goals",
        "Linting",
        "The slowest rules of lint",
    ]
    assert report.tables[0].rows[0][0] == "3 simple rules: at most 60 s"
    assert report.tables[2].columns == ("", "3 simple rules")
    assert len(report.tables[2].rows) == lint.SLOWEST


@pytest.mark.parametrize("case", lint.CASES, ids=lint.title)
def test_the_policies_of_every_case_load(case: Case) -> None:
    with TemporaryDirectory() as folder:
        case.write(Path(folder), 12)
        assert lint.seconds_of_rules(folder)


def test_policies_that_do_not_load_stop_the_run() -> None:
    with TemporaryDirectory() as folder, pytest.raises(RuntimeError, match="no policy document"):
        lint.seconds_to_lint(folder, 1)
