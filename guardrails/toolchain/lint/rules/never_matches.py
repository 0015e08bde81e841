"""A rule, an alternative or an exception that no call can match says nothing.

What it does
------------
Reports what is certain never to apply, by what the policies declare of arguments and facts (types,
`enum`, `const`, bounds) and by what conditions say of one another:

- a rule whose condition can't be true, or whose exception always holds when it is;
- an `allow` whose patterns and traits cover no declared tool;
- one side of an `||` that can't be true;
- a text with capital letters that is looked for in `lowerAscii()` or in a host or domain, and one
  with small letters in `upperAscii()`;
- an exception that can't hold when the rule's condition does.

Whether a test of presence (`has`, `null`, `type`) can succeed is not asked.

Why it is bad
-------------
A `deny` that never matches protects nothing and looks as if it did. Mostly a value is misspelt, a
limit is on the wrong side, or `&&` stands where `||` was meant.

Example
-------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
        arguments:
          currency: {enum: [EUR, USD]}
        required: [currency]
    rules:
      - id: no-pounds
        effect: deny
        tools: payments.transfer
        when: arguments.currency == "eur"

Use instead
-----------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
        arguments:
          currency: {enum: [EUR, USD]}
        required: [currency]
    rules:
      - id: no-euros
        effect: deny
        tools: payments.transfer
        when: arguments.currency == "EUR"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.cel.tree import Has, Invoke, Literal, Logic, Operation
from guardrails.language.document import Condition
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.verdicts import Verdicts
from guardrails.toolchain.regions.casing import as_given, letters_missing
from guardrails.toolchain.regions.formula import negate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.cel.tree import Node
    from guardrails.language.document import Rule
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project
    from guardrails.toolchain.regions.formula import Formula

_ADDS_NOTHING = "the alternative adds nothing to the condition"


@lint_rule("never-matches", Severity.ERROR)
def check(project: Project) -> Iterator[Finding]:
    """The rules, alternatives and exceptions that can't apply."""
    for rule in project.bundle.rules:
        verdicts = Verdicts(project, rule)
        if verdicts.ended:
            continue
        if verdicts.tools:
            yield from _check_rule(verdicts)
        elif rule.effect is Effect.ALLOW:
            yield _covers_nothing(project, rule)


def _check_rule(verdicts: Verdicts) -> Iterator[Finding]:
    rule = verdicts.rule
    if rule.when is not None:
        root = rule.when.checked.root
        if verdicts.never_true(root):
            yield _impossible(verdicts, rule.when, _culprit(verdicts, root), whole=True)
            return
        for node in _dead_alternatives(verdicts, root):
            yield _impossible(verdicts, rule.when, node, whole=False)
    if rule.unless is None:
        return
    if verdicts.never_matches():
        yield verdicts.project.finding(
            verdicts.project.region(rule, "unless"),
            "the exception holds whenever the rule's condition is true",
            why=_in_vain(verdicts),
            mend="narrow the exception, or remove the rule",
        )
        return
    yield from _dead_exceptions(verdicts)


def _covers_nothing(project: Project, rule: Rule) -> Finding:
    key = "tools" if rule.tools is not None else "traits"
    patterns = ", ".join(map(quote, (rule.tools or rule.traits) or ()))
    said = "fits" if rule.tools is not None else "has no other traits than"
    return project.finding(
        project.region(rule, key),
        f"no declared tool {said} {patterns}",
        why="patterns and traits allow declared tools only, so the rule allows nothing",
        mend="declare the tools that are meant under `tools:`, or remove the rule",
    )


def _culprit(verdicts: Verdicts, node: Node) -> Node:
    """The smallest part of `node`, which can't be true, that is enough to make it so."""
    if isinstance(node, Logic) and node.operator == "&&":
        for operand in node.operands:
            if verdicts.never_true(operand):
                return _culprit(verdicts, operand)
    return node


def _impossible(verdicts: Verdicts, condition: Condition, node: Node, *, whole: bool) -> Finding:
    text = quote(condition.source[node.start : node.end])
    return verdicts.project.finding(
        verdicts.project.at(condition, node),
        f"{text} is never true{_because(verdicts, condition, node)}",
        why=_in_vain(verdicts) if whole else _ADDS_NOTHING,
        mend=_meant(verdicts, node) or ("correct it" if whole else "correct or remove it"),
        severity=None if whole else Severity.WARNING,
    )


