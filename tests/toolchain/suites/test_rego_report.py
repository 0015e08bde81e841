"""The report on controls counts tests in Rego, and results of modules with an id of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner

from guardrails.cli import main

if TYPE_CHECKING:
    from pathlib import Path

RULES = """\
# METADATA
# custom:
#   controls: [OWASP-ASI02]
#   tools: [pay]
package guardrails.pay

deny contains {"id": "large"} if input.arguments.amount > 50

escalate if input.arguments.amount > 20

warn if input.arguments.amount > 10
"""
CASES = """\
version: 1
tests: pay
cases: [{name: large, action: {tool: pay, arguments: {amount: 51}}}]
"""
TESTS = """\
package guardrails.pay_test

test_escalate if data.guardrails.pay.escalate with input.arguments.amount as 21

test_wrong if data.guardrails.pay.warn with input.arguments.amount as 1
"""


def test_what_serves_a_control_may_be_a_test_in_rego(tmp_path: Path) -> None:
    for name, text in (("pay.rego", RULES), ("pay_test.yaml", CASES), ("pay_test.rego", TESTS)):
        (tmp_path / name).write_text(text)
    done = CliRunner().invoke(
        main, ["report", "--controls", "-p", str(tmp_path), "--format", "json"]
    )
    report = json.loads(done.stdout)
    assert done.exit_code == 1
    assert report["failing_tests"] == ["guardrails.pay_test.test_wrong"]
    (control,) = [
        each
        for framework in report["frameworks"]
        for each in framework["controls"]
        if each["control"] == "OWASP-ASI02"
    ]
    assert control["status"] == "served"
    assert {each["rule"]: each["tests"] for each in control["rules"]} == {
        "pay/deny": ["pay: large"],
        "pay/escalate": ["pay: large", "guardrails.pay_test.test_escalate"],
        "pay/warn": ["pay: large"],
    }
