"""Every way to disturb a log is found, and named by file, line and record."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.audit.log import DecisionLog
from guardrails.audit.report import MAX_FINDINGS, Finding, Report
from guardrails.audit.verify import verify
from guardrails.errors import LogDamaged, LogUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardrails.audit.reading._PATIENCE", 0)


@pytest.fixture
def chain(folder: Path, call: Any) -> str:
    """A chain of start, three calls and an end: eight records."""
    log = DecisionLog(folder)
    name = ""
    for _ in range(3):
        name = call(log)
    log.close()
    return name.partition("-")[0]


def broken(path: Path) -> list[tuple[int, str, str]]:
    return [(f.line, f.record.partition("-")[2], f.message) for f in verify(path).broken]


def rehashed(line: bytes, **changes: Any) -> bytes:
    """A record changed by somebody who computes its hash anew."""
    data = {**json.loads(line), **changes}
    del data["hash"]
    data["prev"] = data.pop("prev")
    text = json.dumps(data, separators=(",", ":")).encode()[:-1]
    return text + b',"hash":"%b"}\n' % hashlib.sha256(text).hexdigest().encode()


def test_an_undisturbed_log_has_nothing_but_a_remark_on_its_tail(folder: Path, chain: str) -> None:
    report = verify(folder)
    assert report.intact
    assert (report.files, report.chains, report.records) == (1, 1, 8)
    (finding,) = report.findings
    assert finding == Finding(
        "remark",
        folder.name,
        0,
        "",
        "tail not proven: nobody can tell whether the last records of 1 chain were cut off; keep "
        "anchors elsewhere, or a seal",
    )


@pytest.mark.parametrize("index", range(8))
def test_an_altered_record_is_named(folder: Path, chain: str, written: Any, index: int) -> None:
    lines = written.lines()
    lines[index] = lines[index].replace(b'"timestamp":"2', b'"timestamp":"1')
    written.replace(lines)
    assert broken(folder) == [
        (index + 1, str(index), "altered: its content does not give its hash")
    ]


@pytest.mark.parametrize("index", range(7))
def test_an_altered_record_whose_hash_was_computed_anew_is_found_by_the_next(
    folder: Path, chain: str, written: Any, index: int
) -> None:
    lines = written.lines()
    lines[index] = rehashed(lines[index], timestamp="2001-01-01T00:00:00.000000Z")
    written.replace(lines)
    assert broken(folder) == [
        (index + 2, str(index + 1), f"does not follow record {index}, which stands before it")
    ]


@pytest.mark.parametrize("index", range(1, 7))
def test_a_removed_record_is_named(folder: Path, chain: str, written: Any, index: int) -> None:
    lines = written.lines()
    del lines[index]
    written.replace(lines)
    assert broken(folder) == [(index + 1, str(index), "missing before this line")]


def test_several_removed_records_are_named(folder: Path, chain: str, written: Any) -> None:
    lines = written.lines()
    del lines[2:5]
    written.replace(lines)
    message = "missing before this line, and so are the records up to 4"
    assert broken(folder) == [(3, "2", message)]


def test_a_removed_beginning_is_named(folder: Path, chain: str, written: Any) -> None:
    lines = written.lines()
    del lines[0]
    written.replace(lines)
    assert broken(folder) == [
        (1, "1", "the record that begins a file is missing before it"),
        (1, "0", "missing before this line"),
    ]


@pytest.mark.parametrize("index", range(8))
def test_a_repeated_record_is_named(folder: Path, chain: str, written: Any, index: int) -> None:
    lines = written.lines()
    lines.insert(index + 1, lines[index])
    written.replace(lines)
    assert (index + 2, str(index), "repeated") in broken(folder)


def test_reordered_records_are_named(folder: Path, chain: str, written: Any) -> None:
    lines = written.lines()
    lines[3], lines[4] = lines[4], lines[3]
    written.replace(lines)
    assert broken(folder) == [
        (4, "3", "missing before this line"),
        (5, "3", "out of order: its place is further up"),
    ]


def test_a_record_after_the_end_is_named(folder: Path, chain: str, written: Any) -> None:
    lines = written.lines()
    last = json.loads(lines[-1])
    extra = rehashed(lines[2], sequence=8, id=f"{chain}-8", prev=last["hash"])
    written.replace([*lines, extra])
    assert (9, "8", "comes after `end`, which is the last") in broken(folder)


def test_a_second_beginning_is_named(folder: Path, chain: str, written: Any) -> None:
    lines = written.lines()[:-1]
    last = json.loads(lines[-1])
    extra = rehashed(lines[0], sequence=7, id=f"{chain}-7", prev=last["hash"])
    written.replace([*lines, extra])
    assert broken(folder) == [(8, "7", "a `start` record that is not the first")]


def test_a_record_of_another_chain_is_named(
    folder: Path, chain: str, tmp_path: Path, call: Any, written: Any
) -> None:
    other = DecisionLog(tmp_path / "other")
    name = call(other)
    (foreign,) = (tmp_path / "other").glob("*.jsonl")
    lines = written.lines()
    lines.insert(3, foreign.read_bytes().splitlines(keepends=True)[1])
    written.replace(lines)
    (finding,) = verify(folder).broken
    assert (finding.line, finding.record) == (4, name)
    assert finding.message == f"belongs to another chain than {chain}"


JUNK: dict[str, tuple[bytes, str]] = {
    "an empty line": (b"\n", "not a record: it does not end in the hashes of one"),
    "no JSON": (b"hello\n", "not a record: it does not end in the hashes of one"),
    "a carriage return": (b"{}\r\n", "not a record: it does not end in the hashes of one"),
    "invalid UTF-8": (b"\xff\xfe\n", "not a record: it does not end in the hashes of one"),
    "NUL": (b"\x00" * 99 + b"\n", "not a record: it does not end in the hashes of one"),
}
TAIL = b',"prev":"' + b"0" * 64 + b'","hash":"' + b"0" * 64 + b'"}\n'
JUNK_WITH_HASHES: dict[str, tuple[bytes, str]] = {
    "a key twice": (
        b'{"sequence":1,"sequence":1,"id":"a-1","kind":"x"',
        "not a record: a key is given twice",
    ),
    "a key twice, deeper": (
        b'{"sequence":1,"id":"a-1","kind":"x","y":[{"z":1,"z":2}]',
        "not a record: a key is given twice",
    ),
    "NaN": (b'{"sequence":1,"id":"a-1","kind":"x","n":NaN', "not a record: "),
    "broken JSON": (b'{"sequence":1,"id":', "not a record: "),
    "invalid UTF-8 inside": (b'{"sequence":1,"id":"\xff"', "not a record: "),
    "NUL inside": (b'{"sequence":1,"id":"\x00"', "not a record: "),
    "deep JSON": (b'{"x":' + b"[" * 100_000 + b"]" * 100_000, "not a record: "),
    "a list": (b'[{"a":1', "not a record: "),
    "an endless number": (b'{"sequence":' + b"9" * 5000 + b',"id":"a-1","kind":"x"', "not "),
    "a number too great": (b'{"sequence":1e400,"id":"a-1","kind":"x"', "not "),
    "no sequence": (b'{"id":"a-1","kind":"x"', "not a record: it lacks a sequence, an id or a"),
    "a boolean sequence": (b'{"sequence":true,"id":"a-1","kind":"x"', "not a record: it lacks"),
    "a negative sequence": (b'{"sequence":-1,"id":"a--1","kind":"x"', "not a record: its id and"),
    "another id": (b'{"sequence":1,"id":"a-2","kind":"x"', "not a record: its id and its sequence"),
}


@pytest.mark.parametrize("name", [*JUNK, *JUNK_WITH_HASHES])
def test_a_line_that_is_no_record_is_named_and_never_crashes(
    folder: Path, chain: str, written: Any, name: str
) -> None:
    junk, message = JUNK.get(name) or JUNK_WITH_HASHES[name]
    lines = written.lines()
    lines.insert(2, junk if name in JUNK else junk + TAIL)
    written.replace(lines)
    ((line, _, found),) = broken(folder)
    assert line == 3
    assert found.startswith(message)


def test_a_record_in_another_form_of_json_is_read_and_its_hash_checked(
    folder: Path, chain: str, written: Any
) -> None:
    """What other versions of the writer's JSON library print differently is no damage."""
    lines = written.lines()
    text = lines[0].replace(b'"part":1', b'"part": 1').rpartition(b',"hash"')[0]
    digest = hashlib.sha256(text).hexdigest().encode()
    written.replace([text + b',"hash":"%b"}\n' % digest])
    assert broken(folder) == []


