"""The goals that `benchmarks.decide` is held against, each in the worse of the two workloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.contestants import Kind
from benchmarks.report import ratio

if TYPE_CHECKING:
    from benchmarks.results import Results

Goal = tuple[str, bool | None, str]

PEERS = {Kind.SCANS, Kind.INDEXED}


def goals(results: Results) -> list[Goal]:
    """Each goal: what is asked, whether it is reached (None: not measured), what was found."""
    return [
        over_floor(results, 10, 6.0),
        growth(results, 10, 100_000, 1.5),
        lead(results, "the fastest peer", PEERS, 10, 5.0),
        lead(results, "the fastest that scans its rules", {Kind.SCANS}, 1_000, 50.0),
        lead(results, "the fastest that has an index", {Kind.INDEXED}, 1_000, 4.0),
    ]


def over_floor(results: Results, size: int, most: float) -> Goal:
    """How many times the hand-written closures' time a decision takes."""
    goal = f"at {size:,} rules at most {most:g} times the closures"
    found = [
        ours.best / floor.best
        for matching in (True, False)
        if (ours := results.ours(size, matching=matching))
        and (floor := results.floor(size, matching=matching))
    ]
    return judged(goal, found, most)


def growth(results: Results, small: int, large: int, most: float) -> Goal:
    """How many times longer a decision takes with many rules than with few."""
    goal = f"at {large:,} rules at most {most:g} times its own figure at {small:,}"
    found = [
        many.best / few.best
        for matching in (True, False)
        if (many := results.ours(large, matching=matching))
        and (few := results.ours(small, matching=matching))
    ]
    return judged(goal, found, most)


def lead(results: Results, who: str, kinds: set[Kind], size: int, least: float) -> Goal:
    """How many times faster a decision is than the quickest of some peers."""
    goal = f"at {size:,} rules at least {least:g} times faster than {who}"
    found = [
        (peer[1].best / ours.best, peer[0])
        for matching in (True, False)
        if (ours := results.ours(size, matching=matching))
        and (peer := results.fastest(kinds, size, matching=matching))
    ]
    if not found:
        return goal, None, ""
    least_lead, name = min(found)
    return goal, least_lead >= least, f"{ratio(least_lead, 1)} ({name})"


def judged(goal: str, found: list[float], most: float) -> Goal:
    """The goal with its worst figure, which must be at most `most`."""
    return (goal, max(found) <= most, ratio(max(found), 1)) if found else (goal, None, "")
