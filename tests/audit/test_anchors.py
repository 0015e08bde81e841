"""Anchors kept elsewhere: what was there once must still be there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.audit.anchors import Anchor, Head, head, read_head
from guardrails.audit.log import DecisionLog
from guardrails.audit.verify import verify
from guardrails.errors import LogDamaged

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def log(folder: Path, call: Any) -> DecisionLog:
    log = DecisionLog(folder)
    for _ in range(3):
        call(log)
    return log


def messages(folder: Path, anchors: Head) -> list[str]:
    return [f.message for f in verify(folder, anchors).broken]


def test_anchors_name_the_last_record_of_every_chain(
    folder: Path, log: DecisionLog, call: Any, written: Any
) -> None:
    other = DecisionLog(folder)
    name = call(other)
    anchors = head(folder).anchors
    assert [anchor.sequence for anchor in anchors] in ([6, 2], [2, 6])
    found = next(anchor for anchor in anchors if anchor.sequence == 2)
    assert found.chain == name.partition("-")[0]
    last = [json.loads(written.lines(file)[-1])["hash"] for file in written.files]
    assert {anchor.hash for anchor in anchors} == set(last)
    assert {anchor.file for anchor in anchors} == {file.name for file in written.files}


def test_anchors_name_only_the_last_file_of_a_rotated_chain(folder: Path, call: Any) -> None:
    log = DecisionLog(folder, rotate_bytes=1000)
    for _ in range(5):
        call(log)
    (anchor,) = head(folder).anchors
    assert anchor.file == max(folder.iterdir()).name


def test_anchors_are_read_from_the_text_they_print(folder: Path, log: DecisionLog) -> None:
    anchors = head(folder)
    assert read_head(anchors.text) == anchors
    assert read_head(anchors.text.encode()) == anchors


def test_a_tail_that_anchors_hold_is_proven(folder: Path, log: DecisionLog) -> None:
    assert verify(folder, head(folder)).findings == ()


def test_records_after_the_anchors_are_fine_and_their_tail_is_not_proven(
    folder: Path, log: DecisionLog, call: Any
) -> None:
    anchors = head(folder)
    call(log)
    report = verify(folder, anchors)
    assert report.intact
    assert report.findings[0].message.startswith("tail not proven")


def test_a_cut_off_tail_is_found(folder: Path, log: DecisionLog, written: Any) -> None:
    anchors = head(folder)
    written.replace(written.lines()[:-2])
    (finding,) = verify(folder, anchors).broken
    assert finding.record.endswith("-6")
    assert finding.message == "is gone; the anchor names it"


def test_a_wholly_rewritten_file_is_found(
    folder: Path, log: DecisionLog, written: Any, entry: Any
) -> None:
    anchors = head(folder)
    other = DecisionLog(folder.with_name("other"), clock=lambda: 1)
    for _ in range(6):
        other.decision(entry("harmless"))
    (forged,) = folder.with_name("other").iterdir()
    written.file.write_bytes(forged.read_bytes())
    found = messages(folder, anchors)
    assert any(message.endswith("the anchor names it") or "anchor" in message for message in found)


def test_a_removed_file_is_found(folder: Path, log: DecisionLog, call: Any, written: Any) -> None:
    anchors = head(folder)
    written.file.unlink()
    call(DecisionLog(folder))
    assert messages(folder, anchors)[0] == "the file is gone; the anchor names it"


def test_a_removed_log_whose_anchor_is_retired_is_a_remark_also_where_others_name_it(
    folder: Path, log: DecisionLog, call: Any, written: Any
) -> None:
    gone = written.file
    call(DecisionLog(folder))
    anchors = Head(
        tuple(replace(a, retired=True) if a.file == gone.name else a for a in head(folder).anchors)
    )
    gone.unlink()
    report = verify(folder, read_head(anchors.text))
    assert report.intact
    assert [f.message.partition(";")[0] for f in report.remarks[:2]] == ["retired", "retired"]
    assert not verify(folder).intact


def test_a_single_file_is_held_against_its_own_anchor_alone(
    folder: Path, log: DecisionLog, call: Any, written: Any
) -> None:
    first = written.file
    call(DecisionLog(folder))
    assert verify(first, head(folder)).findings == ()
    written.replace(written.lines(first)[:-1], first)
    assert not verify(first, head(folder.with_name("log"))).broken
    assert head(first).anchors[0].sequence == 5


def test_a_log_that_can_not_be_read_has_no_anchors(folder: Path, log: DecisionLog) -> None:
    (folder / "x.jsonl").write_text("hello\n")
    with pytest.raises(LogDamaged, match=r"x.jsonl: not a record.*`guardrails audit verify`"):
        head(folder)


def test_an_interrupted_start_has_no_anchor(folder: Path, log: DecisionLog) -> None:
    (folder / "x.jsonl").write_text("")
    assert len(head(folder).anchors) == 1


GOOD: dict[str, Any] = {"chain": "c", "file": "f", "sequence": 1, "hash": "h"}


def test_an_anchor_may_leave_out_what_it_has_by_default() -> None:
    text = json.dumps({"format": 1, "anchors": [GOOD]})
    assert read_head(text) == Head((Anchor("c", "f", 1, "h"),))


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"format":2,"anchors":[]}', '{"format":1}', '{"format":1,"anchors":{}}',
        '{"format":1,"anchors":[],"more":1}', '{"format":1,"format":1,"anchors":[]}', "\ud800",
        '{"format":NaN,"anchors":[]}', "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_anchors_is_refused(text: str) -> None:
    with pytest.raises(LogDamaged):
        read_head(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "anchor",
    [
        None, [], {}, {**GOOD, "sequence": "1"}, {**GOOD, "sequence": True}, {**GOOD, "hash": None},
        {**GOOD, "epoch": "x"}, {**GOOD, "retired": 1}, {**GOOD, "retire": True},
        {k: v for k, v in GOOD.items() if k != "file"},
    ],
)  # fmt: skip
def test_what_is_no_anchor_is_refused(anchor: Any) -> None:
    with pytest.raises(LogDamaged, match="not an anchor of a log"):
        read_head(json.dumps({"format": 1, "anchors": [anchor]}))
