"""The benchmark of Rego runs from end to end on tiny sizes; no time is asserted."""

from __future__ import annotations

from benchmarks import rego


def test_decisions_and_a_load_are_timed() -> None:
    report = rego.run(20, 3)
    assert [table.title for table in report.tables] == ["Goals", "Rego: a decision"]
    assert len(report.tables[0].rows) == 3
    assert [row[0] for row in report.tables[1].rows] == [
        "100 modules, one concerns the tool",
        "100 modules, none concerns the tool",
        "no modules",
    ]
    assert report.figures["load_s"] > 0
