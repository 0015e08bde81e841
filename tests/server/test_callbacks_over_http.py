"""`guardrails serve` with channels: a real process tells a real receiver, and takes its votes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.approvals.accounts import write_people
from guardrails.approvals.channels.signature import check_message, read_secret, sign_message
from guardrails.approvals.people import Account, People
from guardrails.approvals.request import Status
from guardrails.approvals.sql_store import SqlStore
from tests.approvals.channels.receiver import Receiver
from tests.approvals.scenes import request

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
OUT = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BACK = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore(tmp_path / "state" / "approvals.db")
    yield opened
    opened.close()


@pytest.fixture
def inbox(tmp_path: Path, store: SqlStore, receiver: Receiver) -> Iterator[str]:
    """The address of the inbox that a process serves; it ends by a signal, in order."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    people = People([Account("fay@example.com", "Fay", ("finance",))])
    write_people(people, tmp_path / "state" / "approvers.yaml")
    (tmp_path / "guardrails.toml").write_text(
        f"""
        [[approvals.channels]]
        name = "desk"
        kind = "webhook"
        url = "{receiver.url}"
        secrets_env = "DESK_SECRET"
        callback_secrets_env = "DESK_CALLBACK_SECRET"
        accounts = ["finance"]
        """,
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "guardrails", "serve", "--store", str(tmp_path / "state")]
    with subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DESK_SECRET": OUT,
            "DESK_CALLBACK_SECRET": BACK,
        },
    ) as process:
        assert process.stderr is not None
        told = process.stderr.readline()
        assert re.search(rf"http://127\.0\.0\.1:{port}/", told), told
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, 130, -signal.SIGINT)


def wait_for(receiver: Receiver, count: int) -> None:
    end = time.monotonic() + 20
    while len(receiver.received) < count:
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.05)


def post(url: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
    for _ in range(50):
        try:
            sent = urllib.request.Request(url, body, headers, method="POST")
            with urllib.request.urlopen(sent, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)
        except urllib.error.URLError:
            time.sleep(0.1)  # not listening yet
    raise AssertionError("nobody listens")


def test_a_notice_goes_out_and_the_vote_comes_back(
    inbox: str, store: SqlStore, receiver: Receiver
) -> None:
    asked = store.open(request(now_ns=store.now_ns()))
    wait_for(receiver, 1)
    got = receiver.received[0]
    check_message([read_secret(OUT)], got.headers, got.body)
    told = json.loads(got.body)["data"]
    assert told["link"] == f"{inbox}/requests/{asked.id}"

    ballot = {
        "type": "approval.vote",
        "request": told["request"]["id"],
        "content": told["request"]["content"],
        "account": "fay@example.com",
        "outcome": "approve",
    }
    body = json.dumps(ballot).encode()
    headers = sign_message([read_secret(BACK)], "vote-1", int(time.time()), body)
    forged = sign_message([read_secret(OUT)], "vote-1", int(time.time()), body)
    assert post(f"{inbox}/callbacks/desk", forged, body)[0] == 401
    assert post(f"{inbox}/callbacks/other", headers, body)[0] == 404
    assert post(f"{inbox}/callbacks/desk", headers, b"x" * 100_000)[0] == 413
    assert store.get(asked.id).status is Status.PENDING
    assert post(f"{inbox}/callbacks/desk", headers, body) == (
        200,
        {"request": asked.id, "status": "approved"},
    )
    assert post(f"{inbox}/callbacks/desk", headers, body)[0] == 401
    assert store.get(asked.id).status is Status.APPROVED
    wait_for(receiver, 2)
    assert json.loads(receiver.received[1].body)["type"] == "approval.approved"
