"""The records that an auditor asks for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.audit.log import DecisionLog
from guardrails.audit.reading import Filter, records
from guardrails.decision import Code, Decision, Effect, RuleMatch, UsedException
from guardrails.errors import LogDamaged

if TYPE_CHECKING:
    from pathlib import Path

DENIED = Decision(
    Effect.DENY,
    Code.RULE,
    (RuleMatch("pay/large", Effect.DENY),),
    (RuleMatch("pay/odd", Effect.ALLOW, "a wrong type"),),
    exceptions=(UsedException("pay/night", "FIN-131"),),
)


@pytest.fixture
def names(folder: Path, entry: Any) -> list[str]:
    """A payment at the first second, a refused wipe at the second, a stop at the third."""
    times = iter(range(10**18, 10**18 + 10**12, 10**9))
    log = DecisionLog(folder, clock=lambda: next(times))
    subject = {"id": "agent-7"}
    pay = log.decision(entry("pay", subjects=(subject,), session_id="s-1"))
    log.outcome(pay, "returned", 1)
    wipe = log.decision(entry("wipe", decision=DENIED))
    return [pay, wipe, log.event("stop")]


FILTERS: list[tuple[Filter, list[int]]] = [
    (Filter(), [0, 1, 2, 3, 4]),
    (Filter(kind="decision"), [1, 3]),
    (Filter(kind="outcome"), [2]),
    (Filter(tool="wipe"), [3]),
    (Filter(effect="allow"), [1]),
    (Filter(effect="deny", tool="pay"), []),
    (Filter(code="rule"), [1, 3]),
    (Filter(rule="pay/large"), [3]),
    (Filter(rule="pay/odd"), [3]),
    (Filter(rule="pay/night"), [3]),
    (Filter(subject="agent-7"), [1]),
    (Filter(session="s-1"), [1]),
    (Filter(since="2001-09-09T01:46:43"), [2, 3, 4]),
    (Filter(until="2001-09-09T01:46:43"), [0, 1]),
    (Filter(since="2001-09-10"), []),
]


@pytest.mark.parametrize(("wanted", "expected"), FILTERS)
def test_records_are_found_by_what_they_say(
    folder: Path, names: list[str], wanted: Filter, expected: list[int]
) -> None:
    assert [record.data["sequence"] for record in records(folder, wanted)] == expected


def test_a_decision_is_found_by_its_id_with_its_outcome(folder: Path, names: list[str]) -> None:
    found = list(records(folder, Filter(id=names[0])))
    assert [record.data["kind"] for record in found] == ["decision", "outcome"]
    assert [record.line for record in found] == [2, 3]
    assert [r.data["kind"] for r in records(folder, Filter(id=names[2]))] == ["stop"]


def test_lines_that_are_no_records_are_always_shown(
    folder: Path, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardrails.audit.reading.MAX_LINE", 3000)
    monkeypatch.setattr("guardrails.audit.reading._PATIENCE", 0)
    with next(folder.iterdir()).open("ab") as file:
        file.write(b"hello\n" + b"x" * 9000 + b"\n{")
    found = list(records(folder, Filter(tool="nothing")))
    assert [(record.line, record.problem) for record in found] == [
        (6, "not a record: it does not end in the hashes of one"),
        (7, "longer than any record"),
        (8, "cut off"),
    ]
    assert all(record.data == {} for record in found)


def test_a_file_that_can_not_be_read_is_shown_as_such(folder: Path, names: list[str]) -> None:
    os.mkfifo(folder / "x.jsonl")
    last = list(records(folder))[-1]
    assert (last.file, last.problem) == ("x.jsonl", "can't be read: not a regular file")


def test_odd_content_is_not_asked_for_and_never_crashes(folder: Path, names: list[str]) -> None:
    file = next(folder.iterdir())
    end = b',"prev":"' + b"0" * 64 + b'","hash":"' + b"0" * 64 + b'"}\n'
    odd = [
        b'{"sequence":9,"id":"a-9","kind":"x","result":[]',
        b'{"sequence":9,"id":"a-9","kind":"x","input":{"tool":["wipe"]}',
        b'{"sequence":9,"id":"a-9","kind":"x","result":{"matches":7,"errors":[1,{"rule":[]}]}',
    ]
    file.write_bytes(b"".join(line + end for line in odd))
    assert list(records(folder, Filter(tool="wipe"))) == []
    assert list(records(folder, Filter(rule="pay/large"))) == []
    assert len(list(records(folder))) == 3


def test_no_log_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LogDamaged, match="no such log file or folder"):
        list(records(tmp_path / "absent"))
