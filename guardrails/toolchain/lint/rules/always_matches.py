"""A condition that is always true restricts nothing.

What it does
------------
Reports a `when`, or one side of an `||` in it, that is certain to be true for every call that the
rule's selectors take in, by what the policies declare of arguments and facts and by what the
condition's parts say of one another. In a `deny` or `escalate` also one that is always true or
else an error, for an error counts as a match there.

Why it is bad
-------------
An `allow` then allows every call, with a condition beside it that looks like a limit. Mostly `||`
stands where `&&` was meant, or a limit is one that the declared schema sets already.

Example
-------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
        arguments:
          currency: {type: string}
        required: [currency]
    rules:
      - id: no-dollars
        effect: allow
        tools: payments.transfer
        when: arguments.currency != "USD" || arguments.currency != "CAD"

Use instead
-----------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
        arguments:
          currency: {type: string}
        required: [currency]
    rules:
      - id: no-dollars
        effect: allow
        tools: payments.transfer
        when: arguments.currency != "USD" && arguments.currency != "CAD"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.language.cel.tree import Logic
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.cel.tree import Node
    from guardrails.language.document import Rule
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project


@lint_rule("always-matches", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The conditions that can't but be true."""
    for rule in project.bundle.rules:
        if rule.when is None:
            continue
        verdicts = Verdicts(project, rule)
        if verdicts.ended or not verdicts.tools:
            continue
        root = rule.when.checked.root
        if verdicts.always_true(root):
            yield _finding(verdicts, _culprit(verdicts, root), "always true")
        elif rule.effect is not Effect.ALLOW and verdicts.never_false(root):
            yield _finding(verdicts, root, "never false")


def _culprit(verdicts: Verdicts, node: Node) -> Node:
    """The side of an `||` that is always true by itself, or else the whole."""
    if isinstance(node, Logic) and node.operator == "||":
        for operand in node.operands:
            if verdicts.always_true(operand):
                return operand
    return node


def _finding(verdicts: Verdicts, node: Node, said: str) -> Finding:
    condition = verdicts.rule.when
    assert condition is not None
    facts = verdicts.facts(condition, node)
    if isinstance(node, Logic):
        facts = "one side is where the other is not" if node.operator == "||" else ""
    text = quote(condition.source[node.start : node.end])
    return verdicts.project.finding(
        verdicts.project.at(condition, node),
        f"{text} is {said}" + (f": {facts}" if facts else ""),
        why=_then(verdicts.rule, said),
        mend="correct it, or remove `when` if every call is meant",
    )


def _then(rule: Rule, said: str) -> str:
    """What comes of a rule with a condition that is as `said`."""
    verb = {Effect.ALLOW: "allows", Effect.ESCALATE: "escalates", Effect.DENY: "denies"}
    then = f"the rule {verb[rule.effect]} every call that its selectors take in"
    return then if said == "always true" else f"an error counts as a match, so {then}"
