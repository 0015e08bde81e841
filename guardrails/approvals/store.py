"""What every store of approvals can do. `sql_store` is the one that ships.

Each step is atomic: it happens whole or not, and of two processes that try what only one may, one
succeeds. What fails raises ApprovalsUnavailable, and then nothing that needed it may run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from guardrails.approvals.outbox import Outbox
    from guardrails.approvals.request import ApprovalRequest, Kind, Status
    from guardrails.approvals.vote import Vote

    Judge = Callable[[ApprovalRequest], Status]
    """Says what becomes of a request with the votes it now has; may raise VoteRefused."""

    Admit = Callable[["Crowd"], None]
    """Raises EscalationRefused where no further request may be opened."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which requests to list: all that match every field given. Newest first.

    `text` is searched in ids and tools. `before` is the id of the last request of the page before.
    """

    statuses: tuple[Status, ...] = ()
    kinds: tuple[Kind, ...] = ()
    agent: str | None = None
    session: str | None = None
    tool: str | None = None
    rule: str | None = None
    voter: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    text: str = ""
    before: str | None = None
    limit: int = 100


class Page(NamedTuple):
    """Requests, whether there are more, and the ids of those whose rows can't be believed."""

    requests: tuple[ApprovalRequest, ...]
    more: bool
    damaged: tuple[str, ...]


class Change(NamedTuple):
    """Something that happened to a request, in the order in which it did.

    `event` is `opened`, `voted`, or the status that it came to; `actor` is who did it ("" for
    time).
    """

    number: int
    request_id: str
    event: str
    actor: str
    at_ns: int


class Crowd(NamedTuple):
    """What is open as a request comes in: what budgets are counted on.

    `mine` of the same agent, `open` of all agents, `others()` these as such, which takes a while
    and is to be asked for in the `Admit` alone; `recent` is how many the agent has tried to
    open within the window of the budget, this one included.
    """

    mine: int
    open: int
    others: Callable[[], Sequence[ApprovalRequest]]
    recent: int
    suspended: str


class Suspension(NamedTuple):
    """An agent for which nobody is asked any more, since when and why."""

    agent: str
    since_ns: int
    reason: str


class Store(Protocol):
    """Where requests and votes are kept. Times are nanoseconds since 1970."""

    @property
    def outbox(self) -> Outbox:
        """What channels are yet to be told."""

    def now_ns(self) -> int:
        """The present, never earlier than any present that the store has acted on."""

    def open(
        self, request: ApprovalRequest, admit: Admit | None = None, window_ns: int = 0
    ) -> ApprovalRequest:
        """The request, now pending, or the one of the same digest that is open already.

        One that was denied counts as open until its time is over. `admit` may refuse; the attempt
        is counted for `window_ns` either way. Reviews and samples are never one with another.
        """

    def get(self, request_id: str) -> ApprovalRequest:
        """The request; raises RequestUnknown where there is none."""

    def find(
        self, action_digest: str, used_within_ns: int | None = None
    ) -> tuple[ApprovalRequest, ...]:
        """The requests for approval of that action that are not over, newest first.

        Used ones are among them, for what is remembered (of them only those used within
        `used_within_ns`, where it is given), and denied ones until their time is over.
        """

    def list(self, which: Filter) -> Page:
        """The requests that match, newest first."""

    def vote(self, vote: Vote, judge: Judge) -> ApprovalRequest:
        """The request with the vote, its status as `judge` says.

        Raises VoteRefused where it is not pending any more or the person has voted.
        """

    def use(self, request_id: str, digest: str, remember_until_ns: int = 0) -> bool:
        """Whether the approval was there to be used, and is used now: once, or while remembered.

        Whoever asks has counted the votes himself: the store takes nobody's word for them.
        """

    def cancel(self, request_id: str, by: str, reason: str = "") -> ApprovalRequest:
        """The request, cancelled if it was open and is no review, and otherwise as it is."""

    def expire(self) -> tuple[str, ...]:
        """The ids of the requests whose time has come, now expired."""

    def see(self, request_id: str, account: str) -> int:
        """When the request was first shown to that account: now, unless it was before."""

    def wait(
        self, request_id: str, timeout_s: float | None = None, stop: Event | None = None
    ) -> ApprovalRequest:
        """The request as soon as it is not pending, else as it is at the timeout or at `stop`."""

    async def wait_async(self, request_id: str, timeout_s: float | None = None) -> ApprovalRequest:
        """The request, as `wait` gives it, without holding up the event loop; cancellable."""

    def changes(self, after: int = 0, limit: int = 1000) -> tuple[Change, ...]:
        """What happened after change number `after`, in order."""

    def wait_for_changes(self, after: int, timeout_s: float, stop: Event | None = None) -> bool:
        """Whether something has happened after change number `after`, at the latest at timeout."""

    def cursor(self, name: str) -> int:
        """The number of the last change that the reader `name` has dealt with, 0 at first."""

    def advance(self, name: str, number: int) -> None:
        """Remember that the reader called `name` has dealt with all changes up to `number`."""

    def claim(self, channel: str, nonce: str, sent_ns: int, tolerance_ns: int) -> bool:
        """Whether a message of that time, with that nonce, came over the channel just now, once.

        One that is older or newer than `tolerance_ns`, or that came before, is not taken.
        """

    def overdue(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the rules of these full names, of which a review is overdue."""

    def suspensions(self) -> tuple[Suspension, ...]:
        """The agents that are suspended."""

    def suspend(self, agent: str, reason: str) -> None:
        """Let nobody be asked for that agent any more."""

    def lift(self, agent: str) -> None:
        """Let people be asked for that agent again."""

    def close(self) -> None:
        """Give back what is held open; waiters are woken."""
