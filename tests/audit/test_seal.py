"""The seal: whoever takes the writer over later can't rewrite what was."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.audit.anchors import Head, head
from guardrails.audit.log import DecisionLog
from guardrails.audit.seal import (
    AuditKey,
    SealState,
    chain_key,
    init_seal,
    next_epoch,
    next_record,
    read_state,
    read_tail,
)
from guardrails.audit.verify import verify
from guardrails.errors import ConfigurationError, LogDamaged, LogUnavailable

if TYPE_CHECKING:
    from pathlib import Path

FORKS = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
"""Python 3.12 warns of a fork beside threads, which is what these tests are about."""


@pytest.fixture
def key(folder: Path) -> AuditKey:
    return init_seal(folder)


@pytest.fixture
def log(folder: Path, key: AuditKey, call: Any) -> DecisionLog:
    """A sealed chain of seven records, still open."""
    log = DecisionLog(folder)
    for _ in range(3):
        call(log)
    return log


def broken(folder: Path, key: AuditKey, anchors: Head | None = None) -> list[str]:
    return [f.message for f in verify(folder, anchors, key).broken]


def resealed(lines: list[bytes], key: bytes, first: int = 0) -> list[bytes]:
    """Records whose hashes and seals are made anew, with `key` for the record `first`."""
    prev, out = "0" * 64, []
    for number, line in enumerate(lines):
        data = json.loads(line)
        seal = data.pop("seal")
        del data["hash"], data["prev"]
        text = json.dumps({**data, "prev": prev}, separators=(",", ":")).encode()[:-1]
        if number >= first:
            seal = hmac.new(key, text, "sha256").hexdigest()
            key = next_record(key)
        text += b',"seal":"%b"' % seal.encode()
        prev = hashlib.sha256(text).hexdigest()
        out.append(text + b',"hash":"%b"}\n' % prev.encode())
    return out


def test_a_sealed_log_that_nobody_disturbed_is_proven_to_its_end(
    folder: Path, key: AuditKey, log: DecisionLog
) -> None:
    assert verify(folder, key=key).findings == ()
    log.close()
    assert verify(folder, key=key).findings == ()


def test_without_the_key_the_chain_is_verified_and_the_seal_remarked(
    folder: Path, log: DecisionLog
) -> None:
    report = verify(folder)
    assert report.intact
    assert report.remarks[-1].message == "sealed; only the audit key can prove the seals"


def test_every_record_is_sealed_with_a_key_of_its_own_as_the_documents_say(
    folder: Path, key: AuditKey, log: DecisionLog, written: Any
) -> None:
    record_key = chain_key(key.first, json.loads(written.lines()[0])["chain"])
    for line in written.lines():
        text, _, rest = line.partition(b',"seal":"')
        assert rest[:64].decode() == hmac.new(record_key, text, "sha256").hexdigest()
        record_key = hashlib.sha256(b"guardrails record\0" + record_key).digest()


def test_neither_memory_nor_disk_hold_an_earlier_key(
    folder: Path, key: AuditKey, log: DecisionLog, written: Any
) -> None:
    chain = json.loads(written.lines()[0])["chain"]
    keys = [chain_key(key.first, chain)]
    while len(keys) < 8:
        keys.append(next_record(keys[-1]))
    sealer = log._writer._chain.sealer  # type: ignore[union-attr]
    assert sealer._key == keys[7]  # type: ignore[union-attr]
    state = (folder / "seal.key").read_text()
    assert key.first.hex() not in state
    assert next_epoch(key.first).hex() in state
    assert all(k.hex() not in state for k in keys)
    assert (folder / "seal.key").stat().st_mode & 0o077 == 0


def test_a_taken_over_writer_can_not_rewrite_an_earlier_record(
    folder: Path, key: AuditKey, log: DecisionLog, written: Any
) -> None:
    stolen = log._writer._chain.sealer._key  # type: ignore[union-attr]
    lines = [line.replace(b'"amount":12', b'"amount":11') for line in written.lines()]
    written.replace(resealed(lines, stolen))
    report = verify(folder, key=key)
    assert [f.message for f in report.broken[:7]] == ["its seal is wrong: forged or altered"] * 7
    assert [f.line for f in report.broken[:7]] == [1, 2, 3, 4, 5, 6, 7]
    assert verify(folder).intact  # the hashes alone would not tell


def test_a_record_that_was_changed_and_hashed_anew_is_named(
    folder: Path, key: AuditKey, log: DecisionLog, written: Any
) -> None:
    lines = written.lines()
    lines[3] = lines[3].replace(b'"amount":12', b'"amount":11')
    written.replace(resealed(lines, b"", first=99))
    report = verify(folder, key=key)
    assert report.broken[0].line == 4
    assert report.broken[0].message == "its seal is wrong: forged or altered"


def test_a_cut_off_tail_of_a_live_chain_is_found(
    folder: Path, key: AuditKey, log: DecisionLog, written: Any
) -> None:
    written.replace(written.lines()[:-2])
    (finding,) = verify(folder, key=key).broken
    assert finding.record.endswith("-6")
    assert finding.message == "is gone from the end; the chain's tail proves it"


def test_a_tail_that_was_set_back_to_hide_a_cut_is_found(
    folder: Path, key: AuditKey, log: DecisionLog, written: Any
) -> None:
    written.replace(written.lines()[:-2])
    (tail,) = folder.glob("*.tail")
    tail.write_bytes(tail.read_bytes().replace(b"%020d" % 6, b"%020d" % 4))
    assert broken(folder, key) == ["is not what the chain's tail proves"]


def test_a_tail_that_is_gone_is_found(folder: Path, key: AuditKey, log: DecisionLog) -> None:
    (tail,) = folder.glob("*.tail")
    tail.unlink()
    assert broken(folder, key) == ["the tail of this sealed chain is gone"]


@pytest.mark.parametrize("content", [b"", b"x", b"1 2\n", b"%020d %b" % (6, b"a" * 64)])
def test_a_tail_of_another_form_is_found(
    folder: Path, key: AuditKey, log: DecisionLog, content: bytes
) -> None:
    (tail,) = folder.glob("*.tail")
    tail.write_bytes(content)
    assert "not the tail of a sealed chain" in broken(folder, key)


def test_a_tail_that_can_not_be_read_is_found(
    folder: Path, key: AuditKey, log: DecisionLog
) -> None:
    (tail,) = folder.glob("*.tail")
    tail.unlink()
    tail.mkdir()
    assert "can't be read: Is a directory" in broken(folder, key)


def test_a_crash_before_the_tail_of_the_last_record_is_fine(
    folder: Path, key: AuditKey, log: DecisionLog, call: Any
) -> None:
    (tail,) = folder.glob("*.tail")
    before = tail.read_bytes()
    log.event("stop")
    tail.write_bytes(before)
    assert verify(folder, key=key).findings == ()


def test_a_crash_before_the_first_tail_is_fine(folder: Path, key: AuditKey) -> None:
    log = DecisionLog(folder)
    log.event("load")
    (tail,) = folder.glob("*.tail")
    (file,) = folder.glob("*.jsonl")
    tail.unlink()
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])
    assert broken(folder, key) == []


def test_a_removed_chain_is_found_by_the_epoch_that_began_it(
    folder: Path, key: AuditKey, log: DecisionLog, written: Any
) -> None:
    log.close()
    for path in [*folder.glob("*.jsonl"), *folder.glob("*.tail")]:
        path.unlink()
    DecisionLog(folder).event("load")
    assert "the chain that was begun in epoch 0 of the seal is gone" in broken(folder, key)


def test_the_state_can_not_be_set_back_to_hide_a_removed_chain(
    folder: Path, key: AuditKey, log: DecisionLog
) -> None:
    state = read_state(folder / "seal.key")
    (folder / "seal.key").write_bytes(SealState(state.id, 0, state.key).encode())
    assert broken(folder, key) == ["the seal's key is not that of its epoch"]


def test_a_state_of_another_seal_is_found(
    folder: Path, key: AuditKey, log: DecisionLog, tmp_path: Path
) -> None:
    init_seal(tmp_path / "other")
    shutil.copyfile(tmp_path / "other" / "seal.key", folder / "seal.key")
    assert broken(folder, key) == ["the seal's key is not of this audit key"]


def test_a_missing_state_is_found_and_stops_the_next_start(
    folder: Path, key: AuditKey, log: DecisionLog
) -> None:
    (folder / "seal.key").unlink()
    (message,) = broken(folder, key)
    assert message.endswith("seal.key: the seal's key can't be read: No such file or directory")
    with pytest.raises(LogUnavailable, match=r"the log is sealed, and `seal.key` is gone"):
        DecisionLog(folder).event("load")
    log.event("stop")  # a chain that was begun needs the file no more


def damaged_states() -> dict[str, bytes]:
    good = SealState("ab", 3, b"k" * 32).encode()
    return {
        "empty": b"",
        "cut": good[:-10],
        "another epoch": good.replace(b'"epoch":3', b'"epoch":2'),
        "no object": b"[]",
        "no check": b"{}",
        "a short key": SealState("ab", 3, b"k").encode(),
        "a text as epoch": SealState("ab", "3", b"k" * 32).encode(),  # type: ignore[arg-type]
        "no hex": good.replace(b"6b", b"zz"),
    }


@pytest.mark.parametrize("name", damaged_states())
def test_a_damaged_state_stops_the_start(folder: Path, key: AuditKey, name: str) -> None:
    (folder / "seal.key").write_bytes(damaged_states()[name])
    with pytest.raises(LogUnavailable, match="the seal's key is damaged"):
        DecisionLog(folder).event("load")
    assert not list(folder.glob("*.jsonl"))


def test_a_seal_that_is_configured_must_be_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable, match="the seal's key can't be read"):
        DecisionLog(folder, seal=tmp_path / "absent.key").event("load")


def test_the_writers_file_may_lie_elsewhere(folder: Path, tmp_path: Path, call: Any) -> None:
    (tmp_path / "keys").mkdir()
    state = tmp_path / "keys" / "writer.key"
    key = init_seal(folder, seal=state)
    call(DecisionLog(folder, seal=state))
    assert verify(folder, key=key, seal=state).findings == ()
    assert read_state(state).epoch == 1


@FORKS
def test_every_chain_and_fork_has_an_epoch_of_its_own(
    folder: Path, key: AuditKey, log: DecisionLog, call: Any
) -> None:
    call(DecisionLog(folder))
    child = os.fork()
    if child == 0:
        try:
            call(log)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    report = verify(folder, key=key)
    assert report.findings == ()
    assert report.chains == 3
    assert read_state(folder / "seal.key").epoch == 3


def test_a_rotated_chain_is_sealed_throughout(folder: Path, key: AuditKey, call: Any) -> None:
    log = DecisionLog(folder, rotate_bytes=1500)
    for _ in range(6):
        call(log)
    files = sorted(folder.glob("*.jsonl"))
    assert verify(folder, key=key).findings == ()
    assert len(list(folder.glob("*.tail"))) == 1
    assert verify(files[1], key=key).intact
    assert verify(files[-1], key=key).intact


def test_a_single_file_is_verified_with_its_seals(
    folder: Path, key: AuditKey, log: DecisionLog, written: Any
) -> None:
    assert verify(written.file, key=key).findings == ()
    lines = [line.replace(b'"amount":12', b'"amount":11') for line in written.lines()]
    written.replace(resealed(lines, b"guess"))
    assert not verify(written.file, key=key).intact


def test_durability_of_the_disk_seals_too(folder: Path, key: AuditKey, call: Any) -> None:
    call(DecisionLog(folder, durability="disk"))
    assert verify(folder, key=key).findings == ()


def test_another_audit_key_is_told_from_a_broken_seal(folder: Path, log: DecisionLog) -> None:
    assert broken(folder, AuditKey(b"x" * 32)) == [
        "sealed with another key than this one",
        "the seal's key is not of this audit key",
    ]


def test_a_record_without_a_seal_in_a_sealed_chain_is_found(
    folder: Path, key: AuditKey, log: DecisionLog, written: Any
) -> None:
    lines = written.lines()
    data = json.loads(lines[-1])
    del data["hash"], data["seal"]
    text = json.dumps(data, separators=(",", ":")).encode()[:-1]
    lines[-1] = text + b',"hash":"%b"}\n' % hashlib.sha256(text).hexdigest().encode()
    written.replace(lines)
    assert broken(folder, key)[0] == "not sealed, in a chain that is"


def test_a_chain_older_than_the_seal_is_held_by_the_first_sealed_record(
    folder: Path, call: Any
) -> None:
    for _ in range(3):
        old = DecisionLog(folder, rotate_bytes=1000)
        call(old)
        call(old)
        old.close()
    key = init_seal(folder)
    call(DecisionLog(folder))
    report = verify(folder, key=key)
    assert report.intact
    assert [f.message[:15] for f in report.findings] == ["tail not proven"]


def test_a_chain_without_a_seal_that_is_no_older_is_found(
    folder: Path, key: AuditKey, log: DecisionLog, tmp_path: Path, call: Any
) -> None:
    call(DecisionLog(tmp_path / "forged"))
    (forged,) = (tmp_path / "forged").iterdir()
    shutil.copy(forged, folder)
    call(DecisionLog(folder))  # a later sealed chain names it, which proves nothing
    (finding,) = verify(folder, key=key).broken
    assert (finding.file, finding.line) == (forged.name, 1)
    assert finding.message == "not sealed, nor older than the seal"
    # An auditor's own anchor is another matter.
    assert verify(folder, head(forged), key).intact


def test_records_that_an_open_chain_adds_after_the_seal_are_found(folder: Path, call: Any) -> None:
    old = DecisionLog(folder)
    call(old)
    key = init_seal(folder)
    call(DecisionLog(folder))
    call(old)
    (finding,) = verify(folder, key=key).broken
    assert finding.line == 4


def test_a_sealed_chain_whose_anchor_is_retired_may_be_gone(
    folder: Path, key: AuditKey, log: DecisionLog, call: Any
) -> None:
    anchors = Head(tuple(replace(anchor, retired=True) for anchor in head(folder).anchors))
    assert anchors.anchors[0].epoch == 0
    log.close()
    for path in [*folder.glob("*.jsonl"), *folder.glob("*.tail")]:
        path.unlink()
    call(DecisionLog(folder))
    assert verify(folder, anchors, key).intact
    assert not verify(folder, key=key).intact


@pytest.mark.parametrize("epoch", [10_000_001, 2**63])
def test_an_epoch_that_never_was_costs_no_time(
    folder: Path, key: AuditKey, log: DecisionLog, written: Any, epoch: int
) -> None:
    lines = written.lines()
    data = json.loads(lines[0])
    data["sealed"]["epoch"] = epoch
    lines[0] = json.dumps(data, separators=(",", ":")).encode() + b"\n"
    written.replace(resealed(lines, b""))
    began = time.monotonic()
    assert "sealed in an epoch that never was" in broken(folder, key)
    assert time.monotonic() - began < 5


def test_keys_are_found_for_late_epochs(folder: Path) -> None:
    from guardrails.audit.seal_check import EpochKeys

    keys, key = EpochKeys(b"k" * 32), b"k" * 32
    for epoch in range(2500):
        if epoch in (0, 1, 1023, 1024, 1025, 2049):
            assert keys.at(epoch) == key
        key = next_epoch(key)
    assert keys.at(2500) == key
    assert keys.at(3) == EpochKeys(b"k" * 32).at(3)


def test_too_many_missing_records_end_the_check_of_seals(
    folder: Path, key: AuditKey, log: DecisionLog, written: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardrails.audit.seal_check._MAX_STEPS", 2)
    lines = written.lines()
    del lines[1:5]
    written.replace(lines)
    assert "too many records are missing to check the seals" in broken(folder, key)


def test_a_start_that_was_interrupted_before_the_seal_stepped_is_remarked(
    folder: Path, key: AuditKey, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("guardrails.audit.writer.write_state", crash)
        with pytest.raises(KeyboardInterrupt):
            DecisionLog(folder).event("load")
    call(DecisionLog(folder))
    report = verify(folder, key=key)
    assert report.intact
    assert "2 chains were begun in epoch 0 of the seal; a start was interrupted" in [
        f.message for f in report.remarks
    ]


def test_two_chains_of_one_epoch_are_found(
    folder: Path, key: AuditKey, log: DecisionLog, call: Any
) -> None:
    """A writer whose key file was copied, or set back, began both."""
    (folder / "seal.key").write_bytes(SealState(key.id, 0, key.first).encode())
    call(DecisionLog(folder))
    assert broken(folder, key) == ["2 chains were begun in epoch 0 of the seal"]


def test_a_seal_that_can_not_step_forward_begins_no_chain(
    folder: Path, key: AuditKey, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    log = DecisionLog(folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(LogUnavailable, match="the seal can't step forward: No space left"):
            call(log)
    assert [path.name for path in folder.iterdir()] == ["seal.key"]
    assert read_state(folder / "seal.key").epoch == 0
    call(log)
    assert verify(folder, key=key).intact


def test_a_chain_that_can_not_be_begun_takes_no_epoch(
    folder: Path, key: AuditKey, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    log = DecisionLog(folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fail)
        with pytest.raises(LogUnavailable, match=r"\.tail: can't be written: No space left"):
            call(log)
    assert [path.name for path in folder.iterdir()] == ["seal.key"]
    assert read_state(folder / "seal.key").epoch == 0


def test_a_chain_whose_tail_can_not_be_created_leaves_no_file(
    folder: Path, key: AuditKey, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def no_tail(path: Any, flags: int, *mode: int, **options: Any) -> int:
        if str(path).endswith(".tail"):
            raise OSError(28, "No space left on device")
        return real(path, flags, *mode, **options)

    monkeypatch.setattr(os, "open", no_tail)
    with pytest.raises(LogUnavailable, match=r"\.tail: can't be created: No space left"):
        call(DecisionLog(folder))
    assert [path.name for path in folder.iterdir()] == ["seal.key"]


@pytest.mark.parametrize("fault", ["error", "short"])
def test_a_tail_that_can_not_be_written_ends_the_log(
    folder: Path, log: DecisionLog, call: Any, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    def fail(*given: Any) -> int:
        if fault == "error":
            raise OSError(5, "Input/output error")
        return 3

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fail)
        with pytest.raises(LogUnavailable, match="can't be written"):
            call(log)
    with pytest.raises(LogUnavailable, match="can't be written"):
        call(log)
    log.close()


def test_a_seal_that_another_process_holds_is_waited_for_and_then_refused(
    folder: Path, key: AuditKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardrails.audit.seal._LOCK_SECONDS", 0.05)
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    log = DecisionLog(folder)
    with pytest.raises(LogUnavailable, match="another process holds the seal"):
        log.event("load")
    os.close(descriptor)
    log.event("load")


def test_init_makes_the_auditors_key_and_the_writers(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "auditor.key"
    key = init_seal(folder, path)
    assert AuditKey.parse(path.read_text()) == key
    assert path.read_text() == f"guardrails-audit-key-1:{key.first.hex()}\n"
    assert path.stat().st_mode & 0o077 == 0
    assert read_state(folder / "seal.key") == SealState(key.id, 0, key.first)
    assert key.id not in key.text


def test_init_refuses_a_second_seal(folder: Path, key: AuditKey) -> None:
    with pytest.raises(ConfigurationError, match="this log is sealed already"):
        init_seal(folder)


def test_init_refuses_to_overwrite_a_key(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "auditor.key"
    path.write_text("mine")
    with pytest.raises(ConfigurationError, match=r"auditor.key: exists already; give another"):
        init_seal(folder, path)
    assert path.read_text() == "mine"
    assert not (folder / "seal.key").exists()


def test_init_tells_what_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LogUnavailable, match="can't be written: Not a directory"):
        init_seal(tmp_path / "file" / "log")


@pytest.mark.parametrize(
    "text",
    ["", "x", "guardrails-audit-key-1:", "guardrails-audit-key-1:" + "AB" * 32, "ab" * 32,
     "guardrails-audit-key-2:" + "ab" * 32, "guardrails-audit-key-1:" + "ab" * 33],
)  # fmt: skip
def test_what_is_no_audit_key_is_refused(text: str) -> None:
    with pytest.raises(LogDamaged, match="not an audit key"):
        AuditKey.parse(text)


def test_a_tail_is_read_as_it_is_written(folder: Path, log: DecisionLog) -> None:
    (tail,) = folder.glob("*.tail")
    assert read_tail(tail).sequence == 6
