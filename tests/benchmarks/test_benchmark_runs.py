"""Each benchmark runs from end to end on tiny sizes; no time is asserted."""

from __future__ import annotations

import pytest

from benchmarks import call, decide, imports, load, options, timing
from benchmarks.contestants import CONTESTANTS, Absent, Contestant, Kind, Prepared
from benchmarks.load import Case
from benchmarks.workload import Workload

LOCAL = [one for one in CONTESTANTS if one.kind in {Kind.OURS, Kind.FLOOR}]


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "BATCH_NS", 10_000)
    monkeypatch.setattr(timing, "SINGLES", 10)


def test_decide_tables_every_size_and_both_outcomes() -> None:
    report = decide.run((1, 3), 1, LOCAL)
    assert [table.title for table in report.tables] == [
        "Goals",
        "best, by number of rules; one rule matches: denied",
        "best, by number of rules; no rule matches: allowed",
    ]
    assert report.tables[1].columns == ("", "1", "3")
    assert [table.title for table in report.details] == [
        "1 rule; one rule matches: denied",
        "1 rule; no rule matches: allowed",
        "3 rules; one rule matches: denied",
        "3 rules; no rule matches: allowed",
    ]
    for table in (report.tables[1], report.details[0]):
        assert [row[0] for row in table.rows] == [one.name for one in LOCAL]
    assert len(report.figures["results"]) == 8


def test_a_contestant_that_is_not_installed_is_named() -> None:
    def prepare(_workload: object, _folder: object) -> Prepared:
        raise Absent("`cedar` is not installed; `make bench` does it")

    absent = Contestant("cedar", Kind.SCANS, None, prepare)
    ready, remarks = decide.get_all_ready([absent], (1, 10))
    assert ready == []
    assert remarks == ["cedar: left out; `cedar` is not installed; `make bench` does it."]


def test_a_contestant_that_decides_otherwise_stops_the_run() -> None:
    wrong = Contestant(
        "wrong", Kind.SCANS, None, lambda _workload, _folder: Prepared(lambda _t, _a: True, bool)
    )
    with pytest.raises(AssertionError, match="wrong decides"):
        decide.get_ready(wrong, Workload(1))


def test_a_size_that_would_take_too_long_is_left_out_with_the_reason() -> None:
    decide.foresee(5.9, 1_000, 10_000)
    with pytest.raises(decide.LeftOut, match=r"loading would take about 61\.0 s"):
        decide.foresee(6.1, 1_000, 10_000)


def test_a_decision_that_takes_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "CALL_LIMIT", 0.0)
    ready, remarks = decide.get_all_ready(LOCAL[:1], (1, 10))
    assert ready == []
    assert remarks[0].startswith(f"{LOCAL[0].name}: left out at 1 and above; one decision takes")


def test_call_times_functions_and_coroutines() -> None:
    report = call.run(1)
    assert [table.title for table in report.tables] == ["Goals", "`def`", "`async def`"]
    names = [row[0] for row in report.tables[1].rows]
    assert names == [call.BARE, call.UNLOGGED, call.LOGGED]


def test_load_times_simple_and_rich_rules() -> None:
    cases = (
        Case("simple rules", 12, 3.0, load.write_simple),
        Case("rich rules", 12, 8.0, load.write_rich),
    )
    report = load.run(1, cases)
    assert [row[0] for row in report.tables[1].rows] == ["12 simple rules", "12 rich rules"]


def test_imports_tells_what_the_import_brings_along() -> None:
    report = imports.run(1)
    assert "guardrails" in report.figures["modules"]
    assert report.remarks[0].startswith("It loads ")


def test_what_an_import_brings_along_is_told_by_origin() -> None:
    text = imports.brought_along(["guardrails", "guardrails.errors", "json", "yaml", "yaml.nodes"])
    assert text == (
        "It loads 2 modules of its own and 1 of the standard library that the interpreter had not; "
        "other packages: yaml."
    )


def test_sizes_are_positive_numbers() -> None:
    assert options.sizes("1,10") == (1, 10)
    with pytest.raises(ValueError, match="0"):
        options.sizes("0,10")
