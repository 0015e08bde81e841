"""Policies with one change each, such as a test should notice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from guardrails.decision import Effect
from guardrails.engine.rule import rule_conditions
from guardrails.language.cel.tree import Literal
from guardrails.language.document import Condition
from guardrails.language.pattern import Pattern
from guardrails.past import Outcome
from guardrails.spending import UNITS, show_amount
from guardrails.toolchain.selectors import judge_tools, judge_traits
from guardrails.toolchain.suites.variations import vary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from guardrails.language.cel.tree import Node
    from guardrails.language.document import Bundle, Exemption, Rule, Span, Tool
    from guardrails.past import Step

_OTHER_EFFECT = {
    Effect.ALLOW: Effect.ESCALATE,
    Effect.ESCALATE: Effect.ALLOW,
    Effect.DENY: Effect.ESCALATE,
}
"""The effect that a rule is given instead; what a deny would be as an allow, dropping it tells."""

_SELECTORS = ("tools", "traits")
_HISTORY = ("after", "not_before")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of the policies: of a rule (`name` is its full name), or of a declared tool.

    `change` says what was done, and `span` where. Of a rule, `before` is it as it stands and
    `after` as it is changed, None where it is dropped; of a tool `tool` is it as it is changed.
    """

    name: str
    span: Span
    change: str
    before: Rule | None = None
    after: Rule | None = None
    tool: Tool | None = None

    @property
    def selects_otherwise(self) -> bool:
        """Whether other tools than before may be concerned."""
        if self.before is None or self.after is None:
            return False
        keys = ("effect", *_SELECTORS)
        return any(getattr(self.before, key) != getattr(self.after, key) for key in keys)

    def as_json(self) -> dict[str, Any]:
        """The mutant as the command line prints it."""
        return {"of": self.name, "place": self.span._asdict(), "change": self.change}


def mutants_of(bundle: Bundle) -> Iterator[Mutant]:
    """Every mutant of the policies, in the order of their files."""
    known = {*bundle.tools, *(name for rule in bundle.rules for name in rule.tools or ())}
    for document in bundle.documents:
        for tool in document.tools:
            yield from _change_tool(tool, bundle)
        for rule in document.rules:
            if rule.module is None:  # tests in Rego don't go through the policies, so see none
                yield from _change_rule(rule, known)


def _change_rule(rule: Rule, known: Iterable[str]) -> Iterator[Mutant]:
    def mutant(change: str, at: str | Span, **parts: Any) -> Mutant:
        span = rule.places.get(at, rule.span) if isinstance(at, str) else at
        return Mutant(rule.name, span, change, rule, replace(rule, **parts))

    yield Mutant(rule.name, rule.span, "the rule was dropped", rule)
    effect = _OTHER_EFFECT[rule.effect]
    yield mutant(f"the effect `{rule.effect}` became `{effect}`", "effect", effect=effect)
    if rule.observe:
        yield mutant("`mode: observe` was dropped", "mode", observe=False)
    yield from _change_selectors(rule, known, mutant)
    yield from _change_subjects(rule, mutant)
    for key in _HISTORY:
        yield from _change_history(key, getattr(rule, key), mutant)
    if rule.suspends:
        yield mutant("`on_match: suspend` was dropped", "on_match", suspends=False)
    if rule.when is not None:
        yield mutant(f"`when: {_line(rule.when)}` was dropped", "when", when=None)
        for condition, span, change in _change_condition(rule.when):
            yield mutant(f"{change} in `when`", span, when=condition)
    yield from _change_unless(rule, mutant)
    yield from _change_budget(rule, mutant)


def _change_selectors(rule: Rule, known: Iterable[str], mutant: Any) -> Iterator[Mutant]:
    for key in _SELECTORS:
        for change, names in _narrow(key, getattr(rule, key) or ()):
            yield mutant(change, key, **{key: names})
        if rule.tools is not None and rule.traits is not None:
            yield mutant(f"`{key}` was dropped", key, **{key: None})
    for change, names in _widen(rule.tools or (), known):
        yield mutant(change, "tools", tools=names)


