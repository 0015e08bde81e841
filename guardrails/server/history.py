"""The pages that look back: every request there was, and how people decide."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from guardrails.approvals.request import Kind, Status
from guardrails.approvals.statistics import collect, measure
from guardrails.approvals.store import Filter
from guardrails.server.pages import make_rows
from guardrails.server.plots import plot_days, plot_deciding
from guardrails.server.request_view import tell_status
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from guardrails.server.inbox import Visit

PAGE = 50
"""Requests on one page of the history."""

PERIODS = (7, 30, 90)
"""The days that the page of figures can look back over."""

MOST = 5_000
"""Requests that the figures are of, at most: what a page may take a moment for."""

_TEXT_MAX = 200
_FIELDS = ("text", "agent", "tool", "rule", "voter")


def show_history(visit: Visit) -> Response:
    """The requests that match the query's filters, newest first, page by page."""
    store = visit.inbox.service.store
    query = visit.request.query_params
    asked = {name: _read_text(query.get(name, "")) for name in _FIELDS}
    asked |= {name: query.get(name, "") for name in ("status", "kind", "since", "until")}
    page = store.list(read_filter(asked, _read_text(query.get("before", ""))))
    kept = {name: value for name, value in asked.items() if value}
    older = ""
    if page.more and page.requests:
        older = "?" + urlencode({**kept, "before": page.requests[-1].id})
    return visit.render(
        "history.html",
        rows=list(make_rows(page.requests, store.now_ns())),
        asked=asked,
        kept=kept,
        narrowed=bool(kept.keys() - {"text", "status"}),
        newest="/history" + (f"?{urlencode(kept)}" if kept else ""),
        further=bool(query.get("before")),
        older=older,
        damaged=page.damaged,
        statuses=[str(status) for status in Status],
        kinds=[str(kind) for kind in Kind],
    )


def read_filter(asked: Mapping[str, str], before: str) -> Filter:
    """The filter of a query's fields; what can't be read counts as not given."""
    days = {name: _read_day(asked[name]) for name in ("since", "until")}
    until = days["until"]
    return Filter(
        statuses=tuple(status for status in Status if status == asked["status"]),
        kinds=tuple(kind for kind in Kind if kind == asked["kind"]),
        agent=asked["agent"] or None,
        tool=asked["tool"] or None,
        rule=asked["rule"] or None,
        voter=asked["voter"] or None,
        text=asked["text"],
        since_ns=_start(days["since"]),
        until_ns=None if until is None else _start(until + timedelta(days=1)),
        before=before or None,
        limit=PAGE,
    )


def show_figures(visit: Visit) -> Response:
    """How people decided of late: by approver, by rule, by day."""
    store = visit.inbox.service.store
    asked = visit.request.query_params.get("days", "")
    days = next((each for each in PERIODS if str(each) == asked), PERIODS[1])
    now = store.now_ns()
    since = now - days * 86_400 * NANOSECONDS
    requests = tuple(islice(collect(store, since), MOST + 1))
    counted = requests[:MOST]
    return visit.render(
        "figures.html",
        days=days,
        periods=PERIODS,
        figures=measure(counted),
        count=len(counted),
        more=len(requests) > MOST,
        deciding=plot_deciding(counted),
        by_day=plot_days(counted, days, now),
        seconds=tell_seconds,
        tell_status=tell_status,
    )


def tell_seconds(span_ns: int | None) -> str:
    """A median in words, as short as a table wants it."""
    if span_ns is None:
        return "unknown"
    seconds = span_ns / NANOSECONDS
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _read_text(text: str) -> str:
    return text.replace("\0", "").strip()[:_TEXT_MAX]  # which PostgreSQL keeps in no text


def _read_day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year < 2200 else None


def _start(day: date | None) -> int | None:
    if day is None:
        return None
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(midnight.timestamp()) * NANOSECONDS
