"""Nobody would notice if this rule did something else tomorrow.

What it does
------------
Reports a rule that no case of the test files (`*_test.yaml`) reaches: in none does it match, is it
excepted or does it fail, and none names it under `rules`. A rule of a Rego module is reached, too,
by a `test_` rule of a `*_test.rego` that refers to it. Where there are no tests at all, that is
told in one note for the whole folder.

Why it is bad
-------------
A rule that no test reaches can be changed, by mistake or on purpose, without anything going red.
And as nobody has ever seen it match, it may never have meant what its author thinks.

Example
-------
    # file: payments.yaml
    version: 1
    policy: payments
    owner: finance@acme.example
    rules:
      - {id: small, effect: allow, tools: pay, when: arguments.amount <= 500}
      - {id: never-abroad, effect: deny, tools: pay, when: arguments.country != "DE"}
    # file: payments_test.yaml
    version: 1
    tests: payments
    cases:
      - name: a small payment
        action: {tool: pay, arguments: {amount: 20, country: DE}}
        expect: allow

Use instead
-----------
    # file: payments.yaml
    version: 1
    policy: payments
    owner: finance@acme.example
    rules:
      - {id: small, effect: allow, tools: pay, when: arguments.amount <= 500}
      - {id: never-abroad, effect: deny, tools: pay, when: arguments.country != "DE"}
    # file: payments_test.yaml
    version: 1
    tests: payments
    cases:
      - name: a small payment
        action: {tool: pay, arguments: {amount: 20, country: DE}}
        expect: allow
      - name: one abroad
        action: {tool: pay, arguments: {amount: 20, country: FR}}
        rules: [payments/never-abroad, payments/small]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.engine import PolicySet
from guardrails.language.rego.embedded import EmbeddedEngine
from guardrails.toolchain.lint.finding import Region, Severity
from guardrails.toolchain.lint.modules import is_module
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.suites.parts import Parts
from guardrails.toolchain.suites.reader import read_suites
from guardrails.toolchain.suites.rego import Sources, read_rego_tests
from guardrails.toolchain.suites.run import play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Bundle
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project


@lint_rule("untested-rule", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The rules that no test reaches."""
    rules = project.whole.rules
    if not project.folder.tests:
        if rules:
            yield project.finding(
                Region(project.root),
                f"rules tested: 0 of {len(rules)}; there is no `*_test.yaml`"
                + (" and no `*_test.rego`" if project.modules else ""),
                why="nobody notices when a rule begins to do something else",
                mend="write what must run and what must not in a `*_test.yaml` beside them",
                severity=Severity.NOTE,
            )
        return
    reached = set(_reached(project))
    for rule in rules:
        if rule.name not in reached:
            yield project.finding(
                project.region(rule),
                f"no test reaches {quote(rule.name)}",
                why="nobody notices when it begins to do something else",
                mend="add a case to a `*_test.yaml` in which it matches"
                + (", or a `test_` to a `*_test.rego`" if is_module(rule) else ""),
            )


def _reached(project: Project) -> Iterator[str]:
    """The full names of rules that tests name, or that play a part in what they decide.

    What can't be read of a test file is left to `guardrails test` to tell.
    """
    suites, _ = read_suites(project.folder.tests, project.whole)
    parts = Parts(PolicySet(_evaluated(project)))
    sources = Sources(project.whole)
    for suite in suites:
        for case in suite.cases:
            for step in case.steps:
                yield from step.expected.rules or ()
            for played in play(parts.of(case.policies), case, project.now_ns):
                decision = played.decision
                for match in (*decision.matches, *decision.errors):
                    yield from sources.of(match)
                yield from (used.rule for used in decision.exceptions)
    for test in read_rego_tests(project.folder, project.whole)[0]:
        yield from test.reaches


def _evaluated(project: Project) -> Bundle:
    """The policies that lint evaluates: all, but for modules that a server elsewhere is asked."""
    asked = (rule.module.engine for rule in project.module_rules if rule.module is not None)
    inside = all(isinstance(engine, EmbeddedEngine) for engine in asked)
    return project.whole if inside else project.bundle