def _change_history(key: str, steps: tuple[Step, ...], mutant: Any) -> Iterator[Mutant]:
    if not steps:
        return
    yield mutant(f"`{key}` was dropped", key, **{key: ()})
    if len(steps) > 1:
        yield mutant(f"the order of `{key}` was reversed", key, **{key: steps[::-1]})
    for index, step in enumerate(steps):
        for change, other in _change_step(step):
            changed = (*steps[:index], other, *steps[index + 1 :])
            yield mutant(f"{change} in `{key}`", key, **{key: changed})


def _change_step(step: Step) -> Iterator[tuple[str, Step]]:
    if step.within_ns is not None:
        yield "`within` was dropped", step._replace(within_ns=None)
    if step.at_least > 1:
        fewer = step.at_least - 1
        yield f"`at_least: {step.at_least}` became {fewer}", step._replace(at_least=fewer)
    if step.calls.outcome is not Outcome.CALLED:
        called = step.calls._replace(outcome=Outcome.CALLED)
        yield f"`outcome: {step.calls.outcome}` was dropped", step._replace(calls=called)


def _change_subjects(rule: Rule, mutant: Any) -> Iterator[Mutant]:
    subjects = rule.subjects
    if subjects is None:
        return
    yield mutant("`subjects` was dropped", "subjects", subjects=None)
    if subjects.ids is not None and subjects.roles is not None:
        for key in ("ids", "roles"):
            fewer = replace(subjects, **{key: None})
            yield mutant(f"`{key}` was dropped from `subjects`", "subjects", subjects=fewer)


def _change_unless(rule: Rule, mutant: Any) -> Iterator[Mutant]:
    unless = rule.unless
    if isinstance(unless, Condition):
        yield mutant(f"`unless: {_line(unless)}` was dropped", "unless", unless=None)
        for condition, span, change in _change_condition(unless):
            yield mutant(f"{change} in `unless`", span, unless=condition)
        return
    for index, exemption in enumerate(unless or ()):
        before, after = (unless or ())[:index], (unless or ())[index + 1 :]
        dropped = f"the exception “{exemption.reason}” was dropped"
        yield mutant(dropped, exemption.span, unless=(*before, *after) or None)
        for changed, span, change in _change_exemption(exemption):
            yield mutant(change, span, unless=(*before, changed, *after))


