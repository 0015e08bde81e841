"""What a project asks of lint: the level of each rule, and how soon is soon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guardrails.instants import DAY
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.toolchain.lint.finding import Severity


@dataclass(frozen=True, slots=True)
class Settings:
    """`levels` are the severities of rules by id, None for one that is off.

    `soon_ns` is how long before its end an expiry is told, `stale_observe_ns` how long a rule may
    only be observed; both in nanoseconds. `expected_files` are patterns of the names of files that
    may lie beside policies without being one.
    """

    levels: Mapping[str, Severity | None] = field(default_factory=dict)
    soon_ns: int = 14 * DAY * NANOSECONDS
    stale_observe_ns: int = 30 * DAY * NANOSECONDS
    expected_files: tuple[str, ...] = ()
