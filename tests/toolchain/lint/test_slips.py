"""What the lexical rules say slips by does so in the engine, and no longer after their mend."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from guardrails.action import Action
from guardrails.decision import Effect
from guardrails.engine import Facts
from guardrails.language.folder import folder_of
from guardrails.testing import policies_over
from guardrails.toolchain.lint.project import Project
from guardrails.toolchain.lint.registry import all_rules

if TYPE_CHECKING:
    from guardrails.toolchain.lint.finding import Finding

CONDITIONS = [
    ("allow", "to", 'arguments.to.endsWith("acme.example")'),
    ("allow", "to", 'arguments.to.endsWith("@acme.example")'),
    ("allow", "to", "arguments.to.endsWith('@' + context.home)"),
    ("allow", "to", 'arguments.to.contains("@acme.example")'),
    ("allow", "to", 'arguments.to.split("@")[1] == "acme.example"'),
    ("allow", "to", 'arguments.to.matches("^[a-z]+@mail.acme.example$")'),
    ("allow", "to", 'arguments.to.matches("@acme[.]example$")'),
    ("allow", "url", 'arguments.url.startsWith("https://acme.example")'),
    ("allow", "url", 'arguments.url.contains("acme.example")'),
    ("allow", "url", 'arguments.url.contains("://") && arguments.url.endsWith(".acme.example")'),
    ("allow", "url", 'url_host(arguments.url).endsWith("acme.example")'),
    ("allow", "url", '!arguments.url.contains("evil.example")'),
    ("allow", "host", 'arguments.host.endsWith("acme.example")'),
    ("deny", "url", 'arguments.url.contains("evil.example")'),
    ("deny", "url", 'arguments.url.lowerAscii().contains("evil.example")'),
    ("deny", "url", 'arguments.url.endsWith("evil.example")'),
    ("deny", "to", 'arguments.to.endsWith("@evil.example")'),
    ("deny", "to", 'arguments.to.lowerAscii().endsWith("@evil.example")'),
    ("deny", "to", '!arguments.to.endsWith("@acme.example")'),
    ("deny", "host", 'arguments.host.startsWith("evil.example")'),
    ("allow", "path", 'arguments.path.startsWith("/office")'),
    ("allow", "path", 'arguments.path.startsWith("/office/")'),
    ("allow", "path", "arguments.path.startsWith(context.folder)"),
    ("allow", "path", 'arguments.path.startsWith("/office") && !arguments.path.contains("..")'),
    ("allow", "path", 'arguments.path.matches("^/office/.*[.]txt$")'),
    ("allow", "path", 'arguments.path.contains("/srv/data/")'),
    ("deny", "path", 'arguments.path.startsWith("/etc")'),
    ("deny", "path", 'arguments.path.startsWith("/etc") || arguments.path.contains("//")'),
    ("deny", "path", 'arguments.path.contains("/etc/passwd")'),
    ("deny", "path", '!arguments.path.startsWith("/office/")'),
]  # fmt: skip
CONTEXT = {"home": "acme.example", "folder": "/srv/data"}
SLIP = re.compile(r": `([^`]+)` (?:passes|is not taken)")


def policy_of(effect: str, condition: str) -> str:
    """A rule with this condition; beside a deny everything is allowed."""
    rules = [f"  - {{id: a, effect: {effect}, tools: t, when: {json.dumps(condition)}}}"]
    if effect == "deny":
        rules.append("  - {id: b, effect: allow, tools: t}")
    return "\n".join(["version: 1", "policy: p", "rules:", *rules, ""])


def find(text: str) -> Finding:
    project = Project(folder_of({"p.yaml": text}), "policies", 0)
    rules = (all_rules()[f"lexical-{what}-test"] for what in ("domain", "path"))
    (finding,) = (finding for rule in rules for finding in rule.run(project))
    return finding


@pytest.mark.parametrize(("effect", "argument", "condition"), CONDITIONS)
def test_what_is_said_to_slip_by_does_so_until_it_is_mended(
    effect: str, argument: str, condition: str
) -> None:
    text = policy_of(effect, condition)
    finding = find(text)
    slip = SLIP.search(finding.message)
    assert slip is not None

    action = Action("t", {argument: slip[1]}, context=CONTEXT)
    before = policies_over(text).decide(action, Facts(0))
    assert before.effect is Effect.ALLOW

    region = finding.region
    proper = finding.mend.removeprefix("write `").removesuffix("`")
    mended = text[: region.start] + json.dumps(proper)[1:-1] + text[region.end :]
    after = policies_over(mended).decide(action, Facts(0))
    assert after.effect is Effect.DENY
