"""What runs at once is reviewed later; while that is overdue, the rule allows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardrails import ActionDenied
from guardrails.approvals.request import Kind
from tests.approvals.guarded import POLICY, RITA, requests
from tests.approvals.scenes import MINUTE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.approvals.guarded import Office
    from tests.approvals.scenes import Clock

GLASS = (
    POLICY
    + """
  - id: emergency
    effect: allow
    tools: stop
    review: {from: [risk], within: 1h}
"""
)


def test_break_glass_runs_now_and_opens_a_review(office: Office) -> None:
    guard = office.guard(GLASS)
    assert guard.run("stop", {}, lambda: "stopped") == "stopped"
    (review,) = requests(office, Kind.REVIEW)
    assert [rule.rule for rule in review.rules] == ["pay/emergency"]
    assert guard.log.decisions[-1].request == review.id
    assert guard.run("stop", {}, lambda: "stopped") == "stopped"
    assert len(requests(office, Kind.REVIEW)) == 2


def test_while_a_review_is_overdue_the_rule_allows_nothing(office: Office, clock: Clock) -> None:
    guard = office.guard(GLASS)
    guard.run("stop", {}, lambda: "stopped")
    (review,) = requests(office, Kind.REVIEW)
    clock.move(61 * MINUTE)
    with pytest.raises(ActionDenied) as caught:
        guard.run("stop", {}, lambda: "stopped")
    (error,) = caught.value.decision.errors
    assert (error.rule, error.error) == (
        "pay/emergency", "a review of what it let run is overdue",
    )  # fmt: skip
    office.service.approve(review.id, RITA)
    assert guard.run("stop", {}, lambda: "stopped") == "stopped"


def test_a_review_in_time_keeps_the_rule(office: Office, clock: Clock) -> None:
    guard = office.guard(GLASS)
    guard.run("stop", {}, lambda: "stopped")
    (review,) = requests(office, Kind.REVIEW)
    office.service.approve(review.id, RITA)
    clock.move(61 * MINUTE)
    assert guard.run("stop", {}, lambda: "stopped") == "stopped"


async def test_break_glass_works_in_coroutines(office: Office) -> None:
    guard = office.guard(GLASS)

    async def stop() -> str:
        return "stopped"

    assert await guard.arun("stop", {}, stop) == "stopped"
    assert len(requests(office, Kind.REVIEW)) == 1


def test_without_a_store_what_needs_a_review_is_not_allowed(office: Office) -> None:
    guard = office.guard(GLASS, approvals=None)
    with pytest.raises(ActionDenied):
        guard.run("stop", {}, lambda: "stopped")


def test_without_a_store_that_answers_break_glass_is_refused(
    office: Office, tmp_path: Path
) -> None:
    guard = office.guard(GLASS)
    (tmp_path / "approvals.db").unlink()
    with pytest.raises(ActionDenied):
        guard.run("stop", {}, lambda: "stopped")
