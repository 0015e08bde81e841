"""Every lint rule: its documentation's examples, and the cases of its YAML file.

A case has `name`, `policy` (the text of `p.yaml`) or `files` (texts by path; a Python file is what
`--tools` names), `now` if not the first of June 2026, `settings` (the table `lint`), `expect` (what
each finding is, as far as given: line, column, message, why, mend, severity, excerpt, path) and
`fixed` (the text, or texts by path, after all fixes). Messages are whole.
"""

from __future__ import annotations

import re
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from guardrails.instants import parse_timestamp
from guardrails.language.folder import folder_of
from guardrails.language.settings_file import Table
from guardrails.toolchain.lint.project import Project
from guardrails.toolchain.lint.registry import LintRule, all_rules
from guardrails.toolchain.lint.settings import read_lint_settings
from guardrails.toolchain.tools.found import find_tools

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.tools.found import FoundTool

HERE = Path(__file__).parent
NOW = "2026-06-01T10:00:00Z"
KEYS = {"name", "policy", "files", "now", "settings", "expect", "fixed"}
_FILE = re.compile(r"^# file: (\S+)\n", re.MULTILINE)


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(HERE.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield path.stem, case


CASES = list(cases())


def project_of(
    files: dict[str, str], now: str = NOW, settings: dict[str, Any] | None = None
) -> Project:
    table = Table("guardrails.toml", "lint", settings or {})
    asked = read_lint_settings(table, all_rules())
    policies = {path: text for path, text in files.items() if not path.endswith(".py")}
    programs = [text for path, text in files.items() if path.endswith(".py")]
    functions = tuple(tool for text in programs for tool in functions_in(text)) or None
    return Project(folder_of(policies), "policies", parse_timestamp(now).ns, asked, functions)


def functions_in(program: str) -> tuple[FoundTool, ...]:
    """The decorated functions of a program, imported under a name of its own."""
    name = f"linted_{sha256(program.encode()).hexdigest()[:16]}"
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.py"
        path.write_text(program, encoding="utf-8")
        try:
            return find_tools(str(path))
        finally:
            sys.modules.pop(name, None)


def files_in(example: str) -> dict[str, str]:
    """The files of an example; without `# file:` lines it is one."""
    first, *rest = _FILE.split(example)
    return dict(zip(rest[::2], rest[1::2], strict=True)) if rest else {"policy.yaml": first}


def told(finding: Finding, keys: Iterable[str]) -> dict[str, Any]:
    """What a case's expectation with these keys says of a finding."""
    every = {
        "path": finding.region.path,
        "line": finding.region.line,
        "column": finding.region.column,
        "message": finding.message,
        "why": finding.why,
        "mend": finding.mend,
        "severity": str(finding.severity),
        "excerpt": finding.excerpt,
    }
    return {key: every[key] for key in keys}


def applied(files: dict[str, str], findings: Iterable[Finding]) -> dict[str, str]:
    """The files after all fixes, made from the end backwards."""
    after = dict(files)
    edits = {edit for finding in findings for edit in finding.fix}
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        text = after[edit.path]
        after[edit.path] = text[: edit.start] + edit.text + text[edit.end :]
    return after


NAMES = [f"{rule}: {case['name']}" for rule, case in CASES]


@pytest.mark.parametrize(("rule", "case"), CASES, ids=NAMES)
def test_a_rule_finds_exactly_what_its_case_expects(rule: str, case: dict[str, Any]) -> None:
    assert not case.keys() - KEYS
    files = case.get("files") or {"p.yaml": case["policy"]}
    circumstances = case.get("now", NOW), case.get("settings")
    project = project_of(files, *circumstances)
    findings = sorted(all_rules()[rule].run(project), key=lambda each: each.order)
    expected = case["expect"]
    assert all("message" in each for each in expected)
    keys = [each.keys() for each in expected] + [("line", "column", "message")] * len(findings)
    assert [told(*pair) for pair in zip(findings, keys, strict=False)] == expected
    if "fixed" in case:
        fixed = case["fixed"] if type(case["fixed"]) is dict else {"p.yaml": case["fixed"]}
        after = applied(files, findings)
        assert after == {**files, **fixed}
        again = all_rules()[rule].run(project_of(after, *circumstances))
        assert not [each for each in again if each.fix]


@pytest.mark.parametrize("rule", all_rules().values(), ids=all_rules())
def test_a_rules_example_triggers_it_and_its_use_instead_does_not(rule: LintRule) -> None:
    example = project_of(files_in(rule.page.example("Example")))
    instead = project_of(files_in(rule.page.example("Use instead")))
    assert list(rule.run(example))
    assert not list(rule.run(instead))


@pytest.mark.parametrize("id", all_rules())
def test_every_rule_has_cases_that_trigger_it_and_near_misses(id: str) -> None:  # noqa: A002
    expectations = [bool(case["expect"]) for name, case in CASES if name == id]
    assert set(expectations) == {True, False}


def test_every_file_of_cases_is_named_as_a_rule() -> None:
    assert {name for name, _ in CASES} <= all_rules().keys()
