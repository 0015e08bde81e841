"""A log that can't take a record refuses, at the very next call, and never goes on silently."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from guardrails.audit.files import AppendFile
from guardrails.audit.log import DecisionLog
from guardrails.audit.reading import Filter, records
from guardrails.audit.verify import verify
from guardrails.errors import LogUnavailable

LIMITED = """if True:
    import resource, sys
    from guardrails.audit.log import DecisionLog
    from guardrails.audit.records import DecisionEntry
    from guardrails.decision import Code, Decision, Effect
    from guardrails.errors import LogUnavailable
    log = DecisionLog(sys.argv[1], rotate_bytes=int(sys.argv[3]))
    limit, hard = int(sys.argv[2]), resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    entry = DecisionEntry("pay", {"to": "ACME"}, Decision(Effect.ALLOW, Code.RULE))
    log.event("load")
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    stored = refused = 0
    for _ in range(20):
        try:
            log.decision(entry)
            stored += 1
        except LogUnavailable as error:
            assert "File too large" in str(error), error
            refused += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    log.decision(entry)
    print(stored, refused)
"""


def run_limited(folder: Path, limit: int, rotate: int) -> tuple[int, int]:
    command = [sys.executable, "-c", LIMITED, str(folder), str(limit), str(rotate)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    stored, refused = map(int, done.stdout.split())
    return stored, refused


@pytest.mark.parametrize("limit", [2000, 2500, 3001, 3333, 4000])
def test_a_full_disk_refuses_and_the_chain_goes_on_when_there_is_space_again(
    folder: Path, limit: int
) -> None:
    stored, refused = run_limited(folder, limit, 10**6)
    assert stored + refused == 20
    assert stored > 0
    report = verify(folder)
    assert report.intact
    assert len(list(records(folder, Filter(kind="decision")))) == stored + 1
    gaps = [r.data["refused"] for r in records(folder, Filter(kind="gap"))]
    assert sum(gaps) == refused


def test_a_disk_that_is_full_while_the_file_is_changed_leaves_a_chain_that_goes_on(
    folder: Path,
) -> None:
    stored, refused = run_limited(folder, 1300, 1200)
    assert (stored > 0, refused > 0) == (True, True)
    assert verify(folder).intact


def test_a_folder_that_can_not_be_written_refuses_every_call(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    code = """if True:
        import os, sys
        folder = sys.argv[1]
        from guardrails.audit.log import DecisionLog
        from guardrails.errors import LogUnavailable
        if os.geteuid() == 0:
            for path in (folder, *[os.path.dirname(folder)] * 1):
                os.chmod(path, 0o555)
            os.chdir(folder)
            os.setegid(65534)
            os.seteuid(65534)
        else:
            os.chmod(folder, 0o555)
        log = DecisionLog(".")
        for _ in range(2):
            try:
                log.event("load")
            except LogUnavailable as error:
                print(str(error).rpartition(": ")[2])
    """
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.stdout == "Permission denied\nPermission denied\n", done.stderr
    assert list(folder.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_refuses(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("")
    log = DecisionLog(tmp_path / "log")
    with pytest.raises(LogUnavailable, match="can't be used: File exists"):
        log.event("load")


def test_a_folder_that_comes_back_is_used_again_and_the_gap_is_told(tmp_path: Path) -> None:
    place = tmp_path / "log"
    place.write_text("")
    log = DecisionLog(place)
    with pytest.raises(LogUnavailable):
        log.event("load")
    place.unlink()
    log.event("load")
    assert [r.data["kind"] for r in records(place)] == ["start", "gap", "load"]


def settle(folder: Path) -> None:
    """Let the last change of the folder be so long ago that the log relies on its time."""
    deadline = time.monotonic() + 0.2
    while time.monotonic() < deadline:
        time.sleep(0.01)
    assert folder.exists()


def remove(file: Path) -> None:
    file.unlink()


def replace_by_copy(file: Path) -> None:
    copy = file.with_suffix(".copy")
    shutil.copyfile(file, copy)
    copy.rename(file)


def move_and_copy_back(file: Path) -> None:
    away = file.with_suffix(".away")
    file.rename(away)
    shutil.copyfile(away, file)


def replace_the_folder(file: Path) -> None:
    file.parent.rename(file.parent.with_name("away"))
    shutil.copytree(file.parent.with_name("away"), file.parent)


def remove_the_folder(file: Path) -> None:
    shutil.rmtree(file.parent)


def truncate(file: Path) -> None:
    file.write_bytes(b"")


def cut_a_byte(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 1)


def append_a_line(file: Path) -> None:
    with file.open("ab") as stream:
        stream.write(b"{}\n")


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize(
    "disturb",
    [
        remove, replace_by_copy, move_and_copy_back, replace_the_folder, remove_the_folder,
        truncate, cut_a_byte, append_a_line,
    ],
)  # fmt: skip
def test_a_log_file_that_was_disturbed_refuses_the_very_next_decision_and_all_after_it(
    folder: Path, entry: Any, call: Any, written: Any, disturb: Any, settled: bool
) -> None:
    log = DecisionLog(folder)
    call(log)
    if settled:
        settle(folder)
        call(log)
    disturb(written.file)
    for _ in range(3):
        with pytest.raises(LogUnavailable, match=r"replaced|gone|changed by another"):
            log.decision(entry())


def test_a_folder_whose_time_was_just_now_is_not_relied_on(
    folder: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two changes in one instant the second would go unseen, so until then the file is asked."""
    asked: list[str] = []
    real = os.stat

    def stat(path: Any, **options: Any) -> os.stat_result:
        asked.append(Path(os.fsdecode(path)).suffix)
        return real(path, **options)

    log = DecisionLog(folder)
    call(log)
    monkeypatch.setattr(os, "stat", stat)
    call(log)
    assert asked == ["", ".jsonl"]
    settle(folder)
    call(log)
    asked.clear()
    call(log)
    assert asked == [""]
    (folder / "other").touch()
    asked.clear()
    call(log)
    assert asked == ["", ".jsonl"]


