"""Where votes are taken: every check, then the service's signature, then one step of the store.

It runs where the agent does not: behind the inbox, the command line, a channel. Whoever calls it
has made sure who the voter is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from guardrails.approvals.exact import is_storable
from guardrails.approvals.request import Status
from guardrails.approvals.tally import Tally, genuine, may_vote, separated, tally
from guardrails.approvals.vote import COMMENT_MAX, Verifier, Vote, VoteOutcome
from guardrails.errors import VoteRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.approvals.people import Account, People
    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.store import Store
    from guardrails.approvals.vote import Signer


class ApprovalService:
    """Takes votes under `signer`'s name, from the people that `people()` knows at the moment.

    `trusted` are further keys whose votes count, those of other services and of one before. By
    default the service's own alone.
    """

    __slots__ = ("_people", "_signer", "store", "verifier")

    def __init__(
        self,
        store: Store,
        people: Callable[[], People],
        signer: Signer,
        trusted: Verifier | None = None,
    ) -> None:
        self.store = store
        self._people = people
        self._signer = signer
        self.verifier = Verifier([signer.public]) if trusted is None else trusted

    def people(self) -> People:
        """The people who may decide, as they are known at the moment."""
        return self._people()

    def vote(
        self,
        request_id: str,
        voter: str,
        outcome: VoteOutcome,
        comment: str = "",
        shown: str | None = None,
        *,
        elsewhere: bool = False,
    ) -> ApprovalRequest:
        """The request with the vote of the person called `voter`, and what becomes of it.

        `shown` is the `content` of what the voter saw, where whoever calls has it: a store that
        has come to hold another request under the id meanwhile gets no vote for that. `elsewhere`
        says that it was shown where nobody knows since when, so how long the voter took is not
        measured. Raises VoteRefused, with a code, where the vote can't count; RequestUnknown;
        ApprovalsUnavailable.
        """
        if len(comment) > COMMENT_MAX:
            msg = f"a comment has at most {COMMENT_MAX:,} characters"
            raise VoteRefused(msg, "comment")
        if not is_storable(comment):
            raise VoteRefused("a comment is Unicode text, without the character NUL", "comment")
        people = self._people()
        account = _find_voter(people, voter)
        request = self.store.get(request_id)
        if shown is not None and shown != request.content:
            raise VoteRefused("the request is not the one that was shown", "not_open")
        seen_ns = 0 if elsewhere else self.store.see(request_id, account.id)
        now_ns = self.store.now_ns()
        check_voter(request, account, people, now_ns)
        vote = self._signer.sign(
            Vote(
                request_id=request.id,
                digest=request.digest,
                content=request.content,
                voter=account.id,
                outcome=outcome,
                comment=comment,
                cast_ns=now_ns,
                seen_ns=seen_ns,
            )
        )
        return self.store.vote(vote, lambda voted: self._judge(voted, vote, people))

    def approve(self, request_id: str, voter: str, comment: str = "") -> ApprovalRequest:
        """The request with an approval; see `vote`."""
        return self.vote(request_id, voter, VoteOutcome.APPROVE, comment)

    def deny(self, request_id: str, voter: str, comment: str = "") -> ApprovalRequest:
        """The request with a denial; see `vote`."""
        return self.vote(request_id, voter, VoteOutcome.DENY, comment)

    def cancel(self, request_id: str, by: str, reason: str = "") -> ApprovalRequest:
        """The request, cancelled if it was open; nothing has to be true of whoever cancels."""
        return self.store.cancel(request_id, by, reason)

    def standing(self, request: ApprovalRequest) -> Tally:
        """How the votes on a request stand, as guards count them."""
        return tally(request, genuine(request, self.verifier), self._people())

    def waits_for(self, request: ApprovalRequest, voter: str) -> bool:
        """Whether the person called `voter` could vote on the request now."""
        people = self._people()
        try:
            check_voter(request, _find_voter(people, voter), people, self.store.now_ns())
        except VoteRefused:
            return False
        return True

    def _judge(self, request: ApprovalRequest, vote: Vote, people: People) -> Status:
        """What becomes of the request as it is now, in the transaction that takes the vote."""
        if (vote.digest, vote.content) != (request.digest, request.content):
            raise VoteRefused("the request is not the one that was shown", "not_open")
        before = replace(request, votes=request.votes[:-1])
        check_voter(before, people.accounts[vote.voter], people, vote.cast_ns)
        stands = tally(request, genuine(request, self.verifier), people)
        if stands.denied:
            return Status.DENIED
        return Status.APPROVED if stands.approved else Status.PENDING


def check_voter(request: ApprovalRequest, account: Account, people: People, now_ns: int) -> None:
    """Refuse a vote of that account now: VoteRefused, its code and text saying why."""
    if request.status is not Status.PENDING:
        msg = f"the request is {request.status}, so it takes no votes"
        raise VoteRefused(msg, "not_open")
    if account.id in separated(request, people):
        msg = "you act in this request, or its terms keep you apart from it, so you can't vote"
        raise VoteRefused(msg, "separated")
    if account.id not in may_vote(request, people, now_ns):
        raise VoteRefused("the rules of this request don't name you as approver", "not_approver")
    if any(people.identity(vote.voter) == account.id for vote in request.votes):
        raise VoteRefused("you have voted on this request already", "voted")


def _find_voter(people: People, voter: str) -> Account:
    account = people.find(voter)
    if account is None or account.disabled:
        raise VoteRefused("there is no such approver", "unknown_voter")
    return account
