"""What people must approve runs when they have, as they have, once, and not otherwise."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from guardrails import (
    ActionDenied,
    ApprovalExpired,
    ApprovalRejected,
    ApprovalRequired,
    ApprovalsUnavailable,
    ConfigurationError,
    Guard,
    VoteRefused,
)
from guardrails.approvals.people import Account, People
from guardrails.approvals.request import Status
from guardrails.approvals.vote import Vote, VoteOutcome
from guardrails.testing import policies_over
from tests.approvals.guarded import (
    FAY,
    FINN,
    FROZEN,
    POLICY,
    RITA,
    TERMS,
    Office,
    acting,
    ask,
    requests,
)
from tests.approvals.scenes import MINUTE, PEOPLE, STRANGER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.approvals.scenes import Clock


def test_what_is_allowed_asks_nobody(office: Office) -> None:
    guard = office.guard()
    assert office.pay(guard, 20) == "paid"
    assert requests(office) == ()


def test_what_is_escalated_opens_one_request_and_does_not_run(office: Office) -> None:
    guard = office.guard()
    with pytest.raises(ApprovalRequired) as caught:
        office.pay(guard)
    assert office.ran == []
    (request,) = requests(office)
    assert caught.value.request == request.id
    assert caught.value.decision.code == "approval_required"
    assert ask(office, guard) == request.id
    assert request.status is Status.PENDING
    assert [rule.rule for rule in request.rules] == ["pay/large"]
    assert request.rules[0].description == "Four eyes."
    assert request.rules[0].owner == "fred@example.com"
    assert request.revision == guard.policies.revision
    assert guard.log.decisions[-1].request == request.id


def test_the_same_call_runs_once_when_it_is_approved(office: Office) -> None:
    guard = office.guard()
    request = ask(office, guard)
    office.service.approve(request, FAY)
    assert office.pay(guard) == "paid"
    assert office.ran == [("ACME", 900)]
    entry = guard.log.decisions[-1]
    assert (entry.approvers, entry.request) == ((FAY,), request)
    assert guard.log.outcomes[-1].outcome == "returned"
    assert office.store.get(request).status is Status.USED
    assert ask(office, guard) != request
    assert office.ran == [("ACME", 900)]


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": 901.0},
        {"amount": 900.0, "to": "EVIL"},
    ],
)
def test_arguments_changed_after_approval_are_another_action(
    office: Office, changed: dict[str, Any]
) -> None:
    guard = office.guard()
    office.service.approve(ask(office, guard), FAY)
    with pytest.raises(ApprovalRequired):
        office.pay(guard, **changed)
    assert office.ran == []


def test_one_approval_runs_one_of_many_threads(office: Office) -> None:
    guard = office.guard()
    office.service.approve(ask(office, guard), FAY)
    together = threading.Barrier(8)

    def attempt(_: int) -> str:
        together.wait()
        try:
            return office.pay(guard)
        except ApprovalRequired:
            return "asked"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(8)))
    assert sorted(outcomes) == ["asked"] * 7 + ["paid"]
    assert len(office.ran) == 1


def test_the_person_it_acts_for_and_the_agent_cannot_vote(office: Office) -> None:
    guard = office.guard()
    with acting(guard):
        request = ask(office, guard)
    with pytest.raises(VoteRefused) as caught:
        office.service.approve(request, "dana@example.com")
    assert caught.value.code == "separated"
    with acting(guard), pytest.raises(ApprovalRequired):
        office.pay(guard)
    office.people = People([*PEOPLE.accounts.values(), Account("agent-7", "", ("finance",))])
    with pytest.raises(VoteRefused) as caught:
        office.service.approve(request, "agent-7")
    assert caught.value.code == "separated"


def test_an_alias_of_the_requester_is_the_requester(office: Office) -> None:
    guard = office.guard()
    with acting(guard, on_behalf_of="Fay"):
        request = ask(office, guard)
    with pytest.raises(VoteRefused) as caught:
        office.service.approve(request, FAY)
    assert caught.value.code == "separated"


def test_the_owner_cannot_vote_where_the_rule_keeps_her_apart(office: Office) -> None:
    guard = office.guard(
        POLICY.replace(TERMS, "approval: {from: [finance], separate_from: [owner]}")
    )
    request = ask(office, guard)
    with pytest.raises(VoteRefused) as caught:
        office.service.approve(request, "fred@example.com")
    assert caught.value.code == "separated"
    office.service.approve(request, FAY)
    assert office.pay(guard) == "paid"


def test_a_restart_in_between_loses_nothing(office: Office, tmp_path: Path, clock: Clock) -> None:
    with acting(office.guard()) as session:
        request = ask(office, session.guard)
    office.store.close()
    later = Office(tmp_path / "approvals.db", clock)
    later.service.approve(request, FAY)
    guard = later.guard()
    with acting(guard):
        assert later.pay(guard) == "paid"
    later.store.close()


def test_another_session_needs_its_own_approval(office: Office) -> None:
    guard = office.guard()
    with acting(guard):
        office.service.approve(ask(office, guard), FAY)
    with acting(guard, id="task-2"):
        ask(office, guard)
    with acting(guard, subject="agent-8", id="task-3"):
        ask(office, guard)
    assert office.ran == []


def test_a_denial_holds_and_is_told(office: Office) -> None:
    guard = office.guard()
    request = ask(office, guard)
    office.service.deny(request, FAY, "no such supplier")
    for _ in range(2):
        with pytest.raises(ApprovalRejected) as caught:
            office.pay(guard)
        assert caught.value.request == request
        assert caught.value.decision.code == "approval_denied"
        assert "supplier" not in str(caught.value)
    with pytest.raises(VoteRefused):
        office.service.approve(request, FINN)
    assert office.ran == []


def test_past_its_time_an_approval_is_worth_nothing(office: Office, clock: Clock) -> None:
    guard = office.guard()
    request = ask(office, guard)
    office.service.approve(request, FAY)
    clock.move(30 * MINUTE)
    with pytest.raises(ApprovalExpired) as caught:
        office.pay(guard)
    assert caught.value.request == request
    assert caught.value.decision.code == "approval_expired"
    assert ask(office, guard) != request
    assert office.ran == []


def test_a_request_that_nobody_answers_expires(office: Office, clock: Clock) -> None:
    guard = office.guard()
    request = ask(office, guard)
    clock.move(31 * MINUTE)
    with pytest.raises(VoteRefused):
        office.service.approve(request, FAY)
    with pytest.raises(ApprovalExpired):
        office.pay(guard)


def test_a_cancelled_request_is_told_once(office: Office) -> None:
    guard = office.guard()
    request = ask(office, guard)
    office.service.cancel(request, FAY, "wrong")
    with pytest.raises(ApprovalRejected):
        office.pay(guard)
    assert ask(office, guard) != request


def test_a_store_that_is_gone_lets_nothing_run(office: Office, tmp_path: Path) -> None:
    guard = office.guard()
    office.service.approve(ask(office, guard), FAY)
    (tmp_path / "approvals.db").rename(tmp_path / "moved.db")
    with pytest.raises(ActionDenied) as caught:
        office.pay(guard)
    assert caught.value.decision.code == "unavailable"
    assert office.ran == []
    (tmp_path / "moved.db").rename(tmp_path / "approvals.db")
    assert office.pay(guard) == "paid"


def test_a_log_that_is_gone_lets_nothing_run_and_spends_the_approval(office: Office) -> None:
    guard = office.guard()
    request = ask(office, guard)
    office.service.approve(request, FAY)
    guard.log.broken = True
    with pytest.raises(ActionDenied):
        office.pay(guard)
    guard.log.broken = False
    assert office.ran == []
    assert office.store.get(request).status is Status.USED
    assert ask(office, guard) != request


def test_an_approver_who_is_removed_does_not_count_any_more(office: Office) -> None:
    guard = office.guard()
    request = ask(office, guard)
    office.service.approve(request, FAY)
    office.people = People(a for a in PEOPLE.accounts.values() if a.id != FAY)
    assert ask(office, guard) != request
    assert office.ran == []


def test_a_vote_that_no_service_signed_does_not_count(office: Office) -> None:
    guard = office.guard()
    request = office.store.get(ask(office, guard))
    forged = STRANGER.sign(
        Vote(request.id, request.digest, request.content, FAY, VoteOutcome.APPROVE, "",
             office.store.now_ns())
    )  # fmt: skip
    office.store.vote(forged, lambda _: Status.APPROVED)
    assert ask(office, guard) != request.id
    assert office.ran == []


def test_a_stricter_policy_in_between_wins(office: Office) -> None:
    guard = office.guard()
    office.service.approve(ask(office, guard), FAY)
    stricter = POLICY + "  - {id: freeze, effect: deny, tools: pay}\n"
    guard.enforcer.replace(policies_over(stricter))
    with pytest.raises(ActionDenied) as caught:
        office.pay(guard)
    assert caught.value.decision.code == "rule"
    assert office.ran == []


@pytest.mark.parametrize(
    "terms",
    [
        "approval: {from: [finance], quorum: 2, timeout: 30m}",
        "approval: {from: [finance], timeout: 20m}",
        "approval: {from: [risk], timeout: 30m}",
        "approval: {from: [finance], timeout: 30m, separate_from: [owner]}",
    ],
)
def test_other_terms_in_between_need_another_approval(office: Office, terms: str) -> None:
    guard = office.guard()
    request = ask(office, guard)
    office.service.approve(request, FAY)
    guard.enforcer.replace(policies_over(POLICY.replace(TERMS, terms)))
    assert ask(office, guard) != request
    assert office.ran == []


def test_a_further_rule_in_between_needs_another_approval(office: Office) -> None:
    guard = office.guard()
    request = ask(office, guard)
    office.service.approve(request, FAY)
    more = POLICY + "  - {id: more, effect: escalate, tools: pay, approval: {from: [risk]}}\n"
    guard.enforcer.replace(policies_over(more))
    both = ask(office, guard)
    assert both != request
    office.service.approve(both, FAY)
    ask(office, guard)
    office.service.approve(both, RITA)
    assert office.pay(guard) == "paid"
    assert set(guard.log.decisions[-1].approvers) == {FAY, RITA}


def test_an_unchanged_rule_under_new_policies_keeps_its_approval(office: Office) -> None:
    guard = office.guard()
    office.service.approve(ask(office, guard), FAY)
    guard.enforcer.replace(policies_over(POLICY + "  - {id: x, effect: deny, tools: rm}\n"))
    assert office.pay(guard) == "paid"


def test_what_policy_allows_by_now_runs_without_approval(office: Office) -> None:
    guard = office.guard()
    ask(office, guard)
    guard.enforcer.replace(
        policies_over(POLICY.replace("<= 500", "<= 5000").replace("> 500", "> 5000"))
    )
    assert office.pay(guard) == "paid"


def test_facts_are_asked_for_again_and_bound(office: Office) -> None:
    change = ["open"]
    guard = office.guard(FROZEN, facts={"change": lambda _: change[0]})
    request = ask(office, guard)
    assert office.store.get(request).context == {"change": "open"}
    office.service.approve(request, FAY)
    change[0] = "closed"
    with pytest.raises(ActionDenied):
        office.pay(guard)
    change[0] = "open"
    assert office.pay(guard) == "paid"


def test_every_member_of_a_delegation_is_bound_and_kept_from_voting(office: Office) -> None:
    guard = office.guard()
    with acting(guard, subject="lead"), guard.session(subject="worker", on_behalf_of=FAY):
        request = ask(office, guard)
    assert [actor.id for actor in office.store.get(request).subjects] == ["lead", "worker"]
    with pytest.raises(VoteRefused):
        office.service.approve(request, FAY)
    office.service.approve(request, FINN)
    with acting(guard, subject="lead"):
        ask(office, guard)
    assert office.ran == []
    with acting(guard, subject="lead"), guard.session(subject="worker", on_behalf_of=FAY):
        assert office.pay(guard) == "paid"


def test_an_action_with_an_opaque_value_is_denied(office: Office) -> None:
    policy = """
        version: 1
        policy: p
        rules: [{id: r, effect: escalate, tools: act, approval: {from: [finance]}}]
    """
    guard = office.guard(policy)
    with pytest.raises(ActionDenied) as caught:
        guard.run("act", {"thing": object()}, lambda thing: thing)
    assert not isinstance(caught.value, ApprovalRejected)
    assert caught.value.decision.code == "approval_denied"
    assert requests(office) == ()


@pytest.mark.parametrize("approval", ["", ", approval: {from: [nobody]}"])
def test_what_nobody_can_approve_is_denied(office: Office, approval: str) -> None:
    policy = f"""
        version: 1
        policy: p
        rules: [{{id: r, effect: escalate, tools: act{approval}}}]
    """
    guard = office.guard(policy)
    with pytest.raises(ActionDenied) as caught:
        guard.run("act", {}, lambda: 1)
    assert caught.value.decision.code == "approval_denied"
    assert "nobody is configured" in str(caught.value)


def test_beyond_the_budget_of_an_agent_escalations_are_denied_with_a_reason(
    office: Office,
) -> None:
    guard = office.guard()
    with acting(guard):
        for amount in range(1000, 1020):
            ask(office, guard, amount)
        with pytest.raises(ActionDenied, match="requests of this agent are open already"):
            office.pay(guard, 2000)


def test_an_approval_can_be_remembered_for_the_same_call_in_the_same_session(
    office: Office, clock: Clock
) -> None:
    terms = "approval: {from: [finance], timeout: 30m, remember: 10m}"
    guard = office.guard(POLICY.replace(TERMS, terms))
    with acting(guard):
        request = ask(office, guard)
        office.service.approve(request, FAY)
        assert [office.pay(guard) for _ in range(3)] == ["paid"] * 3
        ask(office, guard, 901)
        with acting_elsewhere(guard):
            ask(office, guard)
        clock.move(11 * MINUTE)
        assert ask(office, guard) != request
    assert len(office.ran) == 3


def acting_elsewhere(guard: Guard) -> Any:
    return guard.session(subject="worker")


def test_observed_tools_run_whatever_people_say(office: Office) -> None:
    guard = office.guard(observe=["pay"])
    assert office.pay(guard) == "paid"
    assert requests(office) == ()


def test_people_see_the_tool_and_what_the_session_did_before(office: Office) -> None:
    guard = office.guard()
    with acting(guard):
        guard.run("note", {"text": "hello"}, lambda text: text)
        office.pay(guard, 20)
        request = office.store.get(ask(office, guard))
    assert request.evidence["description"] == "Pay a supplier."
    assert request.evidence["traits"] == ["write", "spend"]
    assert request.evidence["kinds"] == {"to": "recipient", "amount": "amount"}
    earlier = request.evidence["earlier"]
    assert [(each["tool"], each["effect"]) for each in earlier] == [
        ("note", "allow"), ("pay", "allow"),
    ]  # fmt: skip
    assert earlier[1]["arguments"] == {"to": "ACME", "amount": 20.0}
    assert request.environment["host"]


def test_masks_hide_from_the_log_and_not_from_approvers(office: Office) -> None:
    guard = office.guard(
        POLICY.replace("traits: [write, spend]", "traits: [write, spend]\n    mask: [to]")
    )
    request = office.store.get(ask(office, guard))
    assert request.arguments["to"] == "ACME"
    assert guard.log.decisions[-1].masked == ("to",)


def test_without_a_store_an_escalated_call_asks_nobody(office: Office) -> None:
    guard = office.guard(approvals=None)
    with pytest.raises(ApprovalRequired) as caught:
        office.pay(guard)
    assert caught.value.request == ""
    assert caught.value.decision.code == "rule"


def test_a_guard_takes_a_folder_a_file_a_url_or_a_service(tmp_path: Path, office: Office) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(POLICY)
    home = tmp_path / "home"
    for given in (home, home / "approvals.db", f"sqlite:///{home}/approvals.db", office.service):
        guard = Guard.load(tmp_path / "policies", approvals=given, log=tmp_path / "log")
        assert office.pay(guard, 20) == "paid"
        guard.close()
    assert sorted(path.name for path in home.iterdir()) == [
        "approvals.db", "approvals.key", "approvals.pub",
    ]  # fmt: skip
    with pytest.raises(ConfigurationError, match="`approvals` is a folder"):
        Guard.load(tmp_path / "policies", approvals=5, log=tmp_path / "log")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="not in `oracle`"):
        Guard.load(tmp_path / "policies", approvals="oracle://x", log=tmp_path / "log")


def test_a_store_that_cannot_be_reached_refuses_the_guard(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(POLICY)
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises((ApprovalsUnavailable, ConfigurationError, OSError)):
        Guard.load(tmp_path / "policies", approvals=tmp_path / "home", log=tmp_path / "log")