def _because(verdicts: Verdicts, condition: Condition, node: Node) -> str:
    if not verdicts.never_true_of_anyone(node):
        return " of the rule's `subjects`"
    if isinstance(node, Logic):
        return ": its parts exclude one another"
    facts = verdicts.facts(condition, node)
    if facts:
        return f": {facts}"
    for term, text in _written(node):
        if as_given(term, text) != text:
            source = quote(condition.source[term.start : term.end])
            return f": {source} never has {letters_missing(term)}"
    return ""


def _written(node: Node) -> Iterator[tuple[Node, str]]:
    """What `node` compares with a text that is written out, and that text."""
    operands = node.arguments if isinstance(node, Invoke) else node.children()
    if len(operands) != 2:
        return
    for term, other in (operands, operands[::-1]):
        if isinstance(other, Literal):
            texts = other.value if type(other.value) is list else [other.value]
            yield from ((term, text) for text in texts if type(text) is str)


def _in_vain(verdicts: Verdicts) -> str:
    """What comes of a rule whose condition can't be true."""
    rule = verdicts.rule
    if rule.effect is Effect.ALLOW:
        return "the rule allows nothing"
    verb = {Effect.DENY: "denies", Effect.ESCALATE: "escalates"}[rule.effect]
    if verdicts.never_matches():
        return f"the rule {verb} nothing"
    return f"the rule {verb} at most the calls of which its condition can't be evaluated"


def _meant(verdicts: Verdicts, node: Node) -> str:
    """Which of the declared texts may have been meant by one that a path never is."""
    for term, text in _written(node):
        if as_given(term, text) != text:
            return f"did you mean {quote(as_given(term, text))}?"
    if not isinstance(node, Operation):
        return ""
    written = [each.value for each in node.operands if isinstance(each, Literal)]
    texts = [text for text in written if type(text) is str]
    known = verdicts.known_texts(node)
    if not texts or not known:
        return ""
    same = next((each for each in known if each.lower() == texts[0].lower()), None)
    if same is not None:
        return f"did you mean {quote(same)}?"
    return did_you_mean(texts[0], known).removeprefix("; ")


def _dead_alternatives(verdicts: Verdicts, node: Node) -> Iterator[Node]:
    """The sides of `||` that can't be true, in a condition that can."""
    if not isinstance(node, Logic):
        return
    for operand in node.operands:
        if node.operator == "||" and not _asks_presence(operand) and verdicts.never_true(operand):
            yield _culprit(verdicts, operand)
        else:
            yield from _dead_alternatives(verdicts, operand)


def _asks_presence(node: Node) -> bool:
    """Whether `node` asks if there is a value, or of what type: with care, not in vain."""
    if isinstance(node, Has) or (isinstance(node, Invoke) and node.function == "type"):
        return True
    if isinstance(node, Literal):
        return node.value is None
    return any(map(_asks_presence, node.children()))


def _dead_exceptions(verdicts: Verdicts) -> Iterator[Finding]:
    project, rule = verdicts.project, verdicts.rule
    if isinstance(rule.unless, Condition):
        root = rule.unless.checked.root
        if all(project.reach.impossible(tool, *_excepting(verdicts, root, tool))
               for tool in verdicts.tools):  # fmt: skip
            yield _dead_exception(verdicts, ("unless",))
        return
    for index, exemption in enumerate(rule.unless or ()):
        if not exemption.expires.passed(project.now_ns) and all(
            project.reach.impossible(
                tool, _holding(verdicts, tool), project.reach.exempted(exemption, tool)
            )
            for tool in verdicts.tools
        ):
            yield _dead_exception(verdicts, ("unless", index))


def _excepting(verdicts: Verdicts, root: Node, tool: str) -> tuple[Formula, Formula]:
    """When the rule's condition holds and its exception, `root`, too."""
    outcomes = verdicts.project.reach.outcomes(root, tool)
    allows = verdicts.rule.effect is Effect.ALLOW
    return _holding(verdicts, tool), negate(outcomes.false) if allows else outcomes.true


def _holding(verdicts: Verdicts, tool: str) -> Formula:
    """When the rule would match if it had no exceptions."""
    return verdicts.project.reach.unexcepted(verdicts.rule, tool)


def _dead_exception(verdicts: Verdicts, path: tuple[str | int, ...]) -> Finding:
    return verdicts.project.finding(
        verdicts.project.region(verdicts.rule, *path),
        "the exception never applies: it can't hold when the rule's condition does",
        why="whoever relies on it is not excepted",
        mend="correct or remove it",
        severity=Severity.WARNING,
    )
