"""Two rules that divide calls between them by the same arguments overlap.

What it does
------------
Reports a rule and a stricter one on one tool that ask about the same arguments and overlap in
part: some calls both match, some only the one, some only the other. An example is given, which the
engine has been asked about. A stricter rule that lies wholly inside a wider one is an exception to
it, and is not reported; nor are rules that only observe.

Why it is bad
-------------
The stricter rule wins in the overlap, so nothing is let through. But a border drawn twice is drawn
by mistake once: mostly `<=` and `>=` meet, or one limit was moved and the other was not.

Example
-------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
        arguments:
          amount: {type: number, minimum: 0}
        required: [amount]
    rules:
      - {id: small, effect: allow, tools: payments.transfer, when: arguments.amount <= 500}
      - id: large
        effect: escalate
        tools: payments.transfer
        when: arguments.amount >= 500
        approval: {from: [finance], timeout: 1h}

Use instead
-----------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
        arguments:
          amount: {type: number, minimum: 0}
        required: [amount]
    rules:
      - {id: small, effect: allow, tools: payments.transfer, when: arguments.amount <= 500}
      - id: large
        effect: escalate
        tools: payments.transfer
        when: arguments.amount > 500
        approval: {from: [finance], timeout: 1h}
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations, islice
from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.regions.formula import terms_in
from guardrails.toolchain.regions.witness import Witness, find_witness

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping

    from guardrails.language.document import Rule
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project
    from guardrails.toolchain.regions import Reach

_PAIRS, _TOOLS = 2_000, 3
"""Pairs of rules that are compared on one tool, and tools on which one pair is."""


@lint_rule("overlapping-effects", Severity.NOTE)
def check(project: Project) -> Iterator[Finding]:
    """The pairs of rules that overlap, each told where the weaker one stands."""
    looked: Counter[tuple[str, str]] = Counter()
    for tool in dict.fromkeys(tool for rule in project.bundle.rules
                              for tool in project.reach.tools(rule)):  # fmt: skip
        for weaker, stricter in _pairs(project, tool, looked):
            pair = weaker.name, stricter.name
            looked[pair] += 1
            witness = _overlap(project, tool, weaker, stricter)
            if witness is not None:
                looked[pair] = _TOOLS
                yield _finding(project, tool, weaker, stricter, witness)


def _pairs(
    project: Project, tool: str, looked: Mapping[tuple[str, str], int]
) -> Iterator[tuple[Rule, Rule]]:
    """The pairs of rules on `tool` that ask about the same things and differ in effect.

    Those are left out that were looked at often enough.
    """
    reach = project.reach
    groups: dict[Hashable, list[Rule]] = defaultdict(list)
    for rule in reach.rules(tool):
        if rule.when is not None and not rule.observe and _asks_arguments(reach.reads(rule)):
            groups[reach.reads(rule)].append(rule)
    pairs = (
        (one, other) if one.effect < other.effect else (other, one)
        for rules in groups.values()
        for one, other in combinations(rules, 2)
        if one.effect is not other.effect
    )
    new = (each for each in pairs if looked.get((each[0].name, each[1].name), 0) < _TOOLS)
    alike = (each for each in new if _asks(reach, each[0], tool) == _asks(reach, each[1], tool))
    return islice(alike, _PAIRS)


def _asks_arguments(reads: Iterable[tuple[str, str]]) -> bool:
    return any(variable == "arguments" for variable, _ in reads)


def _asks(reach: Reach, rule: Rule, tool: str) -> frozenset[str]:
    """The terms that decide whether `rule` matches."""
    return frozenset(terms_in(reach.match(rule, tool)))


def _overlap(project: Project, tool: str, weaker: Rule, stricter: Rule) -> Witness | None:
    """A call that both rules match, if each also matches calls that the other doesn't."""
    reach = project.reach
    one, other = reach.match(weaker, tool), reach.match(stricter, tool)
    if not (
        reach.possible(tool, one, reach.unmatched(stricter, tool))
        and reach.possible(tool, other, reach.unmatched(weaker, tool))
    ):
        return None
    return find_witness(reach, tool, (weaker, stricter))


def _finding(
    project: Project, tool: str, weaker: Rule, stricter: Rule, witness: Witness
) -> Finding:
    assert weaker.when is not None
    return project.finding(
        project.at(weaker.when, weaker.when.checked.root),
        f"{quote(stricter.name)} ({stricter.effect}) and {quote(weaker.name)} ({weaker.effect})"
        f" both match {quote(tool)} where {witness.told}",
        why=f"the stricter one wins: the call is {_outcome(stricter)}",
        mend="if that is not what is meant, draw the border between the two in one place",
    )


def _outcome(rule: Rule) -> str:
    return "denied" if rule.effect.name == "DENY" else "escalated"
