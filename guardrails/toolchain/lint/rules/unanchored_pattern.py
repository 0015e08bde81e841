r"""`matches` finds its pattern anywhere in a text, so one without `^` and `$` lets more by.

What it does
------------
Reports a literal pattern of `matches` that decides what is *sanctioned* and isn't bound at both
ends, in every alternative: by `^` or `\A` at its beginning, by `$` or `\z` at its end. Such a
pattern stands in the `when` of an `allow`, in an exception of a `deny` or `escalate`, or negated in
their `when`. What a `deny` looks for anywhere in a text is mostly meant that way: there it is a
note.

Why it is bad
-------------
`matches` is true if *any part* of the text fits. Whoever chooses the text puts what fits in front
of, or behind, what the policy was to keep out: `evil.example/?q=acme.example` holds `acme.example`.

Example
-------
    version: 1
    policy: mail
    owner: it@acme.example
    tools:
      mail.send:
        traits: [communicate]
        arguments:
          to: {type: string}
        required: [to]
    rules:
      - id: colleagues
        effect: allow
        tools: mail.send
        when: arguments.to.matches("[a-z.]+@acme[.]example")

Use instead
-----------
    version: 1
    policy: mail
    owner: it@acme.example
    tools:
      mail.send:
        traits: [communicate]
        arguments:
          to: {type: string}
        required: [to]
    rules:
      - id: colleagues
        effect: allow
        tools: mail.send
        when: arguments.to.matches("^[a-z.]+@acme[.]example$")
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.language.cel.tree import Invoke, Literal
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.polarity import sanctioning
from guardrails.toolchain.lint.regex import open_ends
from guardrails.toolchain.lint.registry import lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Condition
    from guardrails.toolchain.lint.finding import Finding, Fix
    from guardrails.toolchain.lint.project import Clause, Project

_WHY = {
    (True, True): "`matches` looks anywhere in the text, so anything may stand around what fits",
    (True, False): "`matches` looks anywhere in the text, so anything may stand before what fits",
    (False, True): "`matches` looks anywhere in the text, so anything may stand behind what fits",
}
_MEND = {
    (True, True): "begin it with `^` and end it with `$`",
    (True, False): "begin it with `^`, or with `.*` if anything may stand before",
    (False, True): "end it with `$`, or with `.*` if anything may stand behind",
}
_QUOTED = re.compile(r"""([rR]?)(\"{3}|'{3}|"|')(.*)\2""", re.DOTALL)


@lint_rule("unanchored-pattern", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The patterns that fit where only a part of the text does; a note where that restricts."""
    for clause in project.conditions():
        sanctions = {id(node) for node in sanctioning(clause)}
        for node in project.walk(clause.condition):
            if not (isinstance(node, Invoke) and node.function == "matches"):
                continue
            pattern = node.arguments[1]
            if isinstance(pattern, Literal) and type(pattern.value) is str:
                yield from _judge(project, clause, pattern, restricts=id(node) not in sanctions)


def _judge(
    project: Project, clause: Clause, pattern: Literal, *, restricts: bool
) -> Iterator[Finding]:
    ends = open_ends(str(pattern.value))
    if not any(ends):
        return
    fixable = all(ends) and not restricts
    yield project.finding(
        project.at(clause.condition, pattern),
        f"the pattern {quote(str(pattern.value))} is not bound at {_name(*ends)}",
        why=_WHY[ends] + (", which a restriction may well mean" if restricts else ""),
        mend=("if the whole text is meant, " if restricts else "") + _MEND[ends],
        fix=_anchor(project, clause.condition, pattern) if fixable else (),
        severity=Severity.NOTE if restricts else None,
    )


def _name(begin: bool, end: bool) -> str:  # noqa: FBT001 - the two ends of a pattern
    return "both ends" if begin and end else "its beginning" if begin else "its end"


def _anchor(project: Project, condition: Condition, pattern: Literal) -> Fix:
    """The fix that binds the pattern at both ends, where it is written down as a literal."""
    written = _QUOTED.fullmatch(condition.source[pattern.start : pattern.end])
    if written is None:
        return ()
    raw, quotes, body = written.groups()
    if "|" in body and ("^" in body or "$" in body):
        return ()  # some alternatives are bound already: what is meant is the author's to say
    inner = f"(?:{body})" if "|" in body else body
    return project.rewrite(condition, pattern.start, pattern.end, f"{raw}{quotes}^{inner}${quotes}")
