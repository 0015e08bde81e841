"""What happens to requests, told as it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guardrails.approvals.request import Status
from guardrails.approvals.store import Change, Filter
from guardrails.errors import ApprovalsUnavailable, RequestUnknown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.store import Store

LOOK_S = 1.0
"""Seconds after which a store that tells nothing is asked anyway."""


class Sight(NamedTuple):
    """Something that happened to a request, and the request as it is now."""

    event: str
    actor: str
    request: ApprovalRequest


def follow(store: Store, stop: Event) -> Iterator[Sight | None]:
    """What is pending, as `waiting`, then each change as it comes, until `stop` is set.

    None stands for a store that can't be reached at the moment; what happens meanwhile follows.
    """
    last = newest_change(store)
    waiting = store.list(Filter(statuses=(Status.PENDING,), limit=1000)).requests
    for request in reversed(waiting):
        yield Sight("waiting", "", request)
    known = {request.id for request in waiting}
    while not stop.is_set():
        try:
            store.wait_for_changes(last, LOOK_S, stop)
            found = store.changes(last)
            for change in found:
                sight = _look(store, change)
                if sight is not None and not (
                    change.event == "opened" and sight.request.id in known
                ):
                    yield sight
                last = change.number
        except ApprovalsUnavailable:
            yield None
            stop.wait(LOOK_S)


def newest_change(store: Store) -> int:
    """The number of the last change, 0 where there is none: by halving, for numbers only grow."""
    high = 1
    while store.changes(high, 1):
        high *= 2
    low = 0
    while low < high:
        middle = (low + high) // 2
        if store.changes(middle, 1):
            low = middle + 1
        else:
            high = middle
    return low


def _look(store: Store, change: Change) -> Sight | None:
    try:
        return Sight(change.event, change.actor, store.get(change.request_id))
    except RequestUnknown:
        return None
