"""People are not asked more than they can bear, and how they decide is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardrails import ActionDenied, ConfigurationError
from guardrails.approvals.people import Account, People
from guardrails.approvals.request import Status
from guardrails.approvals.settings import Approvals, Budget
from guardrails.approvals.sql_store import SqlStore
from guardrails.approvals.statistics import QUICK_NS, collect, measure
from guardrails.approvals.store import Filter
from tests.approvals.guarded import FAY, FINN, POLICY, Office, acting, ask, requests
from tests.approvals.scenes import MINUTE, SECOND

if TYPE_CHECKING:
    from pathlib import Path

    from tests.approvals.scenes import Clock


def bounded(office: Office, policy: str = POLICY, **bounds: int) -> Any:
    return office.guard(policy, approvals=Approvals(office.requester(), Budget(**bounds)))


def refused(office: Office, guard: Any, amount: float, **session: Any) -> ActionDenied:
    with acting(guard, **session), pytest.raises(ActionDenied) as caught:
        office.pay(guard, amount)
    assert caught.value.decision.code == "approval_denied"
    return caught.value


def test_an_approver_is_not_asked_for_more_than_she_can_bear(office: Office, clock: Clock) -> None:
    office.people = People([Account(FAY, groups=("finance",))])
    guard = bounded(office, per_approver=2)
    for number in range(2):
        with acting(guard, subject=f"agent-{number}", id=f"task-{number}"):
            ask(office, guard, 900)
    told = str(refused(office, guard, 900, subject="agent-3", id="task-3"))
    assert told == "those who may approve this are asked for too much already"
    clock.move(31 * MINUTE)  # what she has left undone is over
    with acting(guard, subject="agent-3", id="task-3"):
        ask(office, guard, 900)


def test_a_vote_frees_the_one_who_has_cast_it(office: Office) -> None:
    office.people = People([Account(FAY, groups=("finance",)), Account(FINN, groups=("finance",))])
    policy = POLICY.replace("timeout: 30m", "timeout: 30m, quorum: 2")
    guard = bounded(office, policy, per_approver=1)
    with acting(guard):
        first = ask(office, guard, 900)
        refused(office, guard, 901)
        office.service.approve(first, FAY)
        refused(office, guard, 901)  # the other has not voted yet
        office.service.approve(first, FINN)
        ask(office, guard, 901)


@pytest.mark.parametrize("name", ["per_agent", "per_approver", "flood", "window_ns"])
@pytest.mark.parametrize("bound", [0, -1, 1.5, True, "1", None])
def test_a_bound_is_a_whole_number_above_nothing(name: str, bound: Any) -> None:
    with pytest.raises(ConfigurationError, match="a whole number above 0"):
        Budget(**{name: bound})


def test_an_agent_that_floods_people_is_suspended_until_somebody_lifts_it(
    office: Office, tmp_path: Path, clock: Clock
) -> None:
    guard = bounded(office, per_agent=2, flood=4)
    told = []
    with acting(guard):
        for number in range(2):
            ask(office, guard, 900 + number)
    told = [str(refused(office, guard, 902 + number)) for number in range(4)]
    assert told == [
        "2 requests of this agent are open already",
        "2 requests of this agent are open already",
        "nobody is asked for this agent any more: it has asked far too often",
        "nobody is asked for this agent any more: it has been suspended",
    ]
    # It is in the log, outlives the process, and time alone does not lift it.
    assert guard.log.decisions[-2].decision.message == told[-2]
    (suspension,) = SqlStore(tmp_path / "approvals.db", clock).suspensions()
    assert (suspension.agent, suspension.since_ns) == ("agent-7", clock())
    clock.move(60 * MINUTE)
    again = bounded(Office(tmp_path / "approvals.db", clock))
    assert "suspended" in str(refused(office, again, 999))
    with acting(guard, subject="agent-8", id="task-8"):
        ask(office, guard, 900)
    office.store.lift("agent-7")
    with acting(guard):
        ask(office, guard, 999)


def test_a_delegate_floods_in_the_name_of_the_agent_that_answers_for_it(office: Office) -> None:
    guard = bounded(office, flood=2)
    with acting(guard):
        for number in range(2):
            with guard.session(subject=f"child-{number}"):
                ask(office, guard, 900 + number)
        with guard.session(subject="child-3"), pytest.raises(ActionDenied, match="far too often"):
            office.pay(guard, 950)


def test_asking_again_for_the_same_is_no_flood(office: Office) -> None:
    guard = bounded(office, flood=2)
    with acting(guard):
        assert len({ask(office, guard, 900) for _ in range(10)}) == 1
    assert office.store.suspensions() == ()


def test_only_the_attempts_of_the_window_count(office: Office, clock: Clock) -> None:
    guard = bounded(office, flood=2, window_ns=MINUTE)
    with acting(guard):
        for number in range(5):
            ask(office, guard, 900 + number)
            clock.move(MINUTE // 2 + 1)
    assert office.store.suspensions() == ()


def decided(office: Office, clock: Clock, amount: float, voter: str, how: str, after: int) -> str:
    """A request that `voter` decided `after` nanoseconds after a look at it, a minute late."""
    guard = office.guard()
    with acting(guard, on_behalf_of="erin@example.com", id=f"task-{amount}"):
        request_id = ask(office, guard, amount)
    clock.move(MINUTE)
    office.store.see(request_id, voter)
    clock.move(after)
    getattr(office.service, how)(request_id, voter)
    return request_id


def test_how_people_decide_is_measured_by_approver_and_by_rule(
    office: Office, clock: Clock
) -> None:
    decided(office, clock, 900, FAY, "approve", QUICK_NS - 1)
    decided(office, clock, 901, FAY, "approve", QUICK_NS)
    decided(office, clock, 902, FAY, "deny", 9 * SECOND)
    decided(office, clock, 903, FINN, "approve", 40 * SECOND)
    found = measure(requests(office))
    fay, finn = found.by_voter[FAY], found.by_voter[FINN]
    assert (fay.votes, fay.approved, fay.quick, fay.overruled) == (3, 2, 1, 0)
    assert fay.deciding_ns == QUICK_NS
    assert fay.waiting_ns == MINUTE + QUICK_NS
    assert (finn.votes, finn.approval_rate, finn.quick) == (1, 1.0, 0)
    rule = found.by_rule["pay/large"]
    assert (rule.votes, rule.approved, rule.quick) == (4, 3, 1)
    assert rule.approval_rate == 0.75
    assert dict(found.ends) == {"approved": 3, "denied": 1}


def test_who_was_outvoted_was_overruled(office: Office) -> None:
    policy = POLICY.replace("timeout: 30m", "timeout: 30m, quorum: 2, veto: false")
    guard = office.guard(policy)
    with acting(guard):
        request_id = ask(office, guard)
    office.service.deny(request_id, FAY)
    office.service.approve(request_id, FINN)
    assert office.service.approve(request_id, "both@example.com").status is Status.APPROVED
    found = measure(requests(office)).by_voter
    assert {name: each.overruled for name, each in found.items()} == {
        FAY: 1,
        FINN: 0,
        "both@example.com": 0,
    }


def test_all_pages_of_a_store_are_measured_since_a_time(
    office: Office, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardrails.approvals.statistics._PAGE", 2)
    guard = bounded(office)
    ids = []
    for number in range(5):
        with acting(guard):
            ids.append(ask(office, guard, 900 + number))
        clock.move(SECOND)
    assert [each.id for each in collect(office.store)] == ids[::-1]
    since = office.store.get(ids[2]).created_ns
    assert [each.id for each in collect(office.store, since)] == ids[:1:-1]
    assert measure(collect(office.store)).ends == {"pending": 5}
    assert len(office.store.list(Filter(limit=2)).requests) == 2


def test_nothing_decided_is_nothing_measured() -> None:
    assert measure([]).as_json() == {"by_voter": {}, "by_rule": {}, "requests": {}}
