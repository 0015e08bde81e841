"""Decorated tools and what policies say of them, told to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.toolchain.lines import Tone, line, tone_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from guardrails.toolchain.lines import Line
    from guardrails.toolchain.tools.coverage import ToolCoverage


def tell_tools(covered: Iterable[ToolCoverage]) -> Iterator[Line]:
    """Yield the lines for each tool: where it is, its arguments, the rules that concern it."""
    for place, each in enumerate(covered):
        if place:
            yield line("")
        tool = each.tool
        yield line((tool.name, Tone.STRONG), "  ", (f"{tool.path}:{tool.line}", Tone.FAINT))
        if not each.declared:
            yield line(("  no policy declares it", Tone.DENY))
        if not each.reachable:
            yield line(("  no rule allows or escalates it: every call is refused", Tone.DENY))
        for name, effect in each.rules:
            yield line("  ", (f"{effect!s:<8}", tone_of(effect)), f"  {name}")
