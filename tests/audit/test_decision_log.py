"""The decision log as the guard uses it: files, threads, forks, rotation, standard output."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.audit.log import DecisionLog
from guardrails.audit.reading import Filter, records
from guardrails.audit.verify import verify
from guardrails.errors import ConfigurationError, LogUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORKS = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
"""Python 3.12 warns of a fork beside threads, which is what these tests are about."""


def firsts(folder: Path) -> list[dict[str, Any]]:
    begun = [r.data for r in records(folder) if r.data["kind"] in ("start", "continue")]
    return sorted(begun, key=lambda data: (data["chain"], data["part"]))


def test_nothing_is_written_before_the_first_record(folder: Path) -> None:
    DecisionLog(folder).close()
    assert not folder.exists()


def test_the_default_folder_is_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GUARDRAILS_LOG", raising=False)
    monkeypatch.chdir(tmp_path)
    log = DecisionLog()
    monkeypatch.chdir("/")
    log.event("stop")
    assert log.folder == tmp_path / ".guardrails" / "log"
    assert len(list(log.folder.iterdir())) == 1


def test_the_variable_says_where_the_log_goes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUARDRAILS_LOG", str(folder))
    assert DecisionLog().folder == folder
    assert DecisionLog(folder / "other").folder == folder / "other"


def test_others_can_not_read_the_log(folder: Path, call: Any, written: Any) -> None:
    call(DecisionLog(folder))
    assert written.file.stat().st_mode & 0o007 == 0


def test_a_file_begins_with_what_it_is(folder: Path, call: Any, written: Any) -> None:
    call(DecisionLog(folder))
    (first,) = firsts(folder)
    assert first["file"] == written.file.name
    assert (first["format"], first["part"], first["after"]) == (1, 1, [])
    assert first["labels"].keys() == {"version", "host", "pid"}
    assert first["prev"] == "0" * 64


def test_a_new_chain_names_the_last_records_of_the_other_files(folder: Path, call: Any) -> None:
    first = DecisionLog(folder)
    call(first)
    first.close()
    second = DecisionLog(folder)
    call(second)
    last = next(r.data for r in records(folder, Filter(kind="end")))
    start = next(first for first in firsts(folder) if first["after"])
    (named,) = start["after"]
    assert named["hash"] == last["hash"]
    assert named["sequence"] == last["sequence"]
    assert named["file"] != start["file"]


def test_a_file_that_another_names_as_it_is_is_not_named_again(folder: Path, call: Any) -> None:
    for _ in range(5):
        log = DecisionLog(folder)
        call(log)
        log.close()
    assert sorted(len(first["after"]) for first in firsts(folder)) == [0, 1, 1, 1, 1]
    assert verify(folder).intact


def test_close_marks_the_end_and_refuses_what_follows(folder: Path, call: Any) -> None:
    log = DecisionLog(folder)
    call(log)
    log.close()
    log.close()
    assert [r.data["kind"] for r in records(folder)] == ["start", "decision", "outcome", "end"]
    with pytest.raises(LogUnavailable, match="closed"):
        call(log)
    with pytest.raises(LogUnavailable, match="closed"):
        log.event("stop")


def test_eight_threads_write_one_chain_and_nothing_is_lost(folder: Path, call: Any) -> None:
    log = DecisionLog(folder)
    with ThreadPoolExecutor(8) as pool:
        made = [name for part in pool.map(lambda _: [call(log) for _ in range(500)], range(8))
                for name in part]  # fmt: skip
    report = verify(folder)
    assert report.intact
    assert report.records == 8001
    assert len(set(made)) == 4000
    assert [f.message[:15] for f in report.findings] == ["tail not proven"]


def test_rotation_under_threads_continues_the_chain(folder: Path, call: Any) -> None:
    log = DecisionLog(folder, rotate_bytes=4000)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: [call(log) for _ in range(100)], range(4)))
    report = verify(folder)
    assert report.intact
    assert report.chains == 1
    assert report.files > 50
    begun = firsts(folder)
    assert [first["part"] for first in begun] == list(range(1, report.files + 1))
    assert {first["kind"] for first in begun[1:]} == {"continue"}
    moved = [r.data["next"] for r in records(folder, Filter(kind="rotate"))]
    assert moved == [first["file"] for first in begun[1:]]


def test_asyncio_tasks_share_the_log(folder: Path, entry: Any) -> None:
    log = DecisionLog(folder)

    async def one() -> None:
        record = log.decision(entry())
        await asyncio.sleep(0)
        log.outcome(record, "returned", 1)

    async def main() -> None:
        await asyncio.gather(*(one() for _ in range(50)))

    asyncio.run(main())
    assert verify(folder).records == 101
    assert verify(folder).intact


def test_several_logs_share_a_folder(folder: Path, call: Any) -> None:
    logs = [DecisionLog(folder) for _ in range(3)]
    for log in logs * 3:
        call(log)
    report = verify(folder)
    assert report.intact
    assert report.chains == 3


@FORKS
def test_a_forked_child_opens_its_own_chain(folder: Path, call: Any) -> None:
    log = DecisionLog(folder)
    call(log)
    child = os.fork()
    if child == 0:
        try:
            call(log)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    call(log)
    report = verify(folder)
    assert report.intact
    assert (report.chains, report.records) == (2, 8)
    pids = {first["labels"]["pid"] for first in firsts(folder)}
    assert pids == {os.getpid(), child}


@FORKS
def test_a_child_forked_while_another_thread_writes_is_not_stuck(folder: Path, call: Any) -> None:
    log = DecisionLog(folder)
    call(log)
    with log._lock, ThreadPoolExecutor(1) as pool:

        def fork() -> int:
            child = os.fork()
            if child == 0:
                try:
                    call(log)
                finally:
                    os._exit(0)
            return os.waitpid(child, 0)[1]

        assert pool.submit(fork).result(timeout=20) == 0
    assert verify(folder).chains == 2


@FORKS
def test_a_child_of_a_log_that_was_not_used_yet_begins_it(folder: Path, call: Any) -> None:
    log = DecisionLog(folder)
    child = os.fork()
    if child == 0:
        try:
            call(log)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert verify(folder).records == 3


@FORKS
def test_a_log_that_is_gone_is_no_concern_of_a_fork(folder: Path, call: Any) -> None:
    log = DecisionLog(folder)
    call(log)
    del log
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_an_outcome_from_a_finalizer_in_the_middle_of_a_record_follows_it(
    folder: Path, entry: Any
) -> None:
    """What the garbage collector runs inside the log must not wait for itself, nor be lost."""
    pending: list[str] = []

    def clock() -> int:
        while pending:
            log.outcome(pending.pop(), "abandoned", 5)
        return 10**18

    log = DecisionLog(folder, clock=clock)
    first = log.decision(entry())
    pending.append(first)
    second = log.decision(entry())
    log.outcome(second, "returned", 1)
    kinds = [r.data["kind"] for r in records(folder)]
    assert kinds == ["start", "decision", "decision", "outcome", "outcome"]
    ended = [r.data["decision_id"] for r in records(folder, Filter(kind="outcome"))]
    assert ended == [first, second]
    assert verify(folder).intact


def test_a_decision_in_the_middle_of_a_record_is_refused(folder: Path, entry: Any) -> None:
    refused: list[str] = []
    armed: list[bool] = []

    def clock() -> int:
        if armed:
            armed.clear()
            with pytest.raises(LogUnavailable) as caught:
                log.decision(entry())
            refused.append(str(caught.value))
        return 10**18

    log = DecisionLog(folder, clock=clock)
    log.decision(entry())
    armed.append(True)
    log.decision(entry())
    assert refused == ["the decision log is being written by the same thread"]
    assert verify(folder).records == 3


def test_closing_in_the_middle_of_a_record_does_not_break_the_chain(
    folder: Path, entry: Any
) -> None:
    armed: list[bool] = []

    def clock() -> int:
        if armed:
            log.close()
        return 10**18

    log = DecisionLog(folder, clock=clock)
    log.decision(entry())
    armed.append(True)
    log.decision(entry())
    with pytest.raises(LogUnavailable, match="closed"):
        log.decision(entry())
    assert verify(folder).intact


def test_a_record_that_was_interrupted_ends_the_log(folder: Path, entry: Any) -> None:
    armed: list[bool] = []

    def clock() -> int:
        if armed:
            raise KeyboardInterrupt
        return 10**18

    log = DecisionLog(folder, clock=clock)
    log.decision(entry())
    armed.append(True)
    with pytest.raises(KeyboardInterrupt):
        log.decision(entry())
    armed.clear()
    with pytest.raises(LogUnavailable, match="interrupted"):
        log.decision(entry())
    assert verify(folder).intact


def test_a_record_longer_than_the_log_takes_is_refused_and_told_as_a_gap(
    folder: Path, entry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardrails.audit.writer.MAX_LINE", 3000)
    log = DecisionLog(folder)
    log.decision(entry())
    with pytest.raises(LogUnavailable, match="is longer than the log takes"):
        log.decision(entry(arguments={"x": "y" * 3000}))
    log.decision(entry())
    (gap,) = records(folder, Filter(kind="gap"))
    assert gap.data["refused"] == 1
    assert "longer" in gap.data["reason"]
    report = verify(folder)
    assert report.intact
    assert any(f.message == "the log could not be written: 1 refused" for f in report.remarks)


def test_standard_output_takes_the_same_chain(tmp_path: Path) -> None:
    code = """if True:
        from guardrails.audit.log import DecisionLog
        log = DecisionLog("-")
        log.event("load", revision="ab")
        log.event("stop")
        log.close()
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    saved = tmp_path / "collected.jsonl"
    saved.write_bytes(done.stdout)
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert kinds == ["start", "load", "stop", "end"]
    report = verify(saved)
    assert report.intact
    assert [f.message[:15] for f in report.findings] == ["tail not proven"]


