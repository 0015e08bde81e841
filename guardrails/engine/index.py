"""Which rules concern a tool, found without looking at those that can't."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.language.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from guardrails.engine.rule import CompiledRule
    from guardrails.language.document import Tool


class RuleIndex:
    """All rules, by the names, patterns and traits that they select."""

    __slots__ = ("_by_name", "_by_prefix", "_by_suffix", "_by_trait", "_tools")

    def __init__(self, rules: Iterable[CompiledRule], tools: Mapping[str, Tool]) -> None:
        self._tools = tools
        self._by_name: dict[str, list[CompiledRule]] = defaultdict(list)
        self._by_prefix: dict[str, list[tuple[Pattern, CompiledRule]]] = defaultdict(list)
        self._by_suffix: dict[str, list[tuple[Pattern, CompiledRule]]] = defaultdict(list)
        self._by_trait: dict[str, list[CompiledRule]] = defaultdict(list)
        for rule in rules:
            self._add(rule)

    def names(self) -> set[str]:
        """Every tool that is declared, or that some rule names exactly."""
        return {*self._tools, *self._by_name}

    def concerning(self, tool: str) -> tuple[CompiledRule, ...]:
        """The rules whose selectors `tools` and `traits` match `tool`, sorted by full name."""
        declared = self._tools.get(tool)
        traits = None if declared is None else declared.traits
        found = {
            rule.name: rule
            for rule in self._selected(tool, traits)
            if _sanctions(rule, tool, declared) and _covers(rule, traits)
        }
        return tuple(found[name] for name in sorted(found))

    def _add(self, rule: CompiledRule) -> None:
        if rule.rule.tools is None:
            for trait in rule.rule.traits or ():
                self._by_trait[trait].append(rule)
            return
        for text in rule.rule.tools:
            pattern = Pattern(text)
            if pattern.exact:
                self._by_name[text].append(rule)
            elif pattern.prefix:
                self._by_prefix[pattern.prefix].append((pattern, rule))
            else:
                self._by_suffix[pattern.suffix].append((pattern, rule))

    def _selected(self, tool: str, traits: tuple[str, ...] | None) -> Iterator[CompiledRule]:
        yield from self._by_name.get(tool, ())
        for trait in self._by_trait if traits is None else traits:
            yield from self._by_trait.get(trait, ())
        for end in range(len(tool) + 1):
            for pattern, rule in self._by_prefix.get(tool[:end], ()):
                if pattern.matches(tool):
                    yield rule
            for pattern, rule in self._by_suffix.get(tool[end:], ()):
                if pattern.matches(tool):
                    yield rule


def names_exactly(rule: CompiledRule, tool: str) -> bool:
    """Whether `rule` names `tool` itself, not a pattern that covers it."""
    return tool in (rule.rule.tools or ())


def _sanctions(rule: CompiledRule, tool: str, declared: Tool | None) -> bool:
    """Wildcards and traits of an allow rule concern declared tools only."""
    return rule.effect is not Effect.ALLOW or declared is not None or names_exactly(rule, tool)


def _covers(rule: CompiledRule, traits: tuple[str, ...] | None) -> bool:
    """Whether the rule's traits select a tool's; None stands for a tool of unknown traits."""
    selected = rule.rule.traits
    if selected is None:
        return True
    if rule.effect is Effect.ALLOW:
        return traits is not None and set(traits) <= set(selected)
    return traits is None or not set(traits).isdisjoint(selected)
