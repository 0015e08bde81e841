"""Plots as geometry, which the templates draw as SVG: nothing of them needs a script."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from guardrails.approvals.request import Status
from guardrails.approvals.statistics import QUICK_NS
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.approvals.request import ApprovalRequest

WIDTH, HEIGHT = 640, 200
_TOP, _BOTTOM = 24, 32  # room for the count above a bar, and for the words below
_EDGE = 38.0  # how near to a side a word may stand so that none of it is cut off

_SPANS = (
    (QUICK_NS, "under 5 s"),
    (15 * NANOSECONDS, "5 to 15 s"),
    (60 * NANOSECONDS, "to 1 min"),
    (5 * 60 * NANOSECONDS, "to 5 min"),
    (30 * 60 * NANOSECONDS, "to 30 min"),
    (None, "longer"),
)
_ENDS = ("approved", "denied", "expired", "cancelled", "open")


class Bar(NamedTuple):
    """A part of a bar, in the units of the drawing; `tone` names what it counts."""

    x: float
    y: float
    width: float
    height: float
    value: int
    tone: str


class Label(NamedTuple):
    """A word at a place."""

    x: float
    y: float
    text: str


class Plot(NamedTuple):
    """A drawing of `width` by `height`; `base` is where bars stand. `told` is it in words."""

    width: int
    height: int
    base: float
    bars: tuple[Bar, ...]
    labels: tuple[Label, ...]
    counts: tuple[Label, ...]
    legend: tuple[str, ...]
    told: str


def plot_deciding(requests: Iterable[ApprovalRequest]) -> Plot:
    """How long votes took from when the request was shown to when they were cast."""
    counts = [0] * len(_SPANS)
    for request in requests:
        for vote in request.votes:
            if vote.seen_ns:
                counts[_place(vote.cast_ns - vote.seen_ns)] += 1
    columns = [[(count, "quick" if place == 0 else "plain")] for place, count in enumerate(counts)]
    words = [name for _, name in _SPANS]
    told = ", ".join(f"{name}: {count}" for name, count in zip(words, counts, strict=True))
    return _draw(columns, words, (), f"Votes by time to decide. {told}.", shown=True)


def plot_days(requests: Iterable[ApprovalRequest], days: int, now_ns: int) -> Plot:
    """How many requests were opened each day of the period, by what became of them."""
    today = datetime.fromtimestamp(now_ns // NANOSECONDS, UTC).date()
    by_day = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    counts = {day: Counter[str]() for day in by_day}
    ends: Counter[str] = Counter()
    for request in requests:
        day = datetime.fromtimestamp(request.created_ns // NANOSECONDS, UTC).date()
        if day in counts:
            counts[day][_end(request)] += 1
            ends[_end(request)] += 1
    columns = [[(counts[day][end], end) for end in _ENDS] for day in by_day]
    every = max(1, days // 6)
    words = [
        f"{day.day} {day:%b}" if (days - 1 - place) % every == 0 else ""
        for place, day in enumerate(by_day)
    ]
    told = ", ".join(f"{end}: {ends[end]}" for end in _ENDS if ends[end]) or "none"
    legend = tuple(end for end in _ENDS if ends[end])
    return _draw(columns, words, legend, f"Requests by day over {days} days. {told}.")


def _draw(
    columns: list[list[tuple[int, str]]],
    words: list[str],
    legend: tuple[str, ...],
    told: str,
    *,
    shown: bool = False,
) -> Plot:
    """Bars side by side, the parts of each on top of one another; `shown`: with their counts."""
    base = float(HEIGHT - _BOTTOM)
    step = WIDTH / len(columns)
    most = max((sum(count for count, _ in parts) for parts in columns), default=0) or 1
    bars, labels, counts = [], [], []
    for place, (parts, word) in enumerate(zip(columns, words, strict=True)):
        x, y = place * step + step * 0.15, base
        for count, tone in parts:
            height = (base - _TOP) * count / most
            y -= height
            if count:
                bars.append(Bar(_r(x), _r(y), _r(step * 0.7), _r(height), count, tone))
        middle = _r(place * step + step / 2)
        labels.append(Label(min(max(middle, _EDGE), WIDTH - _EDGE), base + 20, word))
        if shown:
            counts.append(Label(middle, _r(y - 6), str(sum(count for count, _ in parts))))
    return Plot(WIDTH, HEIGHT, base, tuple(bars), tuple(labels), tuple(counts), legend, told)


def _place(span_ns: int) -> int:
    for place, (end, _) in enumerate(_SPANS):
        if end is None or span_ns < end:
            return place
    return len(_SPANS) - 1


def _end(request: ApprovalRequest) -> str:
    if request.status in (Status.APPROVED, Status.USED):
        return "approved"
    return "open" if request.status is Status.PENDING else str(request.status)


def _r(number: float) -> float:
    return round(number, 1)