def test_standard_output_is_written_past_the_buffers_of_python(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, text: real(descriptor, text[:50]))
    log = DecisionLog("-", rotate_bytes=1)
    assert log.folder is None
    log.event("load")
    log.close()
    kinds = [json.loads(line)["kind"] for line in capfd.readouterr().out.splitlines()]
    assert kinds == ["start", "load", "end"]


def test_standard_output_that_was_closed_before_python_began_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "__stdout__", None)
    with pytest.raises(LogUnavailable, match="standard output was closed"):
        DecisionLog("-").event("load")


def test_standard_output_that_fails_refuses_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: Any) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    log = DecisionLog("-")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        for _ in range(2):
            with pytest.raises(LogUnavailable, match="standard output can't be written: Broken"):
                log.event("load")


def test_a_fork_gives_the_child_a_lock_and_a_chain_of_its_own(
    folder: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hook itself, called here where its effects can be seen."""
    hooks: list[Callable[[], None]] = []
    monkeypatch.setattr(os, "register_at_fork", lambda **given: hooks.extend(given.values()))
    log = DecisionLog(folder)
    (hook,) = hooks
    hook()
    call(log)
    with log._lock:
        hook()
        assert not log._busy
    call(log)
    assert verify(folder).chains == 2
    del log
    hook()


def test_standard_output_that_nobody_reads_any_more_refuses(tmp_path: Path) -> None:
    code = """if True:
        import os, sys
        from guardrails.audit.log import DecisionLog
        from guardrails.errors import LogUnavailable
        read, write = os.pipe()
        os.dup2(write, 1)
        os.close(write)
        log = DecisionLog("-")
        log.event("load")
        os.close(read)
        for _ in range(2):
            try:
                log.event("stop")
            except LogUnavailable as error:
                print(error, file=sys.stderr)
        log.close()
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stderr == "standard output can't be written: Broken pipe\n" * 2


def test_standard_output_that_can_not_be_begun_is_refused(tmp_path: Path) -> None:
    code = """if True:
        import os, sys
        from guardrails.audit.log import DecisionLog
        from guardrails.errors import LogUnavailable
        os.close(1)
        try:
            DecisionLog("-").event("stop")
        except LogUnavailable as error:
            print(error, file=sys.stderr)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stderr == "standard output can't be written: Bad file descriptor\n"


def test_a_seal_needs_a_folder() -> None:
    with pytest.raises(ConfigurationError, match="needs a folder"):
        DecisionLog("-", seal="seal.key")


def test_an_unknown_durability_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="`process` or `disk`, not `ram`"):
        DecisionLog(folder, durability="ram")  # type: ignore[arg-type]


def test_durability_of_the_disk_syncs_every_record_and_the_folder(
    folder: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    log = DecisionLog(folder, durability="disk")
    call(log)
    assert len(synced) == 4  # the folder, the start, the decision, the outcome
    assert verify(folder).intact


def test_ids_of_records_are_unique_and_short(folder: Path, call: Any) -> None:
    log = DecisionLog(folder)
    names = [call(log) for _ in range(20)]
    assert len(set(names)) == 20
    assert all(len(name) <= 19 for name in names)
