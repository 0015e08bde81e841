"""Every contestant decides the same on the same actions: what is timed is the same work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.contestants import CONTESTANTS, Absent, Contestant, Kind
from benchmarks.workload import Workload

if TYPE_CHECKING:
    from pathlib import Path

SIZES = (1, 3, 25)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda one: one.name)
def test_a_contestant_denies_above_the_limit_and_allows_below(
    contestant: Contestant, size: int, tmp_path: Path
) -> None:
    workload = Workload(size)
    try:
        prepared = contestant.prepare(workload, tmp_path)
    except Absent as absent:
        pytest.skip(str(absent))
    for matching in (True, False):
        for call in workload.calls(matching=matching):
            decision = prepared.decide(call.tool, call.arguments)
            assert prepared.allows(decision) is not matching, call


def test_the_closures_deny_a_tool_without_a_rule(tmp_path: Path) -> None:
    floor = next(one for one in CONTESTANTS if one.kind is Kind.FLOOR)
    prepared = floor.prepare(Workload(3), tmp_path)
    assert not prepared.allows(prepared.decide("tool_9", {"amount": 1}))


def test_this_library_decides_by_the_rule_of_the_tool(tmp_path: Path) -> None:
    ours = next(one for one in CONTESTANTS if one.kind is Kind.OURS)
    prepared = ours.prepare(Workload(3), tmp_path)
    (call, *_) = Workload(3).calls(matching=True)
    decision = prepared.decide(call.tool, call.arguments)
    assert [match.rule for match in decision.matches] == ["part-0/known", "part-0/limit-tool-0"]


def test_the_contestants_have_names_of_their_own() -> None:
    names = [one.name for one in CONTESTANTS]
    assert len(set(names)) == len(names)
