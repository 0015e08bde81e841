"""What has ended, or soon will, is renewed or removed knowingly.

What it does
------------
Reports a rule or an exception whose `expires` has passed, and (as a note) one that ends within the
setting `soon`, 14 days unless changed:

    # file: guardrails.toml
    [lint]
    soon = "14d"

Why it is bad
-------------
Past its end an `allow` no longer matches and an exception no longer excepts, so what worked
yesterday is refused; a `deny` or `escalate` goes on, against what its text says. An observed one
begins to bite. Each is better decided by people beforehand than found out by an agent's users.

Example
-------
    version: 1
    policy: migration
    owner: data@acme.example
    rules:
      - {id: copy-tables, effect: allow, tools: sql.copy, expires: 2026-03-31}

Use instead
-----------
    version: 1
    policy: migration
    owner: data@acme.example
    rules:
      - {id: copy-tables, effect: allow, tools: sql.copy, expires: 2027-03-31}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.instants import DAY
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Expiry, Rule
    from guardrails.toolchain.lint.finding import Finding, Region
    from guardrails.toolchain.lint.project import Project


@lint_rule("expired-rule", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The rules and exceptions that have ended or soon will."""
    for rule in project.whole.rules:
        if rule.expires is not None:
            region = project.region(rule, "expires")
            then = _after(rule)
            yield from _judge(project, region, rule.expires, f"rule {quote(rule.id)}", then)
        for index, exemption in enumerate(rule.unless if type(rule.unless) is tuple else ()):
            region = project.region(rule, "unless", index, "expires")
            name = f"exception {quote(exemption.reason)}"
            yield from _judge(project, region, exemption.expires, name, _AFTER_EXCEPTION)


class _After(NamedTuple):
    """What is so once something has ended, and what to do about it."""

    why: str
    mend: str


_AFTER_EXCEPTION = _After("it no longer excepts", "remove it, or give it a later `expires`")


def _after(rule: Rule) -> _After:
    if rule.effect is Effect.ALLOW:
        mend = "remove the rule, or give it a later `expires`"
        return _After("it no longer allows anything", mend)
    keep = "`mode` and `expires`" if rule.observe else "`expires`"
    mend = f"remove its {keep} if it is to go on, or the rule if not"
    if rule.observe:
        return _After(f"it is enforced: it can {rule.effect} from then on", mend)
    return _After(f"it goes on to {rule.effect}, against what its end says", mend)


def _judge(
    project: Project, region: Region, expires: Expiry, name: str, after: _After
) -> Iterator[Finding]:
    """The finding of what ends at `expires`, if it has ended or soon will."""
    left = expires.ends_ns - project.now_ns
    if left <= 0:
        message = f"the {name} ended on {expires.text}"
        yield project.finding(region, message, why=after.why, mend=after.mend)
    elif left <= project.settings.soon_ns:
        yield project.finding(
            region,
            f"the {name} ends {_when(left)}, on {expires.text}",
            why=f"then {after.why}",
            mend="decide by then: give it a later `expires`, or let it go",
            severity=Severity.NOTE,
        )


def _when(left: int) -> str:
    days = left // (DAY * NANOSECONDS)
    return "within a day" if days < 1 else "in 1 day" if days == 1 else f"in {days} days"