def test_hashes_in_capitals_are_not_hashes(folder: Path, chain: str, written: Any) -> None:
    lines = written.lines()
    body, _, end = lines[3].rpartition(b'"hash":"')
    lines[3] = body + b'"hash":"' + end[:64].upper() + end[64:]
    written.replace(lines)
    assert broken(folder)[0][0] == 4


def test_a_line_longer_than_any_record_is_skipped_without_reading_it_into_memory(
    folder: Path, chain: str, written: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("reading", "folder"):
        monkeypatch.setattr(f"guardrails.audit.{module}.MAX_LINE", 2000)
    lines = written.lines()
    lines.insert(2, b"x" * 9000 + b"\n")
    written.replace(lines)
    assert broken(folder) == [(3, "", "longer than any record")]
    written.replace([*lines[:3], b"x" * 9000])
    assert broken(folder) == [(3, "", "longer than any record"), (4, "", "longer than any record")]


def test_records_longer_than_a_block_are_read(folder: Path, entry: Any, call: Any) -> None:
    log = DecisionLog(folder)
    log.event("load", text="x" * 200_000)
    log.event("load", text="x" * 700_000)
    call(DecisionLog(folder))
    assert verify(folder).intact
    other = DecisionLog(folder.with_name("other"))
    other.event("load", text="x" * 200_000)
    assert verify(folder.with_name("other")).intact


def test_a_first_line_longer_than_a_block_is_read(
    folder: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(DecisionLog(folder))
    monkeypatch.setattr("guardrails.audit.folder._BLOCK", 50)
    call(DecisionLog(folder))
    report = verify(folder)
    assert report.intact
    assert report.chains == 2


def test_a_last_line_longer_than_any_record_is_a_problem_to_the_next_start(
    folder: Path, chain: str, written: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("reading", "folder"):
        monkeypatch.setattr(f"guardrails.audit.{module}.MAX_LINE", 2000)
    monkeypatch.setattr("guardrails.audit.folder._BLOCK", 500)
    with written.file.open("ab") as file:
        file.write(b"x" * 20_000 + b"\n")
    assert not verify(folder).intact
    call(DecisionLog(folder))
    assert not verify(folder).intact


def test_a_file_of_one_endless_line_does_not_crash(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("reading", "folder"):
        monkeypatch.setattr(f"guardrails.audit.{module}.MAX_LINE", 2000)
    folder.mkdir()
    (folder / "x.jsonl").write_bytes(b"x" * 9000)
    assert broken(folder) == [(1, "", "longer than any record")]
    (folder / "x.jsonl").write_bytes(b"x" * 9000 + b"\n")
    assert broken(folder) == [(1, "", "longer than any record")]


class Altered:
    """A log of two files and every byte of it."""

    def __init__(self, folder: Path, entry: Callable[..., Any]) -> None:
        self.folder = folder
        log = DecisionLog(folder, rotate_bytes=1500)
        for number in range(4):
            text = {"to": f'A"C\\M{number}', "amount": 12.5}
            log.outcome(log.decision(entry(arguments=text)), "returned", 7)
        self.files = sorted(folder.glob("*.jsonl"))
        self.content = [file.read_bytes() for file in self.files]
        self.size = sum(map(len, self.content))

    def broken_with(self, at: int, flipped: int) -> bool:
        for file, content in zip(self.files, self.content, strict=True):
            if at < len(content):
                byte = bytes([content[at] ^ flipped])
                file.write_bytes(content[:at] + byte + content[at + 1 :])
                try:
                    return not verify(self.folder).intact
                finally:
                    file.write_bytes(content)
            at -= len(content)
        raise AssertionError(at)


@pytest.fixture(scope="module")
def altered(tmp_path_factory: pytest.TempPathFactory, entry: Any) -> Altered:
    return Altered(tmp_path_factory.mktemp("altered"), entry)


@settings(max_examples=400)
@given(st.data())
def test_any_single_byte_that_is_altered_anywhere_is_found(
    altered: Altered, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, altered.size - 1))
    assert altered.broken_with(at, data.draw(st.integers(1, 255)))


def test_every_bit_of_the_last_record_is_covered(altered: Altered) -> None:
    """The last record has no successor that names it; its own hash holds it."""
    last = len(altered.content[-1].splitlines(keepends=True)[-1])
    for back in range(1, last + 1):
        assert altered.broken_with(altered.size - back, 0x20), back


def test_a_removed_file_is_missed_by_the_chain_that_named_it(
    folder: Path, chain: str, call: Any, written: Any
) -> None:
    first = written.file
    second = call(DecisionLog(folder)).partition("-")[0]
    first.unlink()
    (finding,) = verify(folder).broken
    assert finding.file == first.name
    assert finding.message == f"the file is gone; record {second}-0 names it"


def test_a_file_cut_at_a_line_is_missed_by_the_chain_that_named_it(
    folder: Path, chain: str, call: Any, written: Any
) -> None:
    first = written.file
    second = call(DecisionLog(folder)).partition("-")[0]
    written.replace(written.lines(first)[:-2], first)
    (finding,) = verify(folder).broken
    assert finding.record == f"{chain}-7"
    assert finding.message == f"is gone; record {second}-0 names it"


def test_a_wholly_rewritten_file_is_missed_by_the_chain_that_named_it(
    folder: Path, chain: str, call: Any, written: Any
) -> None:
    first = written.file
    second = call(DecisionLog(folder)).partition("-")[0]
    rewrite(first)
    (finding,) = verify(folder).broken
    assert finding.record == f"{chain}-7"
    assert finding.message == f"is not the record that record {second}-0 names"


def rewrite(file: Path) -> None:
    """Change the amounts in a file and compute every hash anew, as an insider would."""
    prev, lines = "0" * 64, []
    for line in file.read_bytes().splitlines():
        data = json.loads(line.replace(b'"amount":12', b'"amount":11'))
        lines.append(rehashed(json.dumps(data).encode(), prev=prev))
        prev = json.loads(lines[-1])["hash"]
    file.write_bytes(b"".join(lines))


def test_a_wholly_rewritten_last_file_can_not_be_seen_without_anchors(
    folder: Path, chain: str, written: Any
) -> None:
    """The honest limit, which the remark on the tail tells."""
    rewrite(written.file)
    assert verify(folder).intact


@pytest.fixture
def rotated(folder: Path, call: Any) -> list[Path]:
    log = DecisionLog(folder, rotate_bytes=1500)
    for _ in range(6):
        call(log)
    files = sorted(folder.glob("*.jsonl"))
    assert len(files) >= 3
    return files


def test_a_removed_file_in_the_middle_of_a_chain_is_missed(
    folder: Path, rotated: list[Path]
) -> None:
    rotated[1].unlink()
    messages = [f.message for f in verify(folder).broken]
    assert any(m.startswith("the file is gone; record ") for m in messages)
    assert f"the file is gone; the last record of {rotated[0].name} names it" in messages
    assert any(m.startswith("missing before this line") for m in messages)


def test_a_removed_last_file_of_a_rotated_chain_is_missed(
    folder: Path, rotated: list[Path]
) -> None:
    rotated[-1].unlink()
    (finding,) = verify(folder).broken
    assert finding.file == rotated[-1].name
    assert finding.message == (f"the file is gone; the last record of {rotated[-2].name} names it")


def test_a_last_file_that_is_empty_is_an_interrupted_rotation(
    folder: Path, rotated: list[Path]
) -> None:
    rotated[-1].write_bytes(b"")
    report = verify(folder)
    assert report.intact
    assert "empty: a start was interrupted here" in [f.message for f in report.remarks]


def test_a_file_given_twice_is_named(folder: Path, rotated: list[Path]) -> None:
    shutil.copyfile(rotated[1], folder / "copy.jsonl")
    (finding,) = verify(folder).broken
    assert finding.message.startswith("holds the same part of the chain as ")


def test_one_file_of_a_chain_is_verified_by_itself(rotated: list[Path]) -> None:
    report = verify(rotated[1])
    assert report.intact
    remarks = [f.message for f in report.remarks]
    assert remarks[0] == "the chain begins in an earlier file, which was not read"
    assert verify(rotated[0]).intact
    lines = rotated[1].read_bytes().splitlines(keepends=True)
    rotated[1].write_bytes(b"".join(lines[:1] + lines[2:]))
    assert not verify(rotated[1]).intact


def test_a_renamed_file_is_remarked_and_still_found_by_those_that_name_it(
    folder: Path, chain: str, call: Any, written: Any
) -> None:
    first = written.file
    call(DecisionLog(folder))
    first.rename(folder / "renamed.jsonl")
    report = verify(folder)
    assert report.intact
    assert f"the file was written under the name {first.name}" in [
        f.message for f in report.remarks
    ]


def test_files_that_were_moved_to_a_folder_below_are_verified_with_the_others(
    folder: Path, chain: str, call: Any, written: Any
) -> None:
    (folder / "2026").mkdir()
    written.file.rename(folder / "2026" / written.file.name)
    call(DecisionLog(folder))
    report = verify(folder)
    assert report.intact
    assert report.files == 2


def test_decisions_without_an_outcome_are_remarked(folder: Path, entry: Any, denied: Any) -> None:
    log = DecisionLog(folder)
    log.decision(entry(decision=denied))
    first = log.decision(entry())
    log.decision(entry(decision=denied, enforced=False))
    log.decision(entry(decision=denied, approvers=("dana",)))
    remark = verify(folder).remarks[0]
    assert remark.record == first
    assert remark.message == "no outcome of this call is recorded (3 such in all)"


def test_many_decisions_without_an_outcome_are_counted_up_to_a_bound(
    folder: Path, entry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardrails.audit.check._OPEN", 2)
    log = DecisionLog(folder)
    names = [log.decision(entry()) for _ in range(4)]
    log.outcome(names[3], "returned", 1)
    assert [f.message for f in verify(folder).remarks][:1] == [
        "no outcome of this call is recorded (2 or more such in all)"
    ]


@pytest.mark.parametrize(
    "decision", ["other-1", "1", "x-y", "CHAIN-0", "CHAIN-99", "CHAIN-" + "9" * 30]
)
def test_an_outcome_of_no_call_under_way_is_remarked(
    folder: Path, entry: Any, decision: str
) -> None:
    log = DecisionLog(folder)
    chain = log.event("load").partition("-")[0]
    log.outcome(decision.replace("CHAIN", chain), "returned", 1)
    messages = [f.message for f in verify(folder).remarks]
    assert messages[0] == "the outcome of a call that is not under way in this chain"


def test_time_that_runs_backwards_is_remarked(folder: Path) -> None:
    times = iter([5 * 10**18, 5 * 10**18, 5 * 10**18, 4 * 10**18, 5 * 10**18])
    log = DecisionLog(folder, clock=lambda: next(times))
    log.event("load")
    log.event("stop")
    report = verify(folder)
    assert report.intact
    assert "earlier than the record before it" in [f.message for f in report.remarks]


def test_a_path_without_logs_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LogDamaged, match="no such log file or folder"):
        verify(tmp_path / "absent")
    with pytest.raises(LogDamaged, match=r"no log files \(`\*.jsonl`\) in this folder"):
        verify(tmp_path)


@pytest.mark.parametrize("make", ["folder", "fifo", "loop"])
def test_what_is_no_regular_file_is_broken_and_does_not_hang(
    folder: Path, chain: str, make: str
) -> None:
    odd = folder / "odd.jsonl"
    if make == "folder":
        odd.mkdir()
    elif make == "fifo":
        os.mkfifo(odd)
    else:
        odd.symlink_to(odd)
    report = verify(folder)
    if make == "folder":
        assert report.intact  # a folder is looked into, not read as a file
    else:
        (finding,) = report.broken
        assert finding.file == "odd.jsonl"
        why = {"fifo": "not a regular file", "loop": "Too many levels of symbolic links"}
        assert finding.message == f"can't be read: {why[make]}"
    DecisionLog(folder).event("load")


def test_a_hostile_log_can_not_flood_the_report(folder: Path) -> None:
    folder.mkdir()
    (folder / "x.jsonl").write_bytes(b"x\n" * (MAX_FINDINGS + 500))
    report = verify(folder)
    assert len(report.broken) == MAX_FINDINGS
    assert report.omitted == 500
    assert not report.intact


HOSTILE: list[dict[str, Any]] = [
    {"after": "x"},
    {"after": [1, {}, {"file": 1}, {"file": "a"}, {"file": "a", "sequence": "x", "hash": ""}]},
    {"after": [{"file": "a.jsonl", "sequence": 1, "hash": None}]},
    {"after": [{"file": "a.jsonl", "sequence": None, "hash": None, "cut": 7}]},
    {"file": 7, "part": "x", "chain": None},
    {"part": -5, "sealed": 3},
    {"sealed": {"key_id": 1, "epoch": "x"}},
    {"sealed": {"key_id": "x", "epoch": -1}},
    {"timestamp": 5, "labels": []},
]


@pytest.mark.parametrize("change", HOSTILE)
def test_a_first_record_of_odd_content_never_crashes(
    folder: Path, chain: str, written: Any, change: dict[str, Any]
) -> None:
    lines = written.lines()
    lines[0] = rehashed(lines[0], **change)
    written.replace(lines)
    assert (2, "1", "does not follow record 0, which stands before it") in broken(folder)
    log = DecisionLog(folder)
    if "sealed" in change:
        with pytest.raises(LogUnavailable, match=r"the log is sealed, and `seal.key` is gone"):
            log.event("load")
    else:
        log.event("load")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "outcome", "decision_id": 5},
        {"kind": "decision", "result": []},
        {"kind": "rotate", "next": 5},
        {"kind": "rotate", "next": "../../etc/passwd"},
        {"kind": "rotate", "next": "x" * 5000},
        {"kind": "rotate", "next": "\x00"},
        {"kind": "gap"},
        {"timestamp": None},
    ],
)
def test_a_record_of_odd_content_never_crashes(
    folder: Path, chain: str, written: Any, change: dict[str, Any]
) -> None:
    lines = written.lines()
    lines[3] = rehashed(lines[3], **change)
    written.replace(lines)
    assert not verify(folder).intact


