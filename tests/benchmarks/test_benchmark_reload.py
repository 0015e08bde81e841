"""The benchmark of reloading runs from end to end on tiny sizes; no time is asserted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import reload
from benchmarks.load import write_simple
from benchmarks.reload import Case, Figures, Load, Seen, write_rich

if TYPE_CHECKING:
    from pathlib import Path


def test_saves_take_effect_and_decisions_are_counted() -> None:
    cases = (
        Case("simple rules", 5, write_simple, Load("at rest", 0, 0.0)),
        Case("rich rules", 10, write_rich, Load("2 threads", 2, 0.001)),
    )
    report = reload.run(2, cases)
    assert [table.title for table in report.tables] == ["Goals", "From save to effect"]
    goals = {goal: reached for goal, _, reached in report.tables[0].rows}
    assert goals["no decision lost or mixed"] == "reached"
    assert [row[0] for row in report.tables[1].rows] == [
        "5 simple rules; at rest",
        "10 rich rules; 2 threads",
    ]
    at_rest, called = report.figures["results"]
    assert (at_rest["decisions"], at_rest["p50_ns"]) == (0, None)
    assert called["decisions"] > 0
    assert called["wrong"] == 0


def test_a_mixed_or_lost_decision_is_counted() -> None:
    seen = Seen({("a", ()), ("b", ("left/canary", "right/canary")), ("c", ("left/canary",))})
    assert Figures((0.1,), (seen, Seen(failures=["KeyError()"]))).wrong == 2


def test_a_save_without_an_effect_stops_the_benchmark(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import guardrails

    (tmp_path / "policies").mkdir()
    reload.save(tmp_path / "policies", 1)
    guard = guardrails.Guard.load(tmp_path / "policies", log=tmp_path / "log")
    monkeypatch.setattr(reload, "PATIENCE", 0.05)
    with pytest.raises(TimeoutError):
        reload.seconds_to_effect(guard, tmp_path / "policies", 100)
