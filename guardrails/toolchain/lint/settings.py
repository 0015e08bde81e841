"""What a project asks of lint: the level of each rule, and how soon is soon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.instants import DAY
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.expiry import parse_timeout
from guardrails.toolchain.lint.finding import Severity
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.language.settings_file import Table

_LEVELS: Mapping[str, Severity | None] = {
    "off": None,
    **{str(severity): severity for severity in Severity},
}
_KEYS = ("rules", "soon", "stale-observe", "expected-files")


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


def read_lint_settings(table: Table, rules: Iterable[str]) -> Settings:
    """The settings in the table `lint`; `rules` are the ids of all rules.

    Raises ConfigurationError for an unknown key or rule, and for a value that can't be.
    """
    table.check_keys(_KEYS)
    default = Settings()
    return Settings(
        levels=_levels(table.table("rules"), tuple(rules)),
        soon_ns=_duration(table, "soon", default.soon_ns),
        stale_observe_ns=_duration(table, "stale-observe", default.stale_observe_ns),
        expected_files=_names(table, "expected-files"),
    )


def _levels(table: Table, rules: tuple[str, ...]) -> dict[str, Severity | None]:
    levels = {}
    for id_, level in table.data.items():
        if id_ not in rules:
            hint = did_you_mean(id_, rules) or "; the rules are listed in docs/lint"
            raise table.fault(id_, f"names no rule{hint}")
        if type(level) is not str or level not in _LEVELS:
            raise table.fault(id_, f"must be one of {', '.join(map(quote, _LEVELS))}")
        levels[id_] = _LEVELS[level]
    return levels


def _duration(table: Table, key: str, default: int) -> int:
    value: Any = table.data.get(key)
    if value is None:
        return default
    try:
        return parse_timeout(value if type(value) is str else "")
    except ValueError as error:
        raise table.fault(key, f"is {error}") from None


def _names(table: Table, key: str) -> tuple[str, ...]:
    value: Any = table.data.get(key, [])
    if type(value) is not list or not all(type(each) is str and each for each in value):
        raise table.fault(key, "must be a list of names or patterns, such as `README.md`")
    return tuple(value)
