"""Two rules that match exactly the same calls, with the same effect, are one rule too many.

What it does
------------
Reports a rule that has the same effect and the same `tools` and `traits` as another one and matches
exactly the same calls, however its condition is written. Of `escalate` rules only those with the
same `approval`. Rules that only observe are left out.

Why it is bad
-------------
Whoever relaxes or tightens one of the two finds that nothing has changed, or does not find it.

Example
-------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
        arguments:
          amount: {type: number}
        required: [amount]
    rules:
      - {id: no-large, effect: deny, tools: payments.transfer, when: arguments.amount > 500}
      - {id: limit, effect: deny, tools: payments.transfer, when: "!(arguments.amount <= 500.0)"}

Use instead
-----------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
        arguments:
          amount: {type: number}
        required: [amount]
    rules:
      - {id: no-large, effect: deny, tools: payments.transfer, when: arguments.amount > 500}
"""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.regions.formula import Formula, Some, parts_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from guardrails.language.document import Rule
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project

_COMPARED = 500
"""Rules of one selector that a rule is compared with by search; with the others by form alone."""


@lint_rule("duplicate-rule", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The rules that repeat another one, each told with the first that it repeats."""
    groups: dict[Hashable, list[Rule]] = defaultdict(list)
    for rule in project.bundle.rules:
        if not rule.observe and project.reach.tools(rule):
            groups[_selection(rule)].append(rule)
    for rules in groups.values():
        if len(rules) > 1:
            for rule, first in _repetitions(project, rules):
                yield _finding(project, rule, first)


def _selection(rule: Rule) -> Hashable:
    tools, traits = (
        None if each is None else frozenset(each) for each in (rule.tools, rule.traits)
    )
    return rule.effect, tools, traits, rule.approval


def _repetitions(project: Project, rules: list[Rule]) -> Iterator[tuple[Rule, Rule]]:
    """The rules that match what an earlier one of `rules` does, each with that."""
    reach = project.reach
    tool, *_ = reach.tools(rules[0])
    by_form: dict[Formula, list[Rule]] = defaultdict(list)
    branching: list[Rule] = []
    straight: list[Rule] = []
    for rule in rules:
        if reach.example(rule, tool) is None:
            continue
        form = reach.form(rule, tool)
        branches = _branches(form)
        # Two forms without a choice in them say the same only if they are the same.
        others = (*straight, *branching) if branches else branching
        near = (*by_form[form], *islice(others, _COMPARED))
        first = next((each for each in near if _same(project, rule, each)), None)
        if first is not None:
            yield rule, first
            continue
        by_form[form].append(rule)
        (branching if branches else straight).append(rule)


def _branches(formula: Formula) -> bool:
    """Whether there is a choice in `formula`."""
    return isinstance(formula, Some) or any(map(_branches, parts_of(formula)))


def _same(project: Project, one: Rule, other: Rule) -> bool:
    """Whether two rules of the same selectors match the same calls."""
    reach = project.reach
    return all(
        reach.form(one, tool) == reach.form(other, tool)
        or (reach.implies(one, other, tool) and reach.implies(other, one, tool))
        for tool in reach.tools(one)
    )


def _finding(project: Project, rule: Rule, first: Rule) -> Finding:
    return project.finding(
        project.region(rule),
        f"the rule {quote(rule.id)} matches exactly what {quote(first.name)} matches",
        why=f"both {rule.effect}: a change of one alone changes nothing",
        mend="remove one of them, or make their conditions differ as they were meant to",
    )
