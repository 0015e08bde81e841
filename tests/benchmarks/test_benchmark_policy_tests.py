"""The benchmark of policy tests runs over policies and cases that fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import policy_tests

if TYPE_CHECKING:
    from pathlib import Path


def test_every_run_is_tabled_and_mutants_are_counted() -> None:
    report = policy_tests.run(1, rules=8, cases=16)
    assert [table.title for table in report.tables] == ["Goals", "Tests of 8 rules"]
    rows = report.tables[1].rows
    assert [row[0] for row in rows] == [f"16 {each.name}" for each in policy_tests.RUNS]
    assert [row[3] for row in rows] == ["", "", "64"]


def test_as_many_cases_and_rules_are_written_as_are_asked_for(tmp_path: Path) -> None:
    policy_tests.write(tmp_path, 12, 30)
    assert (tmp_path / "bench.yaml").read_text("utf-8").count("  - id: ") == 12
    assert (tmp_path / "bench_test.yaml").read_text("utf-8").count("  - name: ") == 30
