"""What a channel is: something that tells people, outside the inbox, what became of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from guardrails.approvals.outbox import OPENED, OVERDUE, WIDENED
from guardrails.approvals.request import Status

if TYPE_CHECKING:
    from collections.abc import Collection

    from guardrails.approvals.request import ApprovalRequest

VOTED = "voted"

EVENTS = (OPENED, WIDENED, VOTED, *(str(each) for each in Status if each is not Status.PENDING))
"""What a channel can be told of a request, and `overdue` of a review."""

ALL_EVENTS = (*EVENTS, OVERDUE)

USUAL_EVENTS = tuple(each for each in ALL_EVENTS if each not in (VOTED, str(Status.USED)))
"""What a channel is told where nothing else is said: all but single votes and uses."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened to a request, to be told.

    `id` is the same each time one notice is sent, so that whoever gets it twice can tell. `event`
    is one of `ALL_EVENTS`, `actor` who did it ("" for time), `at_ns` when, in nanoseconds since
    1970. `request` is as it stands when the notice is sent, which may be later.
    """

    id: str
    event: str
    actor: str
    at_ns: int
    request: ApprovalRequest


class Channel(Protocol):
    """Tells people. `name` tells it from other channels, `events` are what it is told of.

    A channel decides nothing: whatever it does, no action runs by it.
    """

    @property
    def name(self) -> str:
        """The name under which the store remembers what the channel was told."""

    @property
    def events(self) -> Collection[str]:
        """What it wants to be told of, of `ALL_EVENTS`."""

    def deliver(self, notice: Notice) -> None:
        """Tell people; return only when that is done.

        Whatever it raises, the notice comes again later; DeliveryFailed says how much later, or
        that it is of no use. It is called in a thread of the channel's own.
        """
