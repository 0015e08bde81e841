"""The goals of `benchmarks.decide` are held against the worse of the two workloads."""

from __future__ import annotations

from benchmarks.contestants import CONTESTANTS, Kind
from benchmarks.goals_of_decide import goals
from benchmarks.results import Key, Results
from benchmarks.timing import Figures

CLOSURES, OURS = (
    next(one.name for one in CONTESTANTS if one.kind is kind) for kind in (Kind.FLOOR, Kind.OURS)
)
SCANS, INDEXED = (
    next(one.name for one in CONTESTANTS if one.kind is kind) for kind in (Kind.SCANS, Kind.INDEXED)
)


def results(figures: dict[tuple[str, int], tuple[float, float]]) -> Results:
    """Results from the best time of the matching and the other calls of each contestant."""
    return Results(
        {
            Key(name, size, matching): Figures(best, best, best)
            for (name, size), times in figures.items()
            for matching, best in zip((True, False), times, strict=True)
        }
    )


def test_the_worse_workload_counts_against_the_closures() -> None:
    found = goals(results({(CLOSURES, 10): (100, 100), (OURS, 10): (500, 700)}))[0]
    assert found[1:] == (False, "7.00 x")


def test_growth_with_the_number_of_rules_is_judged() -> None:
    found = goals(results({(OURS, 10): (500, 500), (OURS, 100_000): (600, 740)}))[1]
    assert found[1:] == (True, "1.48 x")


def test_the_lead_is_over_the_fastest_of_the_peers_of_a_kind() -> None:
    measured = results(
        {
            (OURS, 10): (1_000, 1_000),
            (SCANS, 10): (9_000, 9_000),
            (INDEXED, 10): (5_000, 4_900),
            (OURS, 1_000): (1_000, 1_000),
            (SCANS, 1_000): (60_000, 50_000),
            (INDEXED, 1_000): (4_000, 3_900),
        }
    )
    fastest, scanning, indexed = goals(measured)[2:]
    assert fastest[1:] == (False, f"4.90 x ({INDEXED})")
    assert scanning[1:] == (True, f"50.0 x ({SCANS})")
    assert indexed[1:] == (False, f"3.90 x ({INDEXED})")


def test_what_was_not_measured_is_not_judged() -> None:
    assert [reached for _, reached, _ in goals(results({}))] == [None] * 5
