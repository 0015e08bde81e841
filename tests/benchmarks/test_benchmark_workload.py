from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from benchmarks import workload as module
from benchmarks.workload import Workload

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", [1, 9, 10, 11, 1_000])
def test_calls_name_at_most_ten_different_tools_spread_over_all(size: int) -> None:
    numbers = [int(call.tool.removeprefix("tool_")) for call in Workload(size).calls(matching=True)]
    assert len(set(numbers)) == len(numbers) == min(size, 10)
    assert all(0 <= number < size for number in numbers)
    assert max(numbers) >= size * 9 // 10 - 1


def test_matching_calls_exceed_their_limit_and_others_do_not() -> None:
    load = Workload(1_000)
    limits = dict(load.rules())
    assert all(
        call.arguments["amount"] == limits[call.tool] + 1 for call in load.calls(matching=True)
    )
    assert all(
        call.arguments["amount"] == limits[call.tool] - 1 for call in load.calls(matching=False)
    )


def test_policies_hold_each_rule_once_and_split_over_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RULES_PER_FILE", 4)
    Workload(10).write_policies(tmp_path)
    documents = [yaml.safe_load(path.read_text()) for path in sorted(tmp_path.iterdir())]
    assert [document["policy"] for document in documents] == ["part-0", "part-1", "part-2"]
    denied = [
        (rule["tools"], rule["when"])
        for document in documents
        for rule in document["rules"]
        if rule["effect"] == "deny"
    ]
    assert denied == [
        (tool, f"arguments.amount > {amount}") for tool, amount in Workload(10).rules()
    ]
    allowed = [tool for document in documents for tool in document["rules"][-1]["tools"]]
    assert allowed == [tool for tool, _ in Workload(10).rules()]
