"""What a new load of modules changes is told rule by rule, and what it doesn't change isn't."""

from __future__ import annotations

from textwrap import dedent
from time import time_ns
from typing import TYPE_CHECKING

import pytest

from guardrails.language.difference import find_difference
from guardrails.language.loader import load_texts
from guardrails.toolchain.lines import plain
from guardrails.toolchain.watching import Watcher
from guardrails.toolchain.watching_text import tell_sight

if TYPE_CHECKING:
    from pathlib import Path

PAY = """\
# METADATA
# custom: {owner: a@example.com, tools: [pay]}
package guardrails.pay

import data.lib

default allow := false

allow if input.arguments.amount <= data.limits.small

deny contains "Unknown." if not lib.known(input.arguments.to)

escalate if input.arguments.amount > 100
"""
TEXTS = {
    "pay.rego": PAY,
    "lib.rego": 'package lib\n\nknown(x) if x in {"ACME"}\n',
    "limits/data.json": '{"small": 5, "other": 1}',
}


def test_the_same_modules_differ_in_nothing() -> None:
    assert not find_difference(load_texts(TEXTS), load_texts(TEXTS))


def test_lines_that_move_and_comments_between_rules_change_nothing() -> None:
    moved = PAY.replace("deny", "# a comment\n\n\ndeny")
    assert not find_difference(load_texts(TEXTS), load_texts({**TEXTS, "pay.rego": moved}))


@pytest.mark.parametrize(
    ("name", "old", "new", "rules"),
    [
        ("pay.rego", "amount > 100", "amount > 99", ["pay/escalate"]),
        ("pay.rego", ":= false", ":= true", ["pay/allow"]),
        ("lib.rego", '"ACME"', '"ACME", "Evil"', ["pay/deny"]),
        ("limits/data.json", '"small": 5', '"small": 6', ["pay/allow"]),
        ("limits/data.json", '"other": 1', '"other": 2', []),
        ("pay.rego", "[pay]", "[pay, look]", ["pay/allow", "pay/deny", "pay/escalate"]),
    ],
)
def test_rules_change_that_mean_something_else(
    name: str, old: str, new: str, rules: list[str]
) -> None:
    assert old in TEXTS[name]
    texts = {**TEXTS, name: TEXTS[name].replace(old, new)}
    difference = find_difference(load_texts(TEXTS), load_texts(texts))
    assert list(difference.rules.changed) == rules
    assert not difference.documents


def test_rules_come_and_go_with_their_modules() -> None:
    more = {**TEXTS, "more.rego": "package guardrails.more\n\ndeny if true\n"}
    difference = find_difference(load_texts(TEXTS), load_texts(more))
    assert difference.rules.added == ("more/deny",)
    assert difference.documents.added == ("more.rego",)
    assert find_difference(load_texts(more), load_texts(TEXTS)).rules.removed == ("more/deny",)


def test_watching_shows_which_rule_of_a_module_a_save_changes(tmp_path: Path) -> None:
    for name, text in TEXTS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(dedent(text))
    watcher = Watcher(str(tmp_path), time_ns, testing=True)
    assert watcher.look().loaded
    (tmp_path / "pay.rego").write_text(PAY.replace("> 100", "> 50"))
    test = "package t\n\ntest_a if data.guardrails.pay.escalate with input.arguments.amount as 51\n"
    (tmp_path / "pay_test.rego").write_text(test)
    told = plain(tell_sight(watcher.look()))
    assert "  rules      ~ pay/escalate\n" in told
    assert "1 case: 1 passed\n" in told
    (tmp_path / "pay.rego").write_text(PAY.replace("> 100", "> "))
    sight = watcher.look()
    assert not sight.loaded
    assert "pay.rego:14:1" in plain(tell_sight(sight))
