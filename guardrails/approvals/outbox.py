"""What channels are yet to be told, kept in the store: a killed process loses no notice.

What happens to a request and the row that says so are written in one transaction (`tell`), so the
history itself is the outbox; each channel has a cursor in it. From there a channel's notices become
rows of its own, which stay until they are delivered: each is told at least once, under an id that
is the same however often it is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import delete, exists, func, select, update

from guardrails.approvals.request import Kind, Status
from guardrails.approvals.rows import OPEN, read_one
from guardrails.approvals.steps import end_due
from guardrails.approvals.tables import changes, cursors, deliveries, requests
from guardrails.approvals.untold import find_untold
from guardrails.errors import ApprovalsUnavailable, RequestUnknown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import ColumnElement, Connection, Row

    from guardrails.approvals.line import Line, Writer
    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.untold import Untold

OPENED = "opened"
WIDENED = "widened"
"""Further people may vote from now on: a stage of the terms has come."""
OVERDUE = "overdue"
"""The time of a review is over, and its rule allows nothing more."""

_AT_ONCE = 500  # changes that one transaction turns into notices


class Delivery(NamedTuple):
    """A notice that a channel is to be told, and how often that was tried, this time included."""

    channel: str
    notice: str
    request_id: str
    event: str
    actor: str
    at_ns: int
    attempts: int
    error: str


class Outbox:
    """The notices of all channels in one database. Raises ApprovalsUnavailable."""

    __slots__ = ("_line",)

    def __init__(self, line: Line) -> None:
        self._line = line

    def collect(self, channel: str, events: Collection[str]) -> None:
        """Write down what the channel is to be told of all that has happened since it last asked.

        A channel that asks for the first time is told of what is pending, and of nothing before.
        """
        while self._has_news(channel):
            with self._line.writing() as writer:
                end_due(writer)
                _collect(writer, channel, events)

    def take(self, channel: str, lease_ns: int) -> Delivery | None:
        """The notice that is due first, nobody else's for `lease_ns`; None where none is due.

        Whoever takes it says what became of it, or dies: then it is due again after that time.
        """
        with self._line.reading() as connection:
            if _next_due(connection, channel, self._line.present(connection)) is None:
                return None
        with self._line.writing() as writer:
            row = _next_due(writer.connection, channel, writer.now_ns)
            if row is None:
                return None
            values = {"due_ns": writer.now_ns + lease_ns, "attempts": row.attempts + 1}
            _update(writer, row.channel, row.notice, values)
            return _delivery(row)._replace(attempts=row.attempts + 1)

    def confirm(self, delivery: Delivery) -> None:
        """The notice is delivered, or not to be any more."""
        with self._line.writing() as writer:
            mine = _of(delivery.channel, delivery.notice)
            writer.connection.execute(delete(deliveries).where(mine))

    def postpone(self, delivery: Delivery, pause_ns: int, error: str) -> None:
        """The notice is to be tried again after `pause_ns`."""
        with self._line.writing() as writer:
            values = {"due_ns": writer.now_ns + pause_ns, "error": error}
            _update(writer, delivery.channel, delivery.notice, values)

    def give_up(self, delivery: Delivery, error: str) -> None:
        """The notice is not tried any more, and is kept for people to see."""
        with self._line.writing() as writer:
            values = {"given_up_ns": writer.now_ns, "error": error}
            _update(writer, delivery.channel, delivery.notice, values)

    def given_up(self) -> tuple[Delivery, ...]:
        """The notices that could not be delivered, in the order of what they tell."""
        return self._list(deliveries.c.given_up_ns != 0)

    def untold(self, since_ns: int = 0) -> tuple[Untold, ...]:
        """The channels with notices that were given up from that time on, by name."""
        with self._line.reading() as connection:
            return find_untold(connection, since_ns)

    def waiting(self, channel: str) -> tuple[Delivery, ...]:
        """The notices that the channel is yet to be told."""
        return self._list((deliveries.c.channel == channel) & (deliveries.c.given_up_ns == 0))

    def next_due_ns(self, channel: str) -> int | None:
        """When the next notice of the channel is due, None where none waits."""
        query = select(func.min(deliveries.c.due_ns))
        mine = (deliveries.c.channel == channel) & (deliveries.c.given_up_ns == 0)
        with self._line.reading() as connection:
            due: int | None = connection.execute(query.where(mine)).scalar_one()
        return due

    def cursor(self, channel: str) -> int:
        """The number of the last change that was written down for the channel."""
        with self._line.reading() as connection:
            return _cursor(connection, channel) or 0

    def _list(self, which: ColumnElement[bool]) -> tuple[Delivery, ...]:
        query = select(deliveries).where(which).order_by(deliveries.c.number, deliveries.c.notice)
        with self._line.reading() as connection:
            return tuple(map(_delivery, connection.execute(query)))

    def _has_news(self, channel: str) -> bool:
        with self._line.reading() as connection:
            known = _cursor(connection, channel)
            if known is None:
                return True
            now = self._line.present(connection)
            later = exists().where(changes.c.number > known)
            due = exists().where(OPEN & (requests.c.expires_ns <= now))
            return bool(connection.execute(select(later | due)).scalar_one())


def _collect(writer: Writer, channel: str, events: Collection[str]) -> None:
    known = _cursor(writer.connection, channel)
    if known is None:
        query = (
            select(changes)
            .join(requests, requests.c.id == changes.c.request_id)
            .where(requests.c.status == str(Status.PENDING), changes.c.event == OPENED)
        )
        rows = writer.connection.execute(query.order_by(changes.c.number)).all()
        last = writer.connection.execute(select(func.max(changes.c.number))).scalar_one() or 0
    else:
        query = select(changes).where(changes.c.number > known).order_by(changes.c.number)
        rows = writer.connection.execute(query.limit(_AT_ONCE)).all()
        last = rows[-1].number if rows else known
    for row in rows:
        for event, due_ns in _notices(writer.connection, row):
            if event in events:
                _add(writer, channel, row, event, due_ns)
    _move(writer, channel, known, last)


def _notices(connection: Connection, change: Row[Any]) -> Iterator[tuple[str, int]]:
    """The events that a change brings with it, now and at later times."""
    yield change.event, change.at_ns
    if change.event != OPENED:
        return
    try:
        request = read_one(connection, change.request_id)
    except (ApprovalsUnavailable, RequestUnknown):  # a damaged row holds up no other
        return
    if request.kind is Kind.REVIEW:
        yield OVERDUE, request.expires_ns
    for after_ns in _stages(request):
        yield WIDENED, request.created_ns + after_ns


def _stages(request: ApprovalRequest) -> list[int]:
    return sorted({stage.after_ns for rule in request.rules for stage in rule.terms.then})


def _add(writer: Writer, channel: str, change: Row[Any], event: str, due_ns: int) -> None:
    # Later events come from the change that opened the request: its number alone isn't theirs.
    later = event != change.event
    suffix = f".{event}.{due_ns}" if later else ""
    row = {
        "channel": channel,
        "notice": f"{change.request_id}.{change.number}{suffix}",
        "number": change.number,
        "request_id": change.request_id,
        "event": event,
        "actor": "" if later else change.actor,
        "at_ns": due_ns,
        "due_ns": due_ns,
        "attempts": 0,
        "given_up_ns": 0,
        "error": "",
    }
    writer.connection.execute(deliveries.insert().values(row))


def _move(writer: Writer, channel: str, known: int | None, last: int) -> None:
    name = _reader(channel)
    if known is None:
        writer.connection.execute(cursors.insert().values(name=name, number=last))
    else:
        moved = update(cursors).where(cursors.c.name == name).values(number=last)
        writer.connection.execute(moved)


def _reader(channel: str) -> str:
    return f"channel {channel}"


def _cursor(connection: Connection, channel: str) -> int | None:
    query = select(cursors.c.number).where(cursors.c.name == _reader(channel))
    return connection.execute(query).scalar_one_or_none()


def _next_due(connection: Connection, channel: str, now_ns: int) -> Row[Any] | None:
    query = (
        select(deliveries)
        .where(
            deliveries.c.channel == channel,
            deliveries.c.given_up_ns == 0,
            deliveries.c.due_ns <= now_ns,
        )
        .order_by(deliveries.c.due_ns, deliveries.c.number)
    )
    return connection.execute(query.limit(1)).one_or_none()


def _of(channel: str, notice: str) -> ColumnElement[bool]:
    return (deliveries.c.channel == channel) & (deliveries.c.notice == notice)


def _update(writer: Writer, channel: str, notice: str, values: dict[str, Any]) -> None:
    changed = update(deliveries).where(_of(channel, notice)).values(values)
    writer.connection.execute(changed)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        row.channel,
        row.notice,
        row.request_id,
        row.event,
        row.actor,
        row.at_ns,
        row.attempts,
        row.error,
    )
