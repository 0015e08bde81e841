"""What channels could not be told: shown to those who operate them, for people may not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import case, distinct, func, select

from guardrails.approvals.request import Status
from guardrails.approvals.tables import deliveries, requests
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

RECENT_NS = 7 * 86_400 * NANOSECONDS
"""How long people are shown that a channel was not told: a week, in which somebody looks."""


class Untold(NamedTuple):
    """What a channel could not be told: how many notices, the last of them when, and why not.

    `pending` is how many of the requests that they were about still wait for people.
    """

    channel: str
    notices: int
    pending: int
    latest_ns: int
    error: str


def find_untold(connection: Connection, since_ns: int) -> tuple[Untold, ...]:
    """The channels with notices that were given up from that time on, by name."""
    gone = (deliveries.c.given_up_ns != 0) & (deliveries.c.given_up_ns >= since_ns)
    return tuple(
        Untold(channel, notices, pending, latest_ns, _last_error(connection, channel, gone))
        for channel, notices, pending, latest_ns in connection.execute(_count(gone)).all()
    )


def _count(which: ColumnElement[bool]) -> Select[tuple[str, int, int, Any]]:
    pending = case((requests.c.status == str(Status.PENDING), requests.c.id))
    return (
        select(
            deliveries.c.channel,
            func.count(),
            func.count(distinct(pending)),
            func.max(deliveries.c.given_up_ns),
        )
        .select_from(deliveries)
        .outerjoin(requests, requests.c.id == deliveries.c.request_id)
        .where(which)
        .group_by(deliveries.c.channel)
        .order_by(deliveries.c.channel)
    )


def _last_error(connection: Connection, channel: str, which: ColumnElement[bool]) -> str:
    query = select(deliveries.c.error).where(which, deliveries.c.channel == channel)
    latest = query.order_by(deliveries.c.given_up_ns.desc(), deliveries.c.number.desc())
    error: str = connection.execute(latest.limit(1)).scalar_one()
    return error
