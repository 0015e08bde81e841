"""How the votes on a request stand: pure counting, without store, clock or keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guardrails.approvals.request import Kind
from guardrails.approvals.terms import OWNER, REQUESTER
from guardrails.approvals.vote import VoteOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardrails.approvals.people import People
    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.terms import Group, RuleTerms
    from guardrails.approvals.vote import Verifier, Vote


class Seat(NamedTuple):
    """What one group of one rule needs, and how many of it the votes fill."""

    rule: str
    voters: tuple[str, ...]
    quorum: int
    filled: int


class Tally(NamedTuple):
    """How the votes stand. Where `denied`, `approved` is False.

    `approvers` are the people whose approvals fill seats.
    """

    approved: bool
    denied: bool
    seats: tuple[Seat, ...]
    approvers: tuple[str, ...]


def separated(request: ApprovalRequest, people: People) -> frozenset[str]:
    """The identities that may not vote on a request.

    Always the agents of the chain and the people they act for. `separate_from: owner` adds the
    owners of the agents (their attribute `owner`, a name or a list) and of the rules' documents,
    and where nobody says who they are nobody may vote (`is_told_apart`); other words of it name
    groups and people.
    """
    names = {subject.id for subject in request.subjects}
    names |= {subject.on_behalf_of for subject in request.subjects if subject.on_behalf_of}
    for rule in request.rules:
        for word in rule.terms.separate_from:
            if word == OWNER:
                names |= _owners(request)
            elif word != REQUESTER:
                names.add(word)
    return people.identities(names)


def _owners(request: ApprovalRequest) -> set[str]:
    owners = {rule.owner for rule in request.rules if rule.owner}
    for subject in request.subjects:
        stated = subject.attributes.get("owner")
        named = stated if type(stated) is list else [stated]
        owners |= {name for name in named if type(name) is str and name}
    return owners


def is_told_apart(request: ApprovalRequest) -> bool:
    """Whether it is known whom `separate_from: owner` keeps apart, where a rule says it.

    An agent's owner that is stated and can't be read may be anybody.
    """
    if not any(OWNER in rule.terms.separate_from for rule in request.rules):
        return True
    stated = (subject.attributes.get("owner") for subject in request.subjects)
    return bool(_owners(request)) and all(map(_is_readable, stated))


def _is_readable(owner: object) -> bool:
    """Whether it is a name, a list of names, or nothing."""
    named = owner if type(owner) is list else [owner]
    return all(name is None or type(name) is str for name in named)


def may_vote(request: ApprovalRequest, people: People, now_ns: int) -> frozenset[str]:
    """The ids of the accounts that may vote on a request at that moment."""
    eligible: frozenset[str] = frozenset()
    if not is_told_apart(request):
        return eligible
    age = now_ns - request.created_ns
    for rule in request.rules:
        eligible |= _eligible(rule, people, age)
    return eligible - separated(request, people)


def genuine(request: ApprovalRequest, verifier: Verifier) -> tuple[Vote, ...]:
    """The votes that a service took on this very request, within its time.

    A review may come late: better than never.
    """
    content = request.content
    return tuple(
        vote
        for vote in request.votes
        if vote.request_id == request.id
        and vote.digest == request.digest
        and vote.content == content
        and request.created_ns <= vote.cast_ns
        and (request.kind is not Kind.APPROVAL or vote.cast_ns < request.expires_ns)
        and verifier.holds(vote)
    )


def tally(request: ApprovalRequest, votes: Iterable[Vote], people: People) -> Tally:
    """How `votes`, already known to be genuine, decide a request.

    Every rule must be satisfied, and one person fills one seat of the whole request. The first
    vote of a person counts, and only if its voter could vote then and is an approver still.
    """
    barred = separated(request, people)
    first: dict[str, Vote] = {}
    for vote in votes:
        voter = people.identity(vote.voter)
        if voter not in barred:
            first.setdefault(voter, vote)
    seated = _seat(request, first, people, request.rules, VoteOutcome.APPROVE)
    filled = [len(sitting) for sitting in seated]
    seats = tuple(
        Seat(rule.rule, group.voters, group.quorum, count)
        for (rule, group), count in zip(_groups(request.rules), filled, strict=True)
    )
    denied = any(_denies(request, rule, first, people) for rule in request.rules)
    asked = _is_approvable(request)
    full = asked and all(seat.filled >= seat.quorum for seat in seats)
    return Tally(full and not denied, denied, seats, tuple(sorted(set().union(*seated))))


def reachable(
    request: ApprovalRequest, people: People, without: frozenset[str] = frozenset()
) -> bool:
    """Whether the accounts that are there could approve a request, all stages counted.

    `without` are accounts that can't be asked now.
    """
    if not _is_approvable(request):
        return False
    barred = separated(request, people) | without
    groups = _groups(request.rules)
    age = request.expires_ns - request.created_ns - 1
    voters = [people.members(rule.terms.voters_at(group, age)) - barred for rule, group in groups]
    seated = _match([group.quorum for _, group in groups], voters)
    return all(len(s) == group.quorum for s, (_, group) in zip(seated, groups, strict=True))


def _is_approvable(request: ApprovalRequest) -> bool:
    """Whether its terms say who may approve, for every rule, and who may not."""
    named = bool(request.rules) and all(rule.terms.groups for rule in request.rules)
    return named and is_told_apart(request)


def _eligible(rule: RuleTerms, people: People, age_ns: int) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for group in rule.terms.groups:
        found |= people.members(rule.terms.voters_at(group, age_ns))
    return found


def _denies(
    request: ApprovalRequest, rule: RuleTerms, first: dict[str, Vote], people: People
) -> bool:
    if not rule.terms.groups:
        return False
    seated = _seat(request, first, people, (rule,), VoteOutcome.DENY)
    if rule.terms.veto:
        return any(seated)
    return [len(sitting) for sitting in seated] == [group.quorum for group in rule.terms.groups]


def _groups(rules: Iterable[RuleTerms]) -> list[tuple[RuleTerms, Group]]:
    return [(rule, group) for rule in rules for group in rule.terms.groups]


def _seat(
    request: ApprovalRequest,
    first: dict[str, Vote],
    people: People,
    rules: Sequence[RuleTerms],
    outcome: VoteOutcome,
) -> list[frozenset[str]]:
    """Who of the voters of that outcome fill the seats of each group of `rules`, at best."""
    groups = _groups(rules)
    voters: list[set[str]] = [set() for _ in groups]
    for voter, vote in first.items():
        if vote.outcome is not outcome:
            continue
        age = vote.cast_ns - request.created_ns
        for place, (rule, group) in enumerate(groups):
            if voter in people.members(rule.terms.voters_at(group, age)):
                voters[place].add(voter)
    return _match([group.quorum for _, group in groups], voters)


def _match(quorums: Sequence[int], voters: Sequence[Iterable[str]]) -> list[frozenset[str]]:
    """Who fills the seats of each group when each voter takes one: a maximum matching.

    By augmenting paths (Kuhn 1955); first come, so that groups named first fill first.
    """
    seats = [group for group, quorum in enumerate(quorums) for _ in range(quorum)]
    sitting: dict[str, int] = {}

    def seat(number: int, tried: set[str]) -> bool:
        for voter in sorted(voters[seats[number]]):
            if voter in tried:
                continue
            tried.add(voter)
            if voter not in sitting or seat(sitting[voter], tried):
                sitting[voter] = number
                return True
        return False

    for number in range(len(seats)):
        seat(number, set())
    return [
        frozenset(voter for voter, number in sitting.items() if seats[number] == group)
        for group in range(len(quorums))
    ]
