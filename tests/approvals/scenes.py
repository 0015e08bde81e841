"""People, rules and requests that the tests of approvals share."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guardrails.approvals.people import Account, People
from guardrails.approvals.request import Actor, Case, Status, make_request
from guardrails.approvals.rows import request_row
from guardrails.approvals.sql_store import SqlStore
from guardrails.approvals.terms import Group, RuleTerms, Terms
from guardrails.approvals.vote import Signer, Vote, VoteOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from guardrails.approvals.request import ApprovalRequest

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START = 1_800_000_000 * SECOND  # some day in 2027

APPROVE, DENY = VoteOutcome.APPROVE, VoteOutcome.DENY


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now_ns: int = START) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns

    def move(self, by_ns: int) -> None:
        self.now_ns += by_ns


SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))

PEOPLE = People(
    [
        Account("fay@example.com", "Fay", ("finance",), ("fay",)),
        Account("finn@example.com", "Finn", ("finance",), ("finn",)),
        Account("fred@example.com", "Fred", ("finance",), ("fred",)),
        Account("rita@example.com", "Rita", ("risk",), ("rita", "r.ita@partner.example")),
        Account("both@example.com", "Bo", ("finance", "risk")),
        Account("olga@example.com", "Olga", ("oncall",)),
        Account("dana@example.com", "Dana", ("finance", "risk"), ("dana",)),
    ]
)

FINANCE = Terms.any_of(["finance"])
AGENT = Actor("agent-7", ("billing",), "dana@example.com")


def each_of(quorums: Mapping[str, int], **others: Any) -> Terms:
    """The terms of a map under `from`: so many votes of each."""
    groups = (Group((voter,), quorum) for voter, quorum in quorums.items())
    return Terms(tuple(groups), **others)


def rule(name: str = "pay/large", terms: Terms = FINANCE, **words: str) -> RuleTerms:
    return RuleTerms(name, terms, **words)


def case(*rules: RuleTerms, **parts: Any) -> Case:
    """A payment by `agent-7` for Dana, which finance decides unless told otherwise."""
    fields: dict[str, Any] = {
        "tool": "payments.transfer",
        "arguments": {"to": "ACME", "amount": 900.0},
        "subjects": (AGENT,),
        "session": "s-1",
        "context": {"environment": "prod"},
        "rules": rules or (rule(),),
    }
    return Case(**{**fields, **parts})


def request(*rules: RuleTerms, now_ns: int = START, **parts: Any) -> ApprovalRequest:
    return make_request(case(*rules, **parts), now_ns)


def vote(
    asked: ApprovalRequest,
    voter: str,
    outcome: VoteOutcome = APPROVE,
    *,
    at_ns: int | None = None,
    signer: Signer = SIGNER,
) -> Vote:
    """A vote as the service would sign it."""
    cast_ns = asked.created_ns if at_ns is None else at_ns
    return signer.sign(Vote(asked.id, asked.digest, asked.content, voter, outcome, "", cast_ns))


def exchange(path: Path, request_id: str, **parts: Any) -> ApprovalRequest:
    """Put another action in the place of a request, as only the owner of the file can."""
    store = SqlStore(path)
    known = store.get(request_id)
    store.close()
    other = replace(known, case=replace(known.case, **parts))
    row = {name: value for name, value in request_row(other, 0).items() if name != "number"}
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER IF EXISTS approval_requests_kept_update")
        places = ", ".join(f"{name} = :{name}" for name in row)
        connection.execute(f"UPDATE approval_requests SET {places} WHERE id = :id", row)
    connection.close()
    return other


def decide(
    store: SqlStore, asked: ApprovalRequest, status: Status, voter: str = "fay@example.com"
) -> ApprovalRequest:
    """Bring a pending request to that status by one vote, without asking who may."""
    outcome = DENY if status is Status.DENIED else APPROVE
    return store.vote(vote(asked, voter, outcome, at_ns=store.now_ns()), lambda _: status)
