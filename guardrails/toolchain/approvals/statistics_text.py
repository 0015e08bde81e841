"""How people decide, as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.approvals.wording import tell_moment
from guardrails.toolchain.lines import Tone, line
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from guardrails.approvals.statistics import Figures, Statistics
    from guardrails.approvals.store import Suspension
    from guardrails.approvals.untold import Untold
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
        since = tell_moment(each.since_ns)
        yield line(
            ("suspended", Tone.DENY), f"  {each.agent or 'unknown'}  since {since}  {each.reason}"
        )


def tell_untold(untold: Iterable[Untold]) -> Iterator[Line]:
    """The channels that could not be told of something: how often, the last time, and why."""
    for each in untold:
        notices = "1 notice" if each.notices == 1 else f"{each.notices} notices"
        pending = f", {each.pending} of the requests still pending" if each.pending else ""
        told = f"{each.channel}  {notices}{pending}, last {tell_moment(each.latest_ns)}"
        yield line(("untold", Tone.DENY), f"  {told}: {each.error}")


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
