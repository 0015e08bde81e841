"""The store on SQLite, one file for the processes of a machine, or PostgreSQL, for many hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select, update

from guardrails.approvals.line import Line
from guardrails.approvals.migrations import APPROVALS as SCHEMA
from guardrails.approvals.nonces import claim_nonce
from guardrails.approvals.outbox import Outbox
from guardrails.approvals.request import Kind, Status
from guardrails.approvals.rows import APPROVALS, OPEN, damaged_row, narrow, read_all, read_one
from guardrails.approvals.steps import (
    admit_request,
    cancel_request,
    count_vote,
    end_due,
    end_open,
    find_same,
    insert_request,
    suspend_agent,
    use_approval,
)
from guardrails.approvals.store import Change, Page, Suspension
from guardrails.approvals.tables import (
    attempts,
    changes,
    cursors,
    requests,
    rules,
    suspensions,
    views,
)
from guardrails.approvals.waiting import wait_for, wait_for_any, wait_for_async
from guardrails.approvals.watch import Watch
from guardrails.errors import EscalationRefused, VoteRefused
from guardrails.store.database import Database

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from threading import Event

    from sqlalchemy import Connection

    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.store import Admit, Filter, Judge
    from guardrails.approvals.vote import Vote
    from guardrails.store.connections import Clock

DEFAULT_PATH = ".guardrails/approvals.db"
"""Where approvals are kept where nothing else is said: below the folder the program runs in."""


class SqlStore:
    """The store at a path or URL (`postgresql://...`), made if it is not there.

    `clock` gives nanoseconds since 1970; see `Connections`. Raises ConfigurationError for what
    can't be a store, ApprovalsUnavailable where it can't be reached. Each method is as `Store`
    tells.
    """

    def __init__(
        self, where: str | os.PathLike[str] = DEFAULT_PATH, clock: Clock | None = None
    ) -> None:
        self._database = Database.at(where, SCHEMA, clock)
        self._line = Line(self._database)
        self._watch = Watch(self._database)
        self.outbox = Outbox(self._line)

    def now_ns(self) -> int:
        """The present, never earlier than any that was acted on."""
        with self._line.reading() as connection:
            return self._line.present(connection)

    def open(
        self, request: ApprovalRequest, admit: Admit | None = None, window_ns: int = 0
    ) -> ApprovalRequest:
        """The request, or the one of its digest that is open already; raises EscalationRefused."""
        refusal = None
        with self._line.writing() as writer:
            end_due(writer)
            known = find_same(writer, request) if request.kind is Kind.APPROVAL else None
            if known is not None:
                return known
            try:
                admit_request(writer, request, admit, window_ns)
                insert_request(writer, request)
            except EscalationRefused as error:
                refusal = error  # raised later: that it was tried, and what has ended, is kept
        if refusal is not None:
            raise refusal
        return request

    def get(self, request_id: str) -> ApprovalRequest:
        """The request; raises RequestUnknown."""
        with self._line.reading() as connection:
            found = read_one(connection, request_id)
            waits = found.kind is Kind.APPROVAL and found.status.is_open
            due = waits and found.passed(self._line.present(connection))
        if not due:
            return found
        self.expire()
        with self._line.reading() as connection:
            return read_one(connection, request_id)

    def find(
        self, action_digest: str, used_within_ns: int | None = None
    ) -> tuple[ApprovalRequest, ...]:
        """What is not over of the requests for approval of that action, newest first."""
        self._settle()
        with self._line.reading() as connection:
            now = self._line.present(connection)
            denied = (requests.c.status == str(Status.DENIED)) & (requests.c.expires_ns > now)
            used = requests.c.status == str(Status.USED)
            if used_within_ns is not None:
                used &= requests.c.used_ns > now - used_within_ns
            wanted = OPEN | (APPROVALS & (used | denied))
            query = select(requests).where(requests.c.action_digest == action_digest, wanted)
            found, damaged = read_all(connection, query.order_by(requests.c.number.desc()))
        if damaged:
            raise damaged_row(damaged[0])
        return found

    def list(self, which: Filter) -> Page:
        """The requests that match, newest first."""
        self._settle()
        with self._line.reading() as connection:
            query = narrow(select(requests), which).order_by(requests.c.number.desc())
            found, damaged = read_all(connection, query.limit(which.limit + 1))
        more = len(found) + len(damaged) > which.limit
        return Page(found[: which.limit], more, damaged)

    def vote(self, vote: Vote, judge: Judge) -> ApprovalRequest:
        """The request with the vote; raises VoteRefused."""
        refusal = None
        with self._line.writing() as writer:
            end_due(writer)
            try:
                request = count_vote(writer, vote, judge)
            except VoteRefused as error:
                refusal = error  # raised later: what has ended is kept
        if refusal is not None:
            raise refusal
        return request

    def use(self, request_id: str, digest: str, remember_until_ns: int = 0) -> bool:
        """Whether the approval was there to be used; of all who try, one is told so."""
        with self._line.writing() as writer:
            end_due(writer)
            return use_approval(writer, request_id, digest, remember_until_ns)

    def cancel(self, request_id: str, by: str, reason: str = "") -> ApprovalRequest:
        """The request, cancelled if it was open."""
        with self._line.writing() as writer:
            end_due(writer)
            return cancel_request(writer, request_id, by, reason)

    def expire(self) -> tuple[str, ...]:
        """The ids of the requests whose time had come."""
        with self._line.writing() as writer:
            return end_due(writer)

    def see(self, request_id: str, account: str) -> int:
        """When the request was first shown to that account."""
        mine = (views.c.request_id == request_id) & (views.c.account == account)
        query = select(views.c.first_ns).where(mine)
        with self._line.reading() as connection:
            first: int | None = connection.execute(query).scalar_one_or_none()
        if first is not None:
            return first
        with self._line.writing() as writer:
            first = writer.connection.execute(query).scalar_one_or_none()
            if first is None:
                first = writer.now_ns
                row = {"request_id": request_id, "account": account, "first_ns": first}
                writer.connection.execute(views.insert().values(row))
        return first

    def wait(
        self, request_id: str, timeout_s: float | None = None, stop: Event | None = None
    ) -> ApprovalRequest:
        """The request once it is not pending, or at the timeout, or at `stop`."""
        return wait_for(self.get, self._watch, request_id, timeout_s, stop)

    async def wait_async(self, request_id: str, timeout_s: float | None = None) -> ApprovalRequest:
        """The request, as `wait` gives it, without holding up the event loop."""
        return await wait_for_async(self.get, self._watch, request_id, timeout_s)

    def changes(self, after: int = 0, limit: int = 1000) -> tuple[Change, ...]:
        """What happened after that change, in order."""
        query = select(changes).where(changes.c.number > after).order_by(changes.c.number)
        with self._line.reading() as connection:
            return tuple(Change(*row) for row in connection.execute(query.limit(limit)))

    def wait_for_changes(self, after: int, timeout_s: float, stop: Event | None = None) -> bool:
        """Whether something has happened after that change."""
        return wait_for_any(lambda: bool(self.changes(after, 1)), self._watch, timeout_s, stop)

    def cursor(self, name: str) -> int:
        """The number of the last change that the reader has dealt with."""
        with self._line.reading() as connection:
            return _read_cursor(connection, name) or 0

    def advance(self, name: str, number: int) -> None:
        """Remember how far the reader has come."""
        with self._line.writing() as writer:
            known = _read_cursor(writer.connection, name)
            if known is None:
                writer.connection.execute(cursors.insert().values(name=name, number=number))
            elif known < number:
                moved = update(cursors).where(cursors.c.name == name).values(number=number)
                writer.connection.execute(moved)

    def claim(self, channel: str, nonce: str, sent_ns: int, tolerance_ns: int) -> bool:
        """Whether a message of that time, with that nonce, came over the channel just now, once."""
        with self._line.writing() as writer:
            return claim_nonce(writer, channel, nonce, sent_ns, tolerance_ns)

    def overdue(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the rules of which a review is overdue."""
        with self._line.reading() as connection:
            now = self._line.present(connection)
            query = (
                select(rules.c.rule)
                .join(requests, requests.c.id == rules.c.request_id)
                .where(
                    rules.c.rule.in_(names),
                    requests.c.kind == str(Kind.REVIEW),
                    requests.c.status == str(Status.PENDING),
                    requests.c.expires_ns <= now,
                )
            )
            return tuple(connection.scalars(query.distinct().order_by(rules.c.rule)))

    def suspensions(self) -> tuple[Suspension, ...]:
        """The agents for which nobody is asked."""
        with self._line.reading() as connection:
            query = select(suspensions).order_by(suspensions.c.since_ns, suspensions.c.agent)
            return tuple(Suspension(*row) for row in connection.execute(query))

    def suspend(self, agent: str, reason: str) -> None:
        """Let nobody be asked for that agent any more."""
        with self._line.writing() as writer:
            suspend_agent(writer, agent, reason)

    def lift(self, agent: str) -> None:
        """Let people be asked for that agent again, and forget how often it has asked."""
        with self._line.writing() as writer:
            writer.connection.execute(delete(suspensions).where(suspensions.c.agent == agent))
            writer.connection.execute(delete(attempts).where(attempts.c.agent == agent))

    def reset_clock(self) -> tuple[str, ...]:
        """End every open request, then believe the clock though it has gone back.

        Returns the ids of what was ended. For an operator who has set a wrong clock right.
        """
        return self._line.set_clock(end_open)

    def close(self) -> None:
        """Give back the connections, and wake whoever waits."""
        self._watch.close()
        self._database.close()

    def _settle(self) -> None:
        """End what is due, so that no clock set back brings it to life; mostly there is nothing."""
        with self._line.reading() as connection:
            due = OPEN & (requests.c.expires_ns <= self._line.present(connection))
            found = connection.execute(select(exists().where(due))).scalar_one()
        if found:
            self.expire()


def _read_cursor(connection: Connection, name: str) -> int | None:
    query = select(cursors.c.number).where(cursors.c.name == name)
    return connection.execute(query).scalar_one_or_none()
