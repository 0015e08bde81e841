"""A rule that decides is refused in a file that is named as a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardrails.errors import PolicyError
from guardrails.language.loader import load, load_texts

if TYPE_CHECKING:
    from pathlib import Path

YAML = {"p.yaml": "version: 1\npolicy: p\nrules: [{id: a, effect: deny, tools: t}]\n"}


def problems(rego: str | bytes) -> list[str]:
    try:
        load_texts({**YAML, "pay_test.rego": rego})
    except PolicyError as error:
        return [f"{each.place} {each.message}" for each in error.problems]
    return []


@pytest.mark.parametrize(
    ("rules", "place", "name"),
    [
        ("deny if true", "3:1", "deny"),
        ("x := 1\n\ndefault allow := false", "5:9", "allow"),
        ("violation_cost contains 1 if true", "3:1", "violation_cost"),
        ("test_x if {\n\ttrue\n}\nwarn if true", "6:1", "warn"),
    ],
)
def test_a_rule_that_decides_is_told_with_its_place(rules: str, place: str, name: str) -> None:
    (found,) = problems(f"package guardrails.pay\n\n{rules}\n")
    assert found == (
        f"pay_test.rego:{place} `{name}` in a file named as a test would never be in force; rename"
        " the file, or give the tests the package `guardrails.pay_test`"
    )


@pytest.mark.parametrize(
    "rego",
    [
        "package guardrails.pay\n\ntest_x if {\ndeny\n}\n",
        'package guardrails.pay\n\ntest_x if deny == {"`deny`"}\n',
        "package guardrails.pay\n\n# deny\nx := `\ndeny if true\n`\n",
        "package guardrails.pay_test\n\ndeny := data.guardrails.pay.deny\n",
        "package main\n\ndeny if true\n",
        "no module at all",
    ],
)
def test_tests_and_what_helps_them_are_left_alone(rego: str) -> None:
    assert problems(rego) == []


def test_packages_of_the_settings_are_policies_too(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(YAML["p.yaml"])
    (tmp_path / "main_test.rego").write_text("package main\n\ndeny if true\n")
    (tmp_path / "guardrails.toml").write_text('[rego]\npackages = ["main"]\n')
    with pytest.raises(PolicyError, match="`deny` in a file named as a test"):
        load(tmp_path)
    (tmp_path / "guardrails.toml").write_text("[rego]\npackages = 1\n")
    with pytest.raises(PolicyError, match=r"`rego\.packages` is of another type"):
        load(tmp_path)


def test_what_is_no_text_could_hide_a_rule() -> None:
    (found,) = problems(b"package guardrails.pay\n\xff")
    assert found.startswith("pay_test.rego:2:1 byte 0xff is not UTF-8")