def test_an_outcome_that_can_not_be_stored_refuses_every_later_decision(
    folder: Path, entry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DecisionLog(folder)
    record = log.decision(entry())
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", no_space)
        with pytest.raises(LogUnavailable, match="No space left"):
            log.outcome(record, "returned", 1)
    with pytest.raises(LogUnavailable, match=f"the outcome of {record} could not be recorded"):
        log.decision(entry())
    log.event("stop")  # what people do is still written down
    kinds = [r.data["kind"] for r in records(folder)]
    assert kinds == ["start", "decision", "gap", "stop"]


def test_a_deferred_outcome_that_can_not_be_stored_refuses_every_later_decision(
    folder: Path, entry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    pending: list[str] = []

    def clock() -> int:
        while pending:
            log.outcome(pending.pop(), "abandoned", 5)
        return 10**18

    def write(descriptor: int, text: bytes) -> int:
        return no_space(descriptor, text) if b'"outcome"' in text else real(descriptor, text)

    log = DecisionLog(folder, clock=clock)
    pending.append(log.decision(entry()))
    monkeypatch.setattr(os, "write", write)
    with pytest.raises(LogUnavailable, match="No space left"):
        log.decision(entry())
    monkeypatch.undo()
    with pytest.raises(LogUnavailable, match="an outcome could not be recorded"):
        log.decision(entry())


def no_space(descriptor: int, text: bytes) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def io_error(*given: Any) -> int:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_short_write_is_finished(
    folder: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, text: real(descriptor, text[:7]))
    call(DecisionLog(folder))
    assert verify(folder).intact
    assert verify(folder).records == 3


def test_a_line_that_was_begun_is_taken_back(
    folder: Path, call: Any, entry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def write(descriptor: int, text: bytes) -> int:
        monkeypatch.setattr(os, "write", no_space)
        return real(descriptor, text[:9])

    log = DecisionLog(folder)
    call(log)
    for _ in range(2):
        monkeypatch.setattr(os, "write", write)
        with pytest.raises(LogUnavailable, match="No space left"):
            log.decision(entry())
    monkeypatch.undo()
    call(log)
    assert verify(folder).intact
    (gap,) = records(folder, Filter(kind="gap"))
    assert gap.data["refused"] == 2


def test_a_line_that_was_begun_and_can_not_be_taken_back_ends_the_log(
    folder: Path, call: Any, entry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def write(descriptor: int, text: bytes) -> int:
        monkeypatch.setattr(os, "write", no_space)
        return real(descriptor, text[:9])

    log = DecisionLog(folder)
    call(log)
    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "ftruncate", io_error)
    with pytest.raises(LogUnavailable, match="No space left"):
        log.decision(entry())
    monkeypatch.undo()
    with pytest.raises(LogUnavailable, match="No space left"):
        log.decision(entry())
    (finding,) = verify(folder).broken
    assert finding.line == 4
    assert finding.message == (
        "the last record is cut off after 9 bytes, and no later start has noted that"
    )


def test_a_line_that_another_program_wrote_behind_is_not_cut_off_with_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    path = tmp_path / "x.jsonl"

    def write(descriptor: int, text: bytes) -> int:
        monkeypatch.setattr(os, "write", no_space)
        count = real(descriptor, text[:3])
        append_a_line(path)
        return count

    file = AppendFile(path, sync=False)
    monkeypatch.setattr(os, "write", write)
    with pytest.raises(LogUnavailable, match="No space left"):
        file.append(b"abcdef\n")
    assert file.lost
    assert path.read_bytes() == b"abc{}\n"


def test_a_disk_that_can_not_sync_ends_the_log(
    folder: Path, call: Any, entry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DecisionLog(folder, durability="disk")
    call(log)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", io_error)
        with pytest.raises(LogUnavailable, match="Input/output error"):
            log.decision(entry())
    with pytest.raises(LogUnavailable, match="Input/output error"):
        log.decision(entry())


def test_a_chain_that_can_not_be_begun_leaves_no_file(
    folder: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DecisionLog(folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", no_space)
        with pytest.raises(LogUnavailable, match="No space left"):
            call(log)
    assert list(folder.iterdir()) == []
    call(log)
    assert verify(folder).intact


def test_a_file_that_can_not_be_begun_nor_removed_is_remarked(
    folder: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DecisionLog(folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", no_space)
        patch.setattr(os, "unlink", io_error)
        with pytest.raises(LogUnavailable):
            call(log)
    call(log)
    report = verify(folder)
    assert report.intact
    assert "empty: a start was interrupted here" in [f.message for f in report.remarks]


def test_a_rotation_that_fails_leaves_the_file_before_in_use(
    folder: Path, entry: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def no_file(path: Any, flags: int, *mode: int, **options: Any) -> int:
        if flags & os.O_CREAT:
            io_error()
        return real(path, flags, *mode, **options)

    log = DecisionLog(folder, rotate_bytes=500)
    call(log)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", no_file)
        with pytest.raises(LogUnavailable, match="can't be created"):
            log.decision(entry())
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", no_space)
        with pytest.raises(LogUnavailable, match="No space left"):
            log.decision(entry())
    call(log)
    report = verify(folder)
    assert report.intact
    assert report.chains == 1


def test_a_rotation_whose_record_may_have_been_stored_keeps_the_file_that_it_names(
    folder: Path, entry: Any, call: Any, written: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def write(descriptor: int, text: bytes) -> int:
        if b'"rotate"' in text:
            append_a_line([file for file in written.files if file.stat().st_size][-1])
        return real(descriptor, text)

    log = DecisionLog(folder, rotate_bytes=500)
    call(log)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(LogUnavailable, match="changed by another program"):
            log.decision(entry())
    messages = [f.message for f in verify(folder).broken]
    assert messages == ["not a record: it does not end in the hashes of one"]
    assert written.files[-1].stat().st_size == 0


def test_a_file_whose_first_record_could_not_be_stored_gets_it_later(
    folder: Path, entry: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old file has named the new one already, so there is no way back."""
    real = os.write

    def write(descriptor: int, text: bytes) -> int:
        return no_space(descriptor, text) if b'"continue"' in text else real(descriptor, text)

    log = DecisionLog(folder, rotate_bytes=500)
    call(log)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        for _ in range(2):
            with pytest.raises(LogUnavailable, match="No space left"):
                log.decision(entry())
    call(log)
    report = verify(folder)
    assert report.intact
    assert len(list(records(folder, Filter(kind="rotate")))) == report.files - 1


def test_a_disk_that_can_not_sync_the_folder_begins_no_chain(
    folder: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DecisionLog(folder, durability="disk")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", io_error)
        with pytest.raises(LogUnavailable, match="can't be created: Input/output error"):
            call(log)
    assert list(folder.iterdir()) == []
    call(log)


def test_a_file_that_is_gone_when_the_log_is_closed_is_no_error(
    folder: Path, call: Any, written: Any
) -> None:
    log = DecisionLog(folder)
    call(log)
    written.file.unlink()
    log.close()


def test_a_lost_log_is_closed_without_another_record(
    folder: Path, entry: Any, call: Any, written: Any
) -> None:
    log = DecisionLog(folder)
    call(log)
    append_a_line(written.file)
    with pytest.raises(LogUnavailable):
        log.decision(entry())
    size = written.file.stat().st_size
    log.close()
    assert written.file.stat().st_size == size
