"""A share of what policy allows is looked at afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardrails import ActionDenied, ConfigurationError
from guardrails.approvals.request import Kind, Status
from guardrails.approvals.settings import Approvals, Budget, Sampling
from guardrails.approvals.store import Filter
from tests.approvals.guarded import FAY, RITA, acting, ask, requests

if TYPE_CHECKING:
    from pathlib import Path

    from tests.approvals.guarded import Office


def sampled(office: Office, rate: float = 1.0, *reviewers: str, **settings: Any) -> Approvals:
    sampling = Sampling(rate, reviewers or ("risk",))
    return Approvals(office.requester(), sampling=sampling, **settings)


def test_an_allowed_call_that_is_drawn_runs_and_is_handed_to_reviewers(office: Office) -> None:
    guard = office.guard(approvals=sampled(office))
    with acting(guard):
        assert office.pay(guard, 20) == "paid"
    (sample,) = requests(office, Kind.SAMPLE)
    assert (sample.tool, sample.arguments["amount"], sample.agent) == ("pay", 20, "agent-7")
    assert [rule.rule for rule in sample.rules] == ["pay/small"]
    assert guard.log.decisions[-1].request == sample.id
    assert office.service.waits_for(sample, RITA)
    assert not office.service.waits_for(sample, FAY)
    assert office.service.deny(sample.id, RITA, "not ours").status is Status.DENIED
    assert office.pay(guard, 20) == "paid"  # it says what people think, and decides nothing


async def test_coroutines_are_drawn_too(office: Office) -> None:
    guard = office.guard(approvals=sampled(office))
    assert await office.apay(guard, 20) == "paid"
    assert len(requests(office, Kind.SAMPLE)) == 1


def test_the_rate_is_the_share_that_is_drawn(office: Office) -> None:
    guard = office.guard(approvals=sampled(office, 0.5))
    for _ in range(100):
        office.pay(guard, 20)
    drawn = len(office.store.list(Filter(kinds=(Kind.SAMPLE,), limit=1000)).requests)
    assert 20 < drawn < 80  # beyond this once in some ten billion runs


def test_without_a_sampling_nothing_is_drawn(office: Office) -> None:
    office.pay(office.guard(), 20)
    assert requests(office, Kind.SAMPLE) == ()


def test_what_is_escalated_or_denied_is_not_drawn(office: Office) -> None:
    guard = office.guard(approvals=sampled(office))
    ask(office, guard, 900)
    with pytest.raises(ActionDenied):
        guard.run("wipe", {}, lambda: None)
    assert requests(office, Kind.SAMPLE) == ()


def test_what_people_approved_is_not_drawn_again(office: Office) -> None:
    guard = office.guard(approvals=sampled(office))
    office.service.approve(ask(office, guard, 900), FAY)
    assert office.pay(guard, 900) == "paid"
    assert requests(office, Kind.SAMPLE) == ()


def test_a_call_that_nobody_can_be_shown_runs_undrawn(office: Office) -> None:
    guard = office.guard(approvals=sampled(office))
    assert guard.run("note", {"text": object()}, lambda text: "noted") == "noted"
    assert requests(office, Kind.SAMPLE) == ()
    assert guard.log.decisions[-1].request == ""


def test_a_drawn_call_that_can_not_be_handed_over_does_not_run(
    office: Office, tmp_path: Path
) -> None:
    guard = office.guard(approvals=sampled(office))
    (tmp_path / "approvals.db").unlink()
    with pytest.raises(ActionDenied) as caught:
        office.pay(guard, 20)
    assert caught.value.decision.code == "unavailable"
    assert office.ran == []


def test_a_sample_that_nobody_could_look_at_does_not_run(office: Office) -> None:
    guard = office.guard(approvals=sampled(office, 1.0, "nobody"))
    with pytest.raises(ActionDenied, match="nobody is configured who may review this"):
        office.pay(guard, 20)


def test_a_budget_can_be_set_beside_the_place(office: Office) -> None:
    guard = office.guard(approvals=sampled(office, budget=Budget(per_agent=1)))
    with acting(guard):
        ask(office, guard, 900)
        with pytest.raises(ActionDenied, match="1 requests of this agent are open already"):
            office.pay(guard, 901)


def test_a_place_may_be_a_folder(tmp_path: Path, office: Office) -> None:
    guard = office.guard(approvals=Approvals(str(tmp_path / "state"), Budget(per_agent=3)))
    with pytest.raises(ActionDenied, match="nobody is configured who may approve this"):
        office.pay(guard, 900)


@pytest.mark.parametrize("rate", [0, -0.1, 1.1, float("nan"), True, "0.1", None])
def test_a_rate_is_a_share(rate: Any) -> None:
    with pytest.raises(ConfigurationError, match="the rate of a sampling is above 0"):
        Sampling(rate, ["risk"])


@pytest.mark.parametrize("reviewers", [[], "risk", [""], [1]])
def test_a_sampling_names_its_reviewers(reviewers: Any) -> None:
    with pytest.raises(ConfigurationError, match="`reviewers` is a list"):
        Sampling(0.1, reviewers)
