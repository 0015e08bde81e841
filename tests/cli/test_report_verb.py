from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from guardrails.cli import main
from guardrails.toolchain.packs import PACKS
from guardrails.toolchain.report.frameworks import FRAMEWORKS

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
version: 1
policy: house
tools: {pay: {traits: [spend]}, look: {traits: [read]}}
rules:
  - {id: look, effect: allow, tools: look}
  - {id: held, effect: deny, tools: pay, controls: [OWASP-ASI02, FIN-12]}
  - {id: bare, effect: deny, traits: [exec], controls: [OWASP-ASI05]}
  - id: seen
    effect: deny
    tools: pay
    controls: [OWASP-ASI08]
    mode: observe
    expires: 2027-01-01
  - {id: adrift, effect: deny, tools: look, when: subject.id == "x"}
  - id: "html"
    effect: deny
    tools: pay
    description: "<img src=x onerror=alert(1)> & \\u202e"
    controls: ["<script>alert(1)</script>"]
"""
TESTS = """
version: 1
tests: house
cases:
  - {name: pay, action: {tool: pay}, code: rule}
  - {name: look, action: {tool: look, subject: {id: a}}, expect: allow}
"""
NOW = ("--now", "2026-06-01T10:00:00Z")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "house.yaml").write_text(POLICY)
    (tmp_path / "house_test.yaml").write_text(TESTS)
    return tmp_path


def run(folder: Path, *words: object) -> Result:
    asked = ["report", "--controls", "-p", str(folder), *map(str, words)]
    return CliRunner().invoke(main, asked)


def controls(result: Result) -> dict[str, Any]:
    told = json.loads(result.stdout)
    return {
        one["control"]: one for framework in told["frameworks"] for one in framework["controls"]
    }


def test_a_control_is_served_by_a_rule_in_force_that_a_passing_test_reaches(folder: Path) -> None:
    result = run(folder, "--format", "json", *NOW)
    found = controls(result)
    assert result.exit_code == 1
    assert {name: found[name]["status"] for name in ("OWASP-ASI02", "FIN-12")} == {
        "OWASP-ASI02": "served",
        "FIN-12": "served",
    }
    (rule,) = found["OWASP-ASI02"]["rules"]
    assert rule["rule"] == "house/held"
    assert rule["place"]["line"] == 7
    assert rule["tests"] == ["house: pay"]


def test_a_rule_without_a_test_serves_nothing(folder: Path) -> None:
    assert controls(run(folder, "--format", "json", *NOW))["OWASP-ASI05"]["status"] == "untested"


def test_a_rule_that_only_observes_serves_nothing_until_it_is_enforced(folder: Path) -> None:
    assert controls(run(folder, "--format", "json", *NOW))["OWASP-ASI08"]["status"] == "watched"
    later = run(folder, "--format", "json", "--now", "2027-01-03T00:00:00Z")
    assert controls(later)["OWASP-ASI08"]["status"] == "served"


def test_holes_are_the_controls_that_no_rule_names_of_a_framework_in_use(folder: Path) -> None:
    found = controls(run(folder, "--format", "json", *NOW))
    owasp = next(each for each in FRAMEWORKS if each.prefix == "OWASP-ASI")
    assert set(owasp.controls) <= set(found)
    assert found["OWASP-ASI01"]["status"] == "open"
    assert not any(name.startswith("SOC2") for name in found)


def test_rules_without_test_or_control_and_packs_that_are_not_there_are_told(folder: Path) -> None:
    told = json.loads(run(folder, "--format", "json", *NOW).stdout)
    assert told["rules_without_test"] == ["house/bare", "house/adrift"]
    assert told["rules_without_control"] == ["house/adrift"]
    assert told["packs_not_in_force"] == list(PACKS)
    assert told["failing_tests"] == []


def test_a_failing_test_serves_nothing_and_is_told(folder: Path) -> None:
    (folder / "house_test.yaml").write_text(TESTS.replace("code: rule", "expect: allow"))
    result = run(folder, "--format", "json", *NOW)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["failing_tests"] == ["house: pay"]
    assert controls(result)["OWASP-ASI02"]["status"] == "untested"


def test_the_text_names_status_control_rules_and_counts(folder: Path) -> None:
    text = run(folder, *NOW).stdout
    assert "  served    OWASP-ASI02  Tools are misused\n            house/held  1 test\n" in text
    assert "  watched   OWASP-ASI08" in text
    assert "controls: 3 served, 1 untested, 1 watched, 7 open" in text


class Page(HTMLParser):
    """The tags of a page, with what they ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.asks: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.asks += [name for name, _ in attrs if name in {"src", "href"} or name[:2] == "on"]


def test_the_page_needs_nothing_else_and_runs_nothing(folder: Path) -> None:
    path = folder.parent / f"{folder.name}.html"
    assert run(folder, "--format", "html", "-o", path, *NOW).exit_code == 1
    text = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert not {"script", "img", "link", "iframe"}.intersection(page.tags)
    assert page.asks == []
    assert "url(" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\u202e" not in text


def test_all_packs_serve_what_they_name() -> None:
    result = CliRunner().invoke(
        main, ["report", "--controls", "-p", "policies", "--format", "json", *NOW]
    )
    assert result.exit_code == 0, result.output
    found = controls(result)
    assert [name for name, each in found.items() if each["status"] != "served"] == ["EU-AI-ACT-26"]
    assert json.loads(result.stdout)["packs_not_in_force"] == []


def test_which_report_must_be_said(folder: Path) -> None:
    result = CliRunner().invoke(main, ["report", "-p", str(folder)])
    assert result.exit_code == 2
    assert "name the report: --controls" in result.stderr
