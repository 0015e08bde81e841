"""How votes decide: cases as data, and the laws of counting."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from guardrails.approvals.people import Account, People
from guardrails.approvals.request import Actor, Kind, make_request
from guardrails.approvals.tally import genuine, may_vote, reachable, separated, tally
from guardrails.approvals.terms import Group, RuleTerms, Stage, Terms
from guardrails.approvals.vote import Verifier, Vote, VoteOutcome
from tests.approvals.scenes import (
    APPROVE,
    DENY,
    MINUTE,
    PEOPLE,
    SIGNER,
    START,
    STRANGER,
    case,
    each_of,
    request,
    rule,
    vote,
)

CASES = yaml.safe_load((Path(__file__).parent / "tallies.yaml").read_text())
VERIFIER = Verifier([SIGNER.public])


def read_rule(number: int, form: dict[str, Any]) -> RuleTerms:
    others = {
        "separate_from": tuple(form.get("separate_from", ())),
        "veto": form.get("veto", True),
        "then": tuple(
            Stage(each["after"] * MINUTE, tuple(each["from"])) for each in form.get("then", ())
        ),
    }
    voters = form.get("from", [])
    if isinstance(voters, dict):
        terms = each_of(voters, **others)
    elif voters:
        terms = Terms.any_of(voters, form.get("quorum", 1), **others)
    else:
        terms = Terms(**others)
    return rule(f"p/{number}", terms, owner=form.get("owner", ""))


@pytest.mark.parametrize("given_", CASES, ids=[each["name"] for each in CASES])
def test_votes_decide(given_: dict[str, Any]) -> None:
    rules = [read_rule(number, form) for number, form in enumerate(given_["rules"])]
    attributes = {"owner": given_["owner"]} if "owner" in given_ else {}
    actor = Actor(given_.get("agent", "agent-7"), (), "dana@example.com", attributes)
    asked = request(*rules, subjects=(actor,))
    votes = []
    for text in given_["votes"]:
        voter, outcome, *minute = text.split()
        at_ns = START + (int(minute[0][1:]) * MINUTE if minute else 0)
        votes.append(vote(asked, voter, VoteOutcome(outcome), at_ns=at_ns))
    stands = tally(asked, votes, PEOPLE)
    outcome = "denied" if stands.denied else "approved" if stands.approved else "pending"
    assert outcome == given_["expect"]
    assert not (stands.approved and stands.denied)
    if "seats" in given_:
        assert [seat.filled for seat in stands.seats] == given_["seats"]


def test_the_tally_names_who_approved_and_what_is_missing() -> None:
    asked = request(rule(terms=each_of({"finance": 2, "risk": 1})))
    stands = tally(asked, [vote(asked, "fay"), vote(asked, "rita", DENY)], PEOPLE)
    assert stands.approvers == ("fay@example.com",)
    assert [tuple(seat) for seat in stands.seats] == [
        ("pay/large", ("finance",), 2, 1),
        ("pay/large", ("risk",), 1, 0),
    ]


def test_an_approver_who_was_removed_counts_no_more() -> None:
    asked = request()
    votes = [vote(asked, "fay@example.com")]
    assert tally(asked, votes, PEOPLE).approved
    fay = PEOPLE.accounts["fay@example.com"]
    others = [each for each in PEOPLE.accounts.values() if each is not fay]
    for changed in ([], [replace(fay, disabled=True)], [replace(fay, groups=("risk",))]):
        assert not tally(asked, votes, People([*others, *changed])).approved


def test_only_votes_of_the_service_on_this_very_request_are_genuine() -> None:
    asked, other = request(), request()
    good = vote(asked, "fay@example.com")
    forged = [
        vote(asked, "fay@example.com", signer=STRANGER),
        replace(good, signature=b""),
        replace(good, key="", signature=b""),
        replace(good, voter="finn@example.com"),
        replace(good, outcome=DENY),
        replace(good, comment="looks fine"),
        replace(good, cast_ns=good.cast_ns + 1),
        replace(good, seen_ns=1),
        replace(good, request_id=other.id),
        replace(good, digest=case(tool="other").digest),
        replace(good, content=other.content),
        vote(other, "fay@example.com"),  # replayed from another request of the same digest
        SIGNER.sign(replace(good, digest=case(tool="other").digest)),
        SIGNER.sign(replace(good, content=other.content)),
        vote(asked, "fay@example.com", at_ns=START - 1),
        vote(asked, "fay@example.com", at_ns=asked.expires_ns),
    ]
    assert asked.digest == other.digest
    for each in forged:
        assert genuine(replace(asked, votes=(each,)), VERIFIER) == ()
    assert genuine(replace(asked, votes=(*forged, good)), VERIFIER) == (good,)


def test_a_vote_does_not_survive_a_change_of_what_was_shown() -> None:
    asked = request()
    voted = replace(asked, votes=(vote(asked, "fay@example.com"),))
    assert genuine(voted, VERIFIER)
    changes: tuple[dict[str, Any], ...] = (
        {"expires_ns": asked.expires_ns + 1},
        {"created_ns": asked.created_ns - 1},
        {"environment": {"host": "other"}},
        {"evidence": {"traits": []}},
        {"case": case(rule(description="harmless"))},
    )
    for change in changes:
        assert genuine(replace(voted, **change), VERIFIER) == ()


def test_a_review_may_come_late() -> None:
    asked = make_request(case(), START, kind=Kind.REVIEW)
    late = vote(asked, "fay@example.com", at_ns=asked.expires_ns + 1)
    assert genuine(replace(asked, votes=(late,)), VERIFIER) == (late,)


def test_everyone_of_a_delegation_is_kept_apart() -> None:
    chain = (Actor("root", on_behalf_of="FAY"), Actor("child", on_behalf_of="stranger"))
    asked = request(
        rule(terms=replace(rule().terms, separate_from=("oncall", "requester"))), subjects=chain
    )
    assert separated(asked, PEOPLE) == {
        "root",
        "child",
        "fay@example.com",
        "stranger",
        "oncall",
        "olga@example.com",
    }


def test_stages_widen_who_may_vote() -> None:
    terms = replace(rule().terms, then=(Stage(10 * MINUTE, ("oncall",)),))
    asked = request(rule(terms=terms))
    before = may_vote(asked, PEOPLE, START + 10 * MINUTE - 1)
    assert before == {"fay@example.com", "finn@example.com", "fred@example.com", "both@example.com"}
    assert may_vote(asked, PEOPLE, START + 10 * MINUTE) == before | {"olga@example.com"}


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (Terms(), False),
        (Terms.any_of(["nobody"]), False),
        (Terms.any_of(["oncall"]), True),
        (Terms.any_of(["oncall"], 2), False),
        (Terms.any_of(["finance"], 4), True),  # five are in it, but Dana is acted for
        (Terms.any_of(["finance"], 5), False),
        (each_of({"rita": 1, "risk": 1}), True),
        (each_of({"rita": 1, "risk": 2}), False),
        (Terms.any_of(["nobody"], then=(Stage(MINUTE, ("oncall",)),)), True),
        (Terms.any_of(["nobody"], then=(Stage(30 * MINUTE, ("oncall",)),)), False),
    ],
)
def test_a_request_is_reachable_if_enough_may_vote(terms: Terms, *, expected: bool) -> None:
    assert reachable(request(rule(terms=terms)), PEOPLE) is expected


def test_a_request_without_rules_is_approved_by_nobody() -> None:
    asked = make_request(replace(case(), rules=()), START)
    assert not tally(asked, [vote(asked, "fay")], PEOPLE).approved
    assert not reachable(asked, PEOPLE)


PERSONS = [f"p{number}" for number in range(5)]
GROUPS = ["a", "b", "c"]

people_st = st.lists(
    st.sets(st.sampled_from(GROUPS)), min_size=len(PERSONS), max_size=len(PERSONS)
).map(
    lambda groups: People(
        Account(person, groups=tuple(sorted(each)))
        for person, each in zip(PERSONS, groups, strict=True)
    )
)
rules_st = st.lists(
    st.lists(st.tuples(st.sampled_from(GROUPS), st.integers(1, 2)), min_size=1, max_size=2),
    min_size=1,
    max_size=2,
).map(
    lambda rules: [
        rule(f"p/{number}", Terms(tuple(Group((name,), quorum) for name, quorum in groups)))
        for number, groups in enumerate(rules)
    ]
)
voters_st = st.lists(st.sampled_from(PERSONS), unique=True)


def by_trying(people: People, rules: list[RuleTerms], voters: list[str]) -> bool:
    """Whether some way of seating the voters fills all seats: the slow way."""
    seats = [group for each in rules for group in each.terms.groups for _ in range(group.quorum)]
    return any(
        all(
            person in people.members(seat.voters)
            for person, seat in zip(chosen, seats, strict=True)
        )
        for chosen in permutations(voters, len(seats))
    )


def cast(asked: Any, voters: list[str], outcome: VoteOutcome) -> list[Vote]:
    return [Vote(asked.id, asked.digest, "", each, outcome, "", START) for each in voters]


@given(people_st, rules_st, voters_st)
def test_counting_finds_a_seating_exactly_if_there_is_one(
    people: People, rules: list[RuleTerms], voters: list[str]
) -> None:
    asked = request(*rules)
    stands = tally(asked, cast(asked, voters, APPROVE), people)
    assert stands.approved is by_trying(people, rules, voters)
    assert reachable(asked, people) is by_trying(people, rules, PERSONS)


@given(people_st, rules_st, voters_st, voters_st, st.booleans())
def test_a_denial_never_approves_and_order_never_matters(
    people: People, rules: list[RuleTerms], voters: list[str], deniers: list[str], veto: bool
) -> None:
    rules = [replace(each, terms=replace(each.terms, veto=veto)) for each in rules]
    asked = request(*rules)
    approving = cast(asked, [each for each in voters if each not in deniers], APPROVE)
    denying = cast(asked, deniers, DENY)
    alone, both = tally(asked, approving, people), tally(asked, approving + denying, people)
    assert alone.approved or not both.approved
    assert not (both.approved and both.denied)
    assert both[:2] == tally(asked, denying + approving, people)[:2]
