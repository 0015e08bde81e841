"""How people decide: measured by approver and by rule, so that weariness shows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.approvals.request import Kind, Status
from guardrails.approvals.store import Filter
from guardrails.approvals.vote import VoteOutcome
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.store import Store
    from guardrails.approvals.vote import Vote

QUICK_NS = 5 * NANOSECONDS
"""A vote sooner than this after the request was first shown to the voter was hardly read."""

_PAGE = 1000  # requests read at once


class Figures(NamedTuple):
    """How the votes of one approver, or on one rule, were cast.

    `waiting_ns` is the median time from the request to the vote, `deciding_ns` from its being
    shown to the voter (None where never known). `quick` counts votes within `QUICK_NS` of that,
    `overruled` those against what became of the request.
    """

    votes: int
    approved: int
    quick: int
    overruled: int
    waiting_ns: int
    deciding_ns: int | None

    @property
    def approval_rate(self) -> float:
        """The share of approvals, 0 to 1."""
        return self.approved / self.votes

    def as_json(self) -> dict[str, Any]:
        """The figures as the command line prints them; times in seconds."""
        return {
            "votes": self.votes,
            "approval_rate": self.approval_rate,
            "quick": self.quick,
            "overruled": self.overruled,
            "median_waiting_s": self.waiting_ns / NANOSECONDS,
            "median_deciding_s": None
            if self.deciding_ns is None
            else self.deciding_ns / NANOSECONDS,
        }


class Statistics(NamedTuple):
    """The figures by approver and by rule, and how many requests came to which end."""

    by_voter: Mapping[str, Figures]
    by_rule: Mapping[str, Figures]
    ends: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """The figures as the command line prints them."""
        return {
            "by_voter": {name: each.as_json() for name, each in self.by_voter.items()},
            "by_rule": {name: each.as_json() for name, each in self.by_rule.items()},
            "requests": dict(self.ends),
        }


def collect(store: Store, since_ns: int | None = None) -> Iterator[ApprovalRequest]:
    """The requests of a store from that time on, newest first; damaged ones are left out."""
    which = Filter(kinds=(Kind.APPROVAL,), since_ns=since_ns, limit=_PAGE)
    while True:
        page = store.list(which)
        yield from page.requests
        if not page.more or not page.requests:
            return
        which = replace(which, before=page.requests[-1].id)


def measure(requests: Iterable[ApprovalRequest]) -> Statistics:
    """The figures of these requests; reviews and samples are left out."""
    by_voter: dict[str, list[tuple[ApprovalRequest, Vote]]] = defaultdict(list)
    by_rule: dict[str, list[tuple[ApprovalRequest, Vote]]] = defaultdict(list)
    ends: dict[str, int] = defaultdict(int)
    for request in requests:
        if request.kind is not Kind.APPROVAL:
            continue
        ends[str(request.status)] += 1
        for vote in request.votes:
            by_voter[vote.voter].append((request, vote))
            for rule in request.rules:
                by_rule[rule.rule].append((request, vote))
    return Statistics(dict(_figures(by_voter)), dict(_figures(by_rule)), dict(sorted(ends.items())))


def _figures(
    found: Mapping[str, Sequence[tuple[ApprovalRequest, Vote]]],
) -> Iterator[tuple[str, Figures]]:
    for name in sorted(found):
        cast = found[name]
        deciding = [vote.cast_ns - vote.seen_ns for _, vote in cast if vote.seen_ns]
        yield (
            name,
            Figures(
                votes=len(cast),
                approved=sum(vote.outcome is VoteOutcome.APPROVE for _, vote in cast),
                quick=sum(span < QUICK_NS for span in deciding),
                overruled=sum(_is_overruled(request, vote) for request, vote in cast),
                waiting_ns=int(median(vote.cast_ns - each.created_ns for each, vote in cast)),
                deciding_ns=int(median(deciding)) if deciding else None,
            ),
        )


def _is_overruled(request: ApprovalRequest, vote: Vote) -> bool:
    if vote.outcome is VoteOutcome.APPROVE:
        return request.status is Status.DENIED
    return request.status in (Status.APPROVED, Status.USED)
