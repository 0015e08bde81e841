from __future__ import annotations

from typing import Any

import pytest

from guardrails.audit.reading import Record
from guardrails.audit.report import Finding, Report
from guardrails.toolchain.audit_text import tell_record, tell_report
from guardrails.toolchain.lines import plain

STAMP = "2026-06-01T10:00:00.000000Z"


def told(**data: Any) -> str:
    return plain([tell_record(Record("a.jsonl", 3, {"timestamp": STAMP, "id": "c-1", **data}))])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"kind": "start"}, "start     c-1"),
        ({"kind": "outcome", "outcome": "returned", "decision_id": "c-0", "duration_ns": 2500000},
         "returned  of c-0 after 2.5 ms  c-1"),
        ({"kind": "outcome", "outcome": "raised", "decision_id": "c-0", "error": "ValueError"},
         "raised    of c-0 with ValueError  c-1"),
        ({"kind": "decision", "input": {"tool": "pay"}, "enforced": False,
          "result": {"effect": "deny", "code": "no_match", "matches": []}},
         "deny      pay  no_match  (not enforced)  c-1"),
        ({"kind": "decision", "input": {"tool": "pay", "subject": {"id": "a"}},
          "result": {"effect": "allow", "code": "rule", "matches": [
              {"rule": "p/a", "effect": "allow", "observed": False},
              {"rule": "p/b", "effect": "allow", "observed": True}]}},
         "allow     pay  by a  rule  p/a  c-1"),
        ({"kind": "decision", "input": 1, "result": {"effect": [], "matches": 5}},
         "?         ?  ?  c-1"),
        ({"kind": "decision", "result": {"matches": [None]}}, "?         ?  ?  c-1"),
        ({"kind": 5}, "?         c-1"),
    ],
)  # fmt: skip
def test_a_record_is_one_line_whatever_it_holds(data: dict[str, Any], text: str) -> None:
    assert told(**data) == f"{STAMP}  {text}\n"


def test_a_line_that_is_no_record_is_told_with_its_place() -> None:
    damaged = plain([tell_record(Record("a.jsonl", 3, {}, "cut off"))])
    assert damaged == "not a record: a.jsonl:3: cut off\n"
    whole = plain([tell_record(Record("a.jsonl", 0, {}, "can't be read"))])
    assert whole == "not a record: a.jsonl: can't be read\n"


def test_a_report_ends_in_its_verdict() -> None:
    findings = (
        Finding("broken", "a.jsonl", 3, "c-1", "its hash is not that of its bytes"),
        Finding("remark", "a.jsonl", 0, "", "tail not proven"),
    )
    report = Report(findings, files=1, chains=2, records=1234, omitted=7)
    assert (
        plain(tell_report(report))
        == """\
broken  a.jsonl:3: c-1: its hash is not that of its bytes
remark  a.jsonl: tail not proven
and 7 more
broken: 1,234 records in 2 chains, 1 file
"""
    )