def _change_budget(rule: Rule, mutant: Any) -> Iterator[Mutant]:
    budget = rule.budget
    if budget is None:
        return
    yield mutant("`budget` was dropped", "budget", budget=None)
    least = 0 if budget.limit % UNITS else UNITS
    limit = budget.limit + max(budget.limit // 10, least)
    raised = f"`limit: {show_amount(budget.limit)}` became {show_amount(limit)}"
    yield mutant(raised, "budget", budget=replace(budget, limit=limit))
    if budget.cost is not None and type(budget.cost.checked.root) is not Literal:
        change = f"`cost: {_line(budget.cost)}` was dropped"
        yield mutant(change, "budget", budget=replace(budget, cost=None))
    if budget.per is not None:
        change = f"`per: {budget.per_text}` was dropped"
        yield mutant(change, "budget", budget=replace(budget, per=None))
    for index, part in enumerate(budget.scope):
        text = part if isinstance(part, str) else _line(part)
        scope = (*budget.scope[:index], *budget.scope[index + 1 :])
        change = f"`{text}` was dropped from `scope`"
        yield mutant(change, "budget", budget=replace(budget, scope=scope))
    if budget.refunds:
        change = "`give_back: on_failure` was dropped"
        yield mutant(change, "budget", budget=replace(budget, refunds=False))


def _change_exemption(exemption: Exemption) -> Iterator[tuple[Exemption, Span, str]]:
    name = f"the exception “{exemption.reason}”"
    if exemption.subjects is not None and exemption.when is not None:
        by_when, by_subjects = replace(exemption, subjects=None), replace(exemption, when=None)
        yield by_when, exemption.span, f"`subjects` was dropped from {name}"
        yield by_subjects, exemption.span, f"`when` was dropped from {name}"
    if exemption.when is not None:
        for condition, span, change in _change_condition(exemption.when):
            yield replace(exemption, when=condition), span, f"{change} in {name}"


def _change_condition(condition: Condition) -> Iterator[tuple[Condition, Span, str]]:
    checked = condition.checked
    for variation in vary(condition):
        changed = replace(condition, checked=replace(checked, root=variation.root))
        yield changed, condition.place(variation.start), variation.change


def _narrow(key: str, names: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A list of names without each of them in turn; the only one is what dropping tries."""
    if len(names) > 1:
        for name in names:
            rest = tuple(each for each in names if each != name)
            yield f"`{name}` was dropped from `{key}`", rest


def _widen(names: tuple[str, ...], known: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A list of tools with each of them in turn made to stand for more, where more is known."""
    for index, name in enumerate(names):
        wider = _wider(name)
        covered = {each for text in names for each in known if Pattern(text).matches(each)}
        if any(Pattern(wider).matches(each) for each in known if each not in covered):
            widened = (*names[:index], wider, *names[index + 1 :])
            yield f"`{name}` became `{wider}` in `tools`", widened


def _wider(name: str) -> str:
    """The pattern of the group that a tool or pattern belongs to: `payments.*`, then `*`."""
    group = name.rstrip("*").rstrip("._:/-")
    cut = max(group.rfind(mark) for mark in "._:/-")
    return f"{group[: cut + 1]}*"


def _change_tool(tool: Tool, bundle: Bundle) -> Iterator[Mutant]:
    """A tool without each trait and label in turn, as far as any rule looks at it."""
    traits = tool.traits or ()
    for trait in traits if len(traits) > 1 else ():
        if _matters(trait, tool, bundle):
            fewer = replace(tool, traits=tuple(each for each in traits if each != trait))
            place = tool.places.get("traits", tool.span)
            yield Mutant(tool.name, place, f"the trait `{trait}` was dropped", tool=fewer)
    labelled = any("session" in _variables(rule) for rule in bundle.rules)
    for label in tool.returns if labelled else ():
        fewer = replace(tool, returns=tuple(each for each in tool.returns if each != label))
        place = tool.places.get("returns", tool.span)
        yield Mutant(tool.name, place, f"the label `{label}` was dropped", tool=fewer)


def _matters(trait: str, tool: Tool, bundle: Bundle) -> bool:
    """Whether any rule can tell `tool` from itself without `trait`."""
    fewer = replace(tool, traits=tuple(each for each in tool.traits or () if each != trait))
    return any(
        _looks_back_for(trait, rule) or _tells_apart(rule, tool, fewer) for rule in bundle.rules
    )


def _tells_apart(rule: Rule, tool: Tool, fewer: Tool) -> bool:
    """Whether a rule concerns only one of them, or both and reads their traits."""
    named = judge_tools(rule, tool.name, tool)
    if named is not None and not named.holds:
        return False
    verdicts = [judge_traits(rule, each.name, each) for each in (tool, fewer)]
    before, after = (verdict is None or verdict.holds for verdict in verdicts)
    return before is not after or (before and "traits" in _variables(rule))


def _looks_back_for(trait: str, rule: Rule) -> bool:
    """Whether a rule asks whether calls with that trait have been."""
    steps = (*rule.after, *rule.not_before)
    return any(trait in (step.calls.traits or ()) for step in steps) or any(
        "session" in condition.checked.variables and _says(condition.checked.root, trait)
        for condition in rule_conditions(rule)
    )


def _says(node: Node, text: str) -> bool:
    written = isinstance(node, Literal) and node.value == text
    return written or any(_says(child, text) for child in node.children())


def _variables(rule: Rule) -> set[str]:
    return {name for each in rule_conditions(rule) for name in each.checked.variables}


def _line(condition: Condition) -> str:
    return " ".join(condition.source.split())
