from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardrails.instants import parse_timestamp
from guardrails.language.folder import folder_of
from guardrails.toolchain.lint import lint
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.project import Project
from guardrails.toolchain.lint.registry import all_rules
from guardrails.toolchain.lint.settings import Settings

if TYPE_CHECKING:
    from guardrails.toolchain.lint.report import Report

NOW = parse_timestamp("2026-06-01T10:00:00Z").ns
ALLOW = "# lint: allow[unanchored-pattern] the server refuses odd senders"


def report_on(policy: str, *rules: str) -> Report:
    """What these rules and `lint-exception` find."""
    wanted = {*rules, "lint-exception"}
    levels = {id_: rule.severity if id_ in wanted else None for id_, rule in all_rules().items()}
    return lint(Project(folder_of({"p.yaml": policy}), "policies", NOW, Settings(levels)))


def policy_with(above_rule: str = "", above_when: str = "", behind: str = "") -> str:
    return (
        "version: 1\npolicy: p\nrules:\n"
        f"  {above_rule}\n"
        "  - id: a\n    effect: allow\n    tools: t\n"
        f"    {above_when}\n"
        f"    when: >- {behind}\n"
        "      has(arguments.to) &&\n"
        '      arguments.to.matches("acme")\n'
    )


def told(report: Report) -> list[tuple[str, int, str]]:
    return [(each.rule, each.region.line, each.message) for each in report.findings]


@pytest.mark.parametrize(
    "policy",
    [
        policy_with(above_rule=ALLOW),
        policy_with(above_when=ALLOW),
        policy_with(behind=ALLOW),
        policy_with(above_rule=f"{ALLOW}\n\n  # and more is said\n"),
        policy_with(above_when=f"{ALLOW}, until 2026-06-01"),
        policy_with(above_when="#lint:allow[missing-owner,unanchored-pattern]because"),
    ],
    ids=[
        "above the rule",
        "above the condition",
        "behind its key",
        "with more comments between",
        "on its last day",
        "closely written",
    ],
)
def test_a_comment_with_a_reason_excepts_what_begins_on_its_line_or_the_next(policy: str) -> None:
    report = report_on(policy, "unanchored-pattern")
    assert [each.finding.rule for each in report.excepted] == ["unanchored-pattern"]
    assert told(report) == []


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        (policy_with(above_when="# lint: allow[unanchored-pattern]"), "does not count"),
        (policy_with(above_when=f"{ALLOW} until 2026-05-31"), "ended on 2026-05-31"),
        (policy_with(above_when=f"{ALLOW} until then"), "does not count"),
        (policy_with(above_when="# lint: allow[missing-owner] because"), "excepts nothing"),
        (f"# {ALLOW}\n" + policy_with(), ""),
        (policy_with() + "# lint: allow[unanchored-pattern] too late\n", "excepts nothing"),
    ],
    ids=["no reason", "past its end", "no end", "another rule", "commented out", "elsewhere"],
)
def test_a_comment_that_does_not_except_is_told_and_the_finding_stands(
    policy: str, complaint: str
) -> None:
    report = report_on(policy, "unanchored-pattern", "missing-owner")
    assert report.excepted == ()
    complaints = [message for rule, _, message in told(report) if rule == "lint-exception"]
    assert [complaint in each for each in complaints] == ([True] if complaint else [])
    assert "unanchored-pattern" in [rule for rule, *_ in told(report)]


def test_a_comment_above_a_section_covers_its_first_line_only() -> None:
    policy = policy_with().replace("rules:\n", f"{ALLOW}\nrules:\n")
    assert told(report_on(policy, "unanchored-pattern")) == [
        ("lint-exception", 3, "this exception from `unanchored-pattern` excepts nothing"),
        ("unanchored-pattern", 12, "the pattern `acme` is not bound at both ends"),
    ]


def test_of_several_rules_in_a_comment_the_one_that_finds_nothing_is_told() -> None:
    comment = "# lint: allow[unanchored-pattern, stale-observe] because"
    report = report_on(policy_with(above_rule=comment), "unanchored-pattern", "stale-observe")
    assert len(report.excepted) == 1
    assert told(report) == [
        ("lint-exception", 4, "this exception from `stale-observe` excepts nothing")
    ]


def test_an_exception_from_a_rule_that_is_off_is_not_told() -> None:
    comment = "# lint: allow[stale-observe] because"
    assert told(report_on(policy_with(above_rule=comment))) == []


def test_the_level_of_lint_exception_holds_for_all_its_findings() -> None:
    levels = dict.fromkeys(all_rules(), None) | {
        "stale-observe": Severity.ERROR,
        "lint-exception": Severity.NOTE,
    }
    policy = policy_with(above_rule="# lint: allow[stale-observe] because", behind="# lint: allow")
    report = lint(Project(folder_of({"p.yaml": policy}), "policies", NOW, Settings(levels)))
    assert [each.severity for each in report.findings] == [Severity.NOTE, Severity.NOTE]
    assert report.exit_code == 0


def test_comments_of_a_module_in_rego_except_what_stands_on_their_line() -> None:
    rego = (
        "# METADATA\n"
        "# custom:\n"
        "#   tools: [pya] # lint: allow[unknown-name] it comes with the next release\n"
        "package guardrails.a # lint: allow[missing-owner] an example\n"
        "\n"
        "# lint: allow[missing-control] it serves nobody's\n"
        "\n"
        'deny if input.tool == "# lint: allow[missing-owner] a text"\n'
    )
    tools = "version: 1\npolicy: p\nowner: a\ntools: {pay: {traits: [spend]}}\n"
    ids = ("missing-owner", "unknown-name", "missing-control", "lint-exception")
    levels = {id_: rule.severity if id_ in ids else None for id_, rule in all_rules().items()}
    folder = folder_of({"a.rego": rego, "p.yaml": tools})
    report = lint(Project(folder, "policies", NOW, Settings(levels)))
    assert told(report) == []
    found = [each.finding.rule for each in report.excepted]
    assert sorted(found) == ["missing-control", "missing-owner", "unknown-name"]