@settings(max_examples=200)
@given(content=st.lists(st.binary(max_size=200), max_size=5).map(b"\n".join))
def test_no_content_makes_verify_raise(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "x.jsonl").write_bytes(content)
    assert isinstance(verify(folder), Report)


def test_findings_print_as_a_place_a_record_and_what_is_wrong() -> None:
    finding = Finding("broken", "a.jsonl", 3, "ab-2", "repeated")
    assert str(finding) == "a.jsonl:3: ab-2: repeated"
    assert str(Finding("remark", "a\x1b.jsonl", 0, "", "empty")) == r"a\x1b.jsonl: empty"


def test_a_report_prints_as_json(folder: Path, chain: str) -> None:
    data = verify(folder).as_json()
    assert json.loads(json.dumps(data)) == data
    assert data["intact"] is True
    assert data["findings"][0]["severity"] == "remark"


def test_a_record_that_is_just_being_written_is_waited_for(
    folder: Path, chain: str, written: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = written.lines()
    written.replace([*lines[:-1], lines[-1][:20]])

    def finish(seconds: float) -> None:
        with written.file.open("ab") as file:
            file.write(lines[-1][20:])

    monkeypatch.setattr("guardrails.audit.reading.time.sleep", finish)
    assert verify(folder).intact
    assert verify(folder).records == 8


def test_a_chain_that_rotates_while_it_is_verified_is_not_missed(
    folder: Path, entry: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("guardrails.audit.verify")
    log = DecisionLog(folder, rotate_bytes=3000)
    call(log)
    real = module.find_logs

    def find_logs(path: Path) -> list[Path]:
        found: list[Path] = real(path)
        for _ in range(10):
            call(log)
        return found

    monkeypatch.setattr(module, "find_logs", find_logs)
    assert verify(folder).intact


def test_a_gigabyte_is_verified_without_holding_it(
    folder: Path, chain: str, written: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines are asked for one by one: nothing reads a file as a whole."""
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("read as a whole"))
    monkeypatch.setattr(Path, "read_text", lambda self: pytest.fail("read as a whole"))
    assert verify(folder).records == 8
