"""How people decide, as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.instants import print_timestamp
from guardrails.toolchain.lines import Tone, line
from guardrails.values import NANOSECONDS, Timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from guardrails.approvals.statistics import Figures, Statistics
    from guardrails.approvals.store import Suspension
    from guardrails.toolchain.lines import Line

_HEAD = (
    f"{'votes':>6} {'approve':>8} {'waited':>9} {'decided in':>11} {'quick':>6} {'overruled':>10}"
)


def tell_statistics(statistics: Statistics) -> Iterator[Line]:
    """The figures by approver and by rule, then how the requests ended."""
    yield from _table("approver", statistics.by_voter)
    yield line("")
    yield from _table("rule", statistics.by_rule)
    yield line("")
    ends = ", ".join(f"{count} {end}" for end, count in statistics.ends.items())
    yield line(f"requests: {ends or 'none'}")


def tell_suspensions(suspended: Iterable[Suspension]) -> Iterator[Line]:
    """The agents for which nobody is asked, since when and why."""
    for each in suspended:
        since = print_timestamp(Timestamp(each.since_ns // NANOSECONDS * NANOSECONDS))
        yield line(
            ("suspended", Tone.DENY), f"  {each.agent or 'unknown'}  since {since}  {each.reason}"
        )


def _table(what: str, figures: Mapping[str, Figures]) -> Iterator[Line]:
    width = max([len(what), *map(len, figures)])
    yield line((f"{what:<{width}} {_HEAD}", Tone.FAINT))
    for name, each in figures.items():
        deciding = "unknown" if each.deciding_ns is None else _seconds(each.deciding_ns)
        tone = Tone.ESCALATE if each.quick else Tone.PLAIN
        yield line(
            f"{name:<{width}} {each.votes:>6} {each.approval_rate:>8.0%}"
            f" {_seconds(each.waiting_ns):>9} {deciding:>11}",
            (f" {each.quick:>6}", tone),
            f" {each.overruled:>10}",
        )


def _seconds(span_ns: int) -> str:
    return f"{span_ns / NANOSECONDS:.1f} s"
