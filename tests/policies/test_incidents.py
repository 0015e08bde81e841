"""The fourteen incidents, step by step, with all packs in force; and a variant that must pass."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from guardrails.decision import Effect
from guardrails.language.folder import folder_of
from guardrails.toolchain.lines import plain
from guardrails.toolchain.suites.report_text import tell_report
from guardrails.toolchain.suites.tester import Asked, read_tested, run_tests
from tests.policies.packs import incident, incident_names

EXPECTED = {
    "01-replit": "ABBE",
    "02-pocketos": "AABB",
    "03-kiro": "AE",
    "04-cluster-cleaner": "AEB",
    "05-inbox": "AEB",
    "06-github-mcp": "AAB",
    "07-supabase": "ABB",
    "08-echoleak": "AAB",
    "09-copilot-settings": "ABB",
    "10-clinejection": "ABB",
    "11-postmark-mcp": "AB",
    "12-rome": "ABBB",
    "13-amazon-q": "AEB",
    "14-hit-piece": "AAE",
}
"""The decisions of the catalogue: A allow, B block, E escalate. (2 shows the failing call too.)"""

_LETTERS = {Effect.ALLOW: "A", Effect.ESCALATE: "E", Effect.DENY: "B"}


def test_every_incident_of_the_catalogue_is_here() -> None:
    assert incident_names() == list(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_each_step_is_decided_as_the_catalogue_says(name: str) -> None:
    folder = folder_of(incident(name))
    report = run_tests(
        folder, "policies", Asked(), 0, lambda _: nullcontext(lambda _done, _of: None)
    )
    assert not report.failures, plain(tell_report(report))
    (suite,) = read_tested(folder, "policies").suites
    attack, legitimate = suite.cases
    letters = "".join(_LETTERS[step.expected.effect] for step in attack.steps)
    assert letters == EXPECTED[name]
    assert {step.expected.effect for step in legitimate.steps} == {Effect.ALLOW}
