"""An escalation that nobody can approve, that never ends, or that the requester approves.

What it does
------------
Reports an `escalate` rule without `approval`, one whose `approval` has no `timeout`, and one in
which a role that may approve is also one that can ask (or a pattern that covers everybody), unless
it keeps them apart by `separate_from: [requester]`. Who can ask is said by the rule's `subjects`;
where it has none, by those of the rules that allow calls of the same tools. Of a Rego module
annotations are judged, and results in which the terms are written out.

Why it is bad
-------------
Without `approval` nobody can approve, so the rule is a `deny` that pretends to ask. Without a
`timeout` a request can be approved when what it was about has long changed. And four eyes are two
where agents of a role ask and the same role answers.

Example
-------
    version: 1
    policy: payments
    owner: finance@acme.example
    rules:
      - id: large
        effect: escalate
        tools: payments.pay
        subjects: {roles: [billing]}
        approval: {from: [billing]}

Use instead
-----------
    version: 1
    policy: payments
    owner: finance@acme.example
    rules:
      - id: large
        effect: escalate
        tools: payments.pay
        subjects: {roles: [billing]}
        approval: {from: [finance], timeout: 1h}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.modules import literal_terms, mentions
from guardrails.toolchain.lint.names import approvers
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.selection import overlap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Approval, Rule
    from guardrails.toolchain.lint.finding import Finding, Region
    from guardrails.toolchain.lint.project import Project
    from guardrails.toolchain.lint.text import PolicyText


@lint_rule("weak-escalation", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The escalations that don't do what they are there for."""
    for rule in project.bundle.rules:
        if rule.effect is not Effect.ESCALATE:
            continue
        if rule.approval is None:
            yield project.finding(
                project.region(rule, "effect"),
                "nobody can approve what this rule escalates",
                why="without `approval` it is a deny that seems to ask",
                mend="add `approval: {from: [role], timeout: 1h}`, or make it `effect: deny`",
            )
            continue
        if rule.approval.timeout_ns is None:
            yield _tell_endless(project, project.region(rule, "approval", of_key=True))
        if "requester" not in project.data(rule)["approval"].get("separate_from", ()):
            yield from _check_approvers(project, rule)
    for rule in project.module_rules:
        yield from _check_module_rule(project, rule)
    for file in project.folder.modules:
        yield from _check_results(project, project.texts[file.path])


def _check_module_rule(project: Project, rule: Rule) -> Iterator[Finding]:
    """As of the others, where annotations say who approves or nothing else can."""
    if rule.effect is not Effect.ESCALATE:
        return
    if rule.approval is None:
        if not mentions([rule], "approval"):
            yield project.finding(
                project.region(rule),
                "nobody can approve what this rule escalates",
                why="without `approval` it is a deny that seems to ask",
                mend="add `approval: {from: [role], timeout: 1h}` below `custom` above it, or make"
                " it `deny`",
            )
        return
    yield from _check_terms(project, project.region(rule, "approval"), rule.approval)


def _check_results(project: Project, text: PolicyText) -> Iterator[Finding]:
    """As of the others, where results of a module hold terms that are written out."""
    for terms in literal_terms(text):
        if terms.approval is None:
            yield project.finding(
                terms.region,
                f"terms that can't be: {terms.fault}",
                why="the result is then an error, over which nobody decides",
                mend="write them as `approval` in YAML",
            )
        else:
            yield from _check_terms(project, terms.region, terms.approval)


def _check_terms(project: Project, region: Region, approval: Approval) -> Iterator[Finding]:
    if approval.timeout_ns is None:
        yield _tell_endless(project, region)
    everybody = any(set(name) == {"*"} for name in approvers(approval))
    if everybody and "requester" not in approval.separate_from:
        yield _tell_everybody(project, region)


def _tell_endless(project: Project, region: Region) -> Finding:
    return project.finding(
        region,
        "this approval has no `timeout`",
        why="a request can be approved when what it was about has long changed",
        mend="add one, say `timeout: 1h`; past it the answer is no",
    )


def _tell_everybody(project: Project, region: Region) -> Finding:
    return project.finding(
        region,
        "everybody can approve, whoever asks among them",
        why="four eyes are two where one side asks and answers",
        mend="name the roles that answer for it",
    )


def _check_approvers(project: Project, rule: Rule) -> Iterator[Finding]:
    """The approvers who can be those that ask."""
    asking = tuple(_asking(project, rule))
    for name, path, of_key in _approvers(project.data(rule)["approval"]):
        region = project.region(rule, "approval", *path, of_key=of_key)
        same = next((role for role in asking if overlap(role, name)), None)
        if set(name) == {"*"}:
            yield _tell_everybody(project, region)
        elif same is not None:
            yield project.finding(
                region,
                f"{quote(name)} approves what {quote(same)} asks for",
                why="four eyes are two where one role asks and answers",
                mend="let a role approve that none of those has who ask",
            )


def _asking(project: Project, rule: Rule) -> Iterator[str]:
    """The roles of those whose calls the rule can escalate, as far as they are named."""
    if rule.subjects is not None:
        yield from rule.subjects.roles or ()
        return
    for other in project.bundle.rules:
        if (
            other.effect is Effect.ALLOW
            and other.subjects is not None
            and _share_tools(rule, other)
        ):
            yield from other.subjects.roles or ()


def _share_tools(one: Rule, other: Rule) -> bool:
    """Whether some tool is named by both, as far as the names tell."""
    return any(overlap(a, b) for a in one.tools or () for b in other.tools or ())


def _approvers(approval: dict[str, Any]) -> Iterator[tuple[str, tuple[str | int, ...], bool]]:
    """Whoever may approve, the path below `approval`, and whether that is the path of a key."""
    yield from _voters(approval["from"], ("from",))
    for index, stage in enumerate(approval.get("then", ())):
        yield from _voters(stage["from"], ("then", index, "from"))


def _voters(
    given: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[str, tuple[str | int, ...], bool]]:
    if type(given) is dict:
        yield from ((name, (*path, name), True) for name in given)
    else:
        names = [given] if type(given) is str else given
        yield from ((name, (*path, index), False) for index, name in enumerate(names))
