"""Regions in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.language.cel.shape import EXACT
from guardrails.toolchain.notation import notate
from guardrails.toolchain.regions.region import BOUNDS, kinds, value_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.toolchain.regions.region import Region

_FEW = 8
"""How many values are told one by one."""


def tell(region: Region) -> str:
    """What a value is that lies in `region`, as in "`1` or `2`"; empty where that says little.

    That it may be missing is left out.
    """
    left = region & ~kinds("missing", "error")
    if not left:
        return "never given"
    values = left.values(_FEW)
    if values is not None:
        return tell_values(values)
    ((kind, line), *others) = left.lines.items()
    if others or kind not in ("int", "double") or len(line) > 2:
        return ""
    low, high = (*line, None)[:2]
    limits = []
    if low != BOUNDS[kind][0]:
        limits.append(f"at least {tell_value(value_at(kind, low))}")
    if high is not None:
        limits.append(f"at most {tell_value(value_at(kind, high - 1))}")
    return " and ".join(limits)


def tell_values(values: Sequence[object]) -> str:
    """`values` one by one: "`1`, `2` or `3`"."""
    *firsts, last = dict.fromkeys(f"`{tell_value(value)}`" for value in values)
    return f"{', '.join(firsts)} or {last}" if firsts else last


def tell_value(value: object) -> str:
    """`value` as a condition may write it, a whole number without its fraction."""
    if type(value) is float and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    return notate(value)
