"""The catalogue names rules and tests that exist, and the reference is as the packs are."""

from __future__ import annotations

import re
import runpy
from functools import cache
from typing import TYPE_CHECKING

import pytest

from guardrails.language.folder import folder_of, read_folder
from guardrails.toolchain.packs import PACKS
from guardrails.toolchain.suites.tester import read_tested
from tests.policies.packs import PACKS as FOLDER
from tests.policies.packs import ROOT, incident, incident_names, pack_names

if TYPE_CHECKING:
    from guardrails.toolchain.suites.tester import Tested

PAGE = ROOT / "docs" / "reference" / "threats.md"
ROWS = [
    (int(number), re.findall(r"`([^`]+)`", rules), test.strip())
    for number, rules, test in re.findall(
        r"^\| (\d+) \| [^|]+ \|([^|]+)\|([^|]+)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
]


@cache
def packs() -> Tested:
    return read_tested(read_folder(FOLDER), "policies")


@cache
def titles() -> frozenset[str]:
    suites = [
        *packs().suites,
        *(read_tested(folder_of(incident(name)), "").suites[0] for name in incident_names()),
    ]
    return frozenset(case.title.partition(" [")[0] for suite in suites for case in suite.cases)


def test_the_twelve_packs_are_those_of_the_catalogue() -> None:
    assert pack_names() == sorted(PACKS)
    assert len(PACKS) == 12


def test_every_row_of_the_catalogue_is_answered() -> None:
    assert [number for number, _, _ in ROWS] == list(range(1, 27))


@pytest.mark.parametrize(("number", "rules", "test"), ROWS, ids=lambda given: str(given)[:40])
def test_each_rule_and_test_that_is_named_exists(number: int, rules: list[str], test: str) -> None:
    assert rules
    assert set(rules) <= {rule.name for rule in packs().bundle.rules}, number
    assert test in titles(), number


def test_every_rule_of_a_pack_that_restricts_names_its_controls() -> None:
    rules = [rule for rule in packs().bundle.rules if not rule.policy.endswith(".example")]
    for rule in rules:
        prefixes = {re.split(r"[-\d]", control)[0] for control in rule.controls}
        assert {"METR", "OWASP"} <= prefixes, rule.name
        assert rule.message, rule.name
        assert rule.severity, rule.name


def test_the_reference_of_packs_is_as_the_packs_are() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "reference" / "generate_packs.py"))
    written = (ROOT / "docs" / "reference" / "packs.md").read_text(encoding="utf-8")
    assert written == made["page"](), "run `python docs/reference/generate_packs.py`"


@pytest.mark.parametrize("name", PACKS)
def test_the_page_of_a_pack_tells_each_fact_and_constant(name: str) -> None:
    (document,) = (each for each in packs().bundle.documents if each.policy == name)
    page = (FOLDER / name / "README.md").read_text(encoding="utf-8")
    for constant in document.constants:
        assert constant in page, constant
    text = (FOLDER / name / f"{name}.yaml").read_text(encoding="utf-8")
    for fact in re.findall(r"context\.(\w+)", text):
        assert f"`{fact}`" in page, fact
