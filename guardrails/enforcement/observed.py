"""Tools that run whatever is decided, while policies are brought in step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.action import is_tool_name
from guardrails.errors import ConfigurationError
from guardrails.language.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable


class Observed:
    """The tools that are only observed, if `any` are.

    Raises ConfigurationError for what are no patterns.
    A text is refused above all: its characters would be patterns, and one may be `*`.
    """

    __slots__ = ("_patterns", "any")

    def __init__(self, given: Iterable[str]) -> None:
        patterns = () if isinstance(given, str) else tuple(given)
        if isinstance(given, str) or not all(map(_is_pattern, patterns)):
            raise ConfigurationError(
                '`observe` is a list of tools and patterns, such as ["legacy.*"]'
            )
        self._patterns = tuple(map(Pattern, patterns))
        self.any = bool(patterns)

    def __contains__(self, tool: object) -> bool:
        return type(tool) is str and any(pattern.matches(tool) for pattern in self._patterns)


def _is_pattern(given: object) -> bool:
    return type(given) is str and is_tool_name(given.replace("*", "x")) is not None
