"""A store that fails, is damaged, or whose clock jumps: what needed it doesn't run."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from guardrails.approvals import waiting
from guardrails.approvals.request import Status
from guardrails.approvals.sql_store import SqlStore
from guardrails.approvals.store import Filter
from guardrails.errors import ApprovalsUnavailable, ConfigurationError, RequestUnknown
from guardrails.store import drivers
from tests.approvals.scenes import MINUTE, START, case, decide, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from guardrails.approvals.request import ApprovalRequest
    from tests.approvals.conftest import Open
    from tests.approvals.scenes import Clock


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "approvals.db"


@pytest.fixture
def local(file: Path) -> Iterator[SqlStore]:
    store = SqlStore(file)
    yield store
    store.close()


@pytest.fixture
def approved(local: SqlStore) -> ApprovalRequest:
    asked = local.open(request(now_ns=local.now_ns()))
    return decide(local, asked, Status.APPROVED)


def test_the_file_is_its_owners_alone(local: SqlStore, file: Path) -> None:
    assert local.now_ns()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_gone_is_not_made_anew(
    local: SqlStore, file: Path, approved: ApprovalRequest
) -> None:
    for each in file.parent.iterdir():
        each.unlink()
    with pytest.raises(ApprovalsUnavailable, match="unable to open database file"):
        local.use(approved.id, approved.digest)
    assert not file.exists()


def test_a_file_that_was_emptied_is_no_store(
    local: SqlStore, file: Path, approved: ApprovalRequest
) -> None:
    for each in file.parent.iterdir():
        each.write_bytes(b"")
    with pytest.raises(ApprovalsUnavailable, match="no such table"):
        local.use(approved.id, approved.digest)


@pytest.mark.parametrize("kept", [0, 100, 4096])
def test_a_damaged_file_is_told(
    local: SqlStore, file: Path, approved: ApprovalRequest, kept: int
) -> None:
    local.close()
    content = file.read_bytes()
    for each in file.parent.iterdir():
        each.unlink()
    file.write_bytes(content[:kept] + os.urandom(len(content) - kept))
    for attempt in (lambda: local.use(approved.id, approved.digest), lambda: SqlStore(file)):
        with pytest.raises(ApprovalsUnavailable):
            attempt()


def test_a_locked_file_is_waited_for_and_then_told(
    local: SqlStore, file: Path, approved: ApprovalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = drivers.open_sqlite
    monkeypatch.setattr(drivers, "open_sqlite", lambda path: original(path, 0.2))
    blocker = sqlite3.connect(file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(ApprovalsUnavailable, match="database is locked"):
        local.use(approved.id, approved.digest)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert local.use(approved.id, approved.digest)


def test_a_row_of_postgresql_that_is_locked_is_told(
    schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drivers, "PATIENCE_S", 1.0)
    store = SqlStore(schema)
    asked = store.open(request(now_ns=store.now_ns()))
    decide(store, asked, Status.APPROVED)
    with psycopg.connect(schema) as blocker:
        blocker.execute("SELECT * FROM approval_state FOR UPDATE")
        with pytest.raises(ApprovalsUnavailable, match="timeout"):
            store.use(asked.id, asked.digest)
        blocker.rollback()
    assert store.use(asked.id, asked.digest)
    store.close()


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ApprovalsUnavailable, match="can't be used"):
        SqlStore(f"postgresql:///postgres?host={tmp_path}&user=guardrails")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("mysql://localhost/x", "not in `mysql`"),
        ("://", "can't be read"),
    ],
)
def test_a_url_that_can_hold_no_store_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        SqlStore(url)


def test_a_path_may_hold_any_character(tmp_path: Path) -> None:
    path = tmp_path / "a b?c#d%e ü" / "approvals.db"
    store = SqlStore(path)
    store.open(request(now_ns=store.now_ns()))
    store.close()
    assert path.exists()
    assert [each.name for each in tmp_path.iterdir()] == [path.parent.name]


REWRITES = {
    "revived": "UPDATE approval_requests SET status = 'approved', used_ns = 0, uses = 0",
    "back to pending": "UPDATE approval_requests SET status = 'pending'",
    "prolonged": "UPDATE approval_requests SET expires_ns = expires_ns + 1",
    "another body": "UPDATE approval_requests SET body = '{}'",
    "another digest": "UPDATE approval_requests SET digest = 'sha256:0'",
    "deleted": "DELETE FROM approval_requests",
    "vote changed": "UPDATE approval_votes SET outcome = 'approve'",
    "vote deleted": "DELETE FROM approval_votes",
    "history changed": "UPDATE approval_changes SET actor = 'x'",
    "history deleted": "DELETE FROM approval_changes",
}


@pytest.mark.parametrize("name", REWRITES)
def test_the_database_itself_refuses_to_rewrite(
    store: SqlStore, execute: Callable[[str], None], name: str
) -> None:
    asked = store.open(request())
    decide(store, asked, Status.APPROVED)
    assert store.use(asked.id, asked.digest)
    before = store.get(asked.id)
    with pytest.raises((sqlite3.Error, psycopg.Error), match="is not rewritten"):
        execute(REWRITES[name])
    assert store.get(asked.id) == before


def unlock(execute: Callable[[str], None], where: str) -> None:
    """Do as the owner of the tables can: drop the triggers."""
    suffix = " ON approval_requests" if where.startswith("postgresql") else ""
    execute(f"DROP TRIGGER approval_requests_kept_update{suffix}")


@pytest.mark.parametrize(
    "change",
    [
        "body = replace(body, 'ACME', 'EVIL')",
        "body = 'not a body'",
        "body = '[\"map\"]'",
        "digest = 'sha256:0'",
        "action_digest = 'sha256:0'",
        "expires_ns = expires_ns + 1",
        "tool = 'other'",
        "status = 'blessed'",
        "kind = 'review'",
    ],
)
def test_a_request_altered_in_the_store_is_damaged(
    where: str, store: SqlStore, execute: Callable[[str], None], change: str
) -> None:
    asked = store.open(request())
    other = store.open(request(tool="other"))
    unlock(execute, where)
    execute(f"UPDATE approval_requests SET {change} WHERE id = '{asked.id}'")
    with pytest.raises(ApprovalsUnavailable, match=f"request `{asked.id}` is damaged"):
        store.get(asked.id)
    page = store.list(Filter())
    assert page.damaged == (asked.id,)
    assert [each.id for each in page.requests] == [other.id]


def test_a_clock_that_goes_back_revives_nothing(open_store: Open, clock: Clock) -> None:
    store = open_store(clock=clock)
    seen = decide(store, store.open(request()), Status.APPROVED)
    unseen = decide(store, store.open(request(tool="other")), Status.APPROVED)
    clock.move(31 * MINUTE)
    assert store.get(seen.id).status is Status.EXPIRED
    clock.move(-3 * MINUTE)
    for each in (seen, unseen):
        assert not store.use(each.id, each.digest)
        assert store.get(each.id).status is Status.EXPIRED
    assert not open_store(clock=clock).use(unseen.id, unseen.digest)


def test_a_clock_far_behind_stops_whatever_writes(store: SqlStore, clock: Clock) -> None:
    asked = decide(store, store.open(request()), Status.APPROVED)
    clock.move(20 * MINUTE)
    store.open(request(tool="other", now_ns=clock()))
    clock.move(-10 * MINUTE)
    for call in (
        lambda: store.use(asked.id, asked.digest),
        lambda: store.open(request(tool="third")),
        store.expire,
    ):
        with pytest.raises(ApprovalsUnavailable, match="the clock is 600 s behind"):
            call()
    assert store.get(asked.id).status is Status.APPROVED
    assert store.now_ns() == START + 20 * MINUTE
    clock.move(10 * MINUTE)
    assert store.use(asked.id, asked.digest)


def test_a_clock_that_was_wrong_can_be_set_right_at_the_price_of_what_is_open(
    store: SqlStore, clock: Clock
) -> None:
    clock.move(1000 * MINUTE)
    asked = store.open(request(now_ns=clock()))
    clock.move(-1000 * MINUTE)
    assert store.reset_clock() == (asked.id,)
    assert store.get(asked.id).status is Status.EXPIRED
    fresh = store.open(request(now_ns=store.now_ns()))
    assert (fresh.id != asked.id, fresh.created_ns) == (True, START)


def test_a_clock_that_jumps_ahead_ends_what_is_open(store: SqlStore, clock: Clock) -> None:
    asked = decide(store, store.open(request()), Status.APPROVED)
    clock.move(10**6 * MINUTE)
    assert not store.use(asked.id, asked.digest)
    clock.move(-(10**6) * MINUTE)
    assert store.get(asked.id).status is Status.EXPIRED


def test_waiting_outlasts_a_short_outage_and_not_a_long_one(
    local: SqlStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = local.open(request(now_ns=local.now_ns()))
    aside = file.with_suffix(".aside")
    found: list[Status] = []
    waiter = threading.Thread(target=lambda: found.append(local.wait(asked.id, 30).status))
    waiter.start()
    time.sleep(0.2)
    file.rename(aside)
    time.sleep(1.5)
    aside.rename(file)
    decide(local, asked, Status.APPROVED)
    waiter.join(5)
    assert found == [Status.APPROVED]

    other = local.open(request(tool="other", now_ns=local.now_ns()))
    monkeypatch.setattr(waiting, "OUTAGE_S", 0.5)
    threading.Timer(0.2, lambda: file.rename(aside)).start()
    with pytest.raises(ApprovalsUnavailable):
        local.wait(other.id, 30)


def test_waiting_for_a_store_that_is_away_is_refused(local: SqlStore, file: Path) -> None:
    asked = local.open(request(now_ns=local.now_ns()))
    file.rename(file.with_suffix(".aside"))
    with pytest.raises(ApprovalsUnavailable):
        local.wait(asked.id, 5)


def test_waiting_ends_at_its_timeout_though_the_store_is_away(local: SqlStore, file: Path) -> None:
    asked = local.open(request(now_ns=local.now_ns()))
    threading.Timer(0.3, lambda: file.rename(file.with_suffix(".aside"))).start()
    began = time.monotonic()
    with pytest.raises(ApprovalsUnavailable):
        local.wait(asked.id, 2)
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("text", ["\udcff", "a\0b"])
def test_a_text_that_no_database_holds_is_found_nowhere_or_told(store: SqlStore, text: str) -> None:
    asked = store.open(request())
    with contextlib.suppress(ApprovalsUnavailable):
        assert store.list(Filter(session=text)).requests == ()
    with contextlib.suppress(ApprovalsUnavailable):
        assert store.cancel(asked.id, "fay", text).reason == text


def test_an_error_tells_no_argument(store: SqlStore, execute: Callable[[str], None]) -> None:
    execute("DROP TABLE approval_rules")
    with pytest.raises(ApprovalsUnavailable) as error:
        store.open(request(arguments={"to": "s3cret-value"}))
    assert "s3cret" not in str(error.value)
    assert case().tool not in str(error.value)


def test_what_is_due_at_the_very_end_is_over(store: SqlStore, clock: Clock) -> None:
    asked = decide(store, store.open(request()), Status.APPROVED)
    clock.move(30 * MINUTE - 1)
    assert store.get(asked.id).status is Status.APPROVED
    clock.move(1)
    assert store.get(asked.id).status is Status.EXPIRED


@pytest.mark.parametrize("id_", ["0123", "", "a\0b", "\ud800", "é"], ids=repr)
def test_an_id_that_no_request_can_have_is_of_none_and_no_failure_of_the_store(
    store: SqlStore, id_: str
) -> None:
    with pytest.raises(RequestUnknown):
        store.get(id_)
