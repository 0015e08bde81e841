"""The commands that lint says run are allowed by the engine, and the patterns' samples fit."""

from __future__ import annotations

import json
import re

import pytest

from guardrails.action import Action
from guardrails.decision import Effect
from guardrails.engine import Facts
from guardrails.language.folder import folder_of
from guardrails.testing import policies_over
from guardrails.toolchain.lint.project import Project
from guardrails.toolchain.lint.regex import sample
from guardrails.toolchain.lint.registry import all_rules

CONDITIONS = [
    'arguments.command.startsWith("git status")',
    'arguments.command.startsWith("ls") && !arguments.command.contains(";")',
    'arguments.command.endsWith("--dry-run")',
    'arguments.command.contains("make test")',
    'arguments.command.matches("^git (log|status).*$")',
    'arguments.command.matches("^(?i)npm (run )?[a-z]+")',
    'kinds.command.all(one, one.matches("^cat [a-z]+[.]txt"))',
    'arguments.command.split(" ")[0] in ["ls", "cat"]',
]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_command_that_is_said_to_run_is_allowed(condition: str) -> None:
    text = f"""\
version: 1
policy: p
tools:
  shell: {{traits: [exec], arguments: {{command: {{type: string, kind: command}}}}}}
rules:
  - {{id: a, effect: allow, tools: shell, when: {json.dumps(condition)}}}
"""
    project = Project(folder_of({"p.yaml": text}), "policies", 0)
    (finding,) = all_rules()["unconstrained-exec"].run(project)
    hidden = re.fullmatch(r"`shell` runs `(.+)`", finding.message)
    assert hidden is not None
    command = hidden[1].replace("\\n", "\n")
    decision = policies_over(text).decide(Action("shell", {"command": command}), Facts(0))
    assert decision.effect is Effect.ALLOW


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^git (log|status).*$", "git log"),
        ("(?i)^select [^;]+$", "select x"),
        ("^a{3}[bc]?x+$", "aaax"),
        (r"\d{2}-[\w]+\.", "00-a."),
        (r"^(?:ls|cat)\s[a-z]+$", "ls a"),
        (r"[\d]z|b", "0z"),
        ("", ""),
    ],
)
def test_a_sample_fits_its_pattern(pattern: str, text: str) -> None:
    assert sample(pattern) == text
    assert re.search(pattern, text)
