"""`guardrails serve` as a process of its own: how it starts, ends, dies and comes back."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from guardrails.approvals.accounts import write_people
from guardrails.approvals.channels.signature import sign_message
from guardrails.approvals.places import open_service
from guardrails.approvals.request import Status
from guardrails.server.run import HEAD_S
from tests.approvals.scenes import request
from tests.server.premises import FAY, STAFF, sign_in, vote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.approvals.request import ApprovalRequest

pytestmark = pytest.mark.slow

KEY = bytes(range(32))
CHANNEL = """
[[approvals.channels]]
kind = "webhook"
name = "desk"
url = "https://127.0.0.1:9/"
secrets_env = "OUT"
callback_secrets_env = "IN"
accounts = ["finance"]
"""


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def command(folder: Path, *given: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if "GUARDRAILS" not in name}
    for name, key in (("OUT", bytes(32)), ("IN", KEY)):
        environment[name] = f"whsec_{b64encode(key).decode()}"
    return subprocess.Popen(
        [sys.executable, "-m", "guardrails", "serve", "--store", "state", *given],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(folder: Path, *given: str, **client: Any) -> Iterator[tuple[httpx.Client, Any]]:
    """The verb, serving on a port of its own, and a client of it."""
    port = free_port()
    process = command(folder, "--port", str(port), *given)
    scheme = "https" if client else "http"
    with httpx.Client(base_url=f"{scheme}://127.0.0.1:{port}", timeout=20, **client) as asking:
        try:
            wait_for(asking, process)
            yield asking, process
        finally:
            process.kill()
            process.communicate()


def wait_for(client: httpx.Client, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 30
    while True:
        assert process.poll() is None, process.communicate()[1]
        try:
            client.get("/healthy")
        except httpx.ConnectError:
            assert time.monotonic() < end
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    write_people(STAFF, tmp_path / "state" / "approvers.yaml")
    return tmp_path


def ask(folder: Path) -> ApprovalRequest:
    service = open_service(folder / "state")
    with closing(service.store) as store:
        return store.open(request(now_ns=store.now_ns()))


def status_of(folder: Path, asked: ApprovalRequest) -> Status:
    with closing(open_service(folder / "state").store) as store:
        return store.get(asked.id).status


def refusal(folder: Path, *given: str) -> str:
    process = command(folder, *given)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 2, told
    assert "Traceback" not in told
    return told


def test_what_was_pending_outlives_a_server_that_is_killed(folder: Path) -> None:
    asked = ask(folder)
    with serving(folder) as (client, process):
        sign_in(client)
        assert asked.id in client.get("/").text
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert status_of(folder, asked) is Status.PENDING
    with serving(folder) as (client, _):
        assert client.get("/").status_code == 303  # all are signed out
        sign_in(client)
        vote(client, asked.id, "approve")
    assert status_of(folder, asked) is Status.APPROVED


def test_it_ends_at_once_when_it_is_told_to_though_a_page_is_open(folder: Path) -> None:
    with serving(folder) as (client, process):
        sign_in(client)
        with client.stream("GET", "/events") as stream:
            assert next(stream.iter_lines()) == "retry: 2000"
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)
            assert time.monotonic() - began < 4
    assert process.returncode in (0, -signal.SIGTERM)


def test_a_vote_that_a_channel_signed_comes_in(folder: Path) -> None:
    (folder / "guardrails.toml").write_text(CHANNEL)
    asked = ask(folder)
    ballot = {"type": "approval.vote", "request": asked.id, "content": asked.content,
              "account": FAY, "outcome": "approve"}  # fmt: skip
    body = json.dumps(ballot).encode()
    with serving(folder) as (client, _):
        unsigned = client.post("/callbacks/desk", content=body)
        assert unsigned.status_code == 401
        assert client.post("/callbacks/desk", content=b"x" * 100_000).status_code == 413
        headers = sign_message([KEY], "message-1", int(time.time()), body)
        assert client.post("/callbacks/desk", content=body, headers=headers).json() == {
            "request": asked.id,
            "status": "approved",
        }
    assert status_of(folder, asked) is Status.APPROVED


def test_without_channels_there_is_no_place_for_their_votes(folder: Path) -> None:
    with serving(folder) as (client, _):
        assert client.post("/callbacks/desk", content=b"{}").status_code == 404


def test_it_speaks_tls_with_a_certificate(folder: Path) -> None:
    _make_certificate(folder)
    trusting = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    given = ("--tls-cert", "cert.pem", "--tls-key", "key.pem")
    with serving(folder, *given, verify=trusting) as (client, _):
        answer = sign_in(client)
        assert "Secure" in answer.headers["set-cookie"]
        assert "strict-transport-security" in answer.headers


def test_it_does_not_listen_wider_without_tls(folder: Path) -> None:
    told = refusal(folder, "--listen", "0.0.0.0", "--name", "inbox.example.com")
    assert "passwords would cross the network readable" in told


def test_it_does_not_listen_wider_without_a_name(folder: Path) -> None:
    assert "--name inbox.example.com" in refusal(folder, "--listen", "0.0.0.0", "--behind-proxy")


@pytest.mark.parametrize("name", ["https://a.example", "a.example:443", "a.example/b", "a b"])
def test_a_name_under_which_nothing_could_be_answered_is_told(folder: Path, name: str) -> None:
    told = refusal(folder, "--behind-proxy", "--name", name)
    assert told == f"`{name}` is no host name: write it without `https://`, port and path\n"


def test_a_port_that_browsers_could_not_be_told_is_refused(folder: Path) -> None:
    assert refusal(folder, "--port", "0") == "a port is 1 to 65535\n"


def test_whoever_opens_connections_and_says_nothing_keeps_nobody_out(folder: Path) -> None:
    with serving(folder) as (client, _):
        place = (client.base_url.host, client.base_url.port)
        with ExitStack() as held:
            silent = [held.enter_context(socket.create_connection(place, 20)) for _ in range(3)]
            silent[1].sendall(b"GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            silent[2].sendall(b"GET /healthy HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /")
            assert b"200 OK" in silent[2].recv(1000)
            began = time.monotonic()
            for each in silent:
                while each.recv(1000):
                    pass
            assert time.monotonic() - began < HEAD_S + 8
        assert client.get("/sign-in").status_code == 200


def test_a_certificate_that_is_none_is_told(folder: Path) -> None:
    (folder / "cert.pem").write_text("nothing")
    told = refusal(folder, "--tls-cert", "cert.pem", "--tls-key", "cert.pem")
    assert told.startswith("the certificate or its key can't be used")


def test_a_port_that_is_taken_is_told(folder: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert f"can't listen on `127.0.0.1`, port {port}" in refusal(folder, "--port", str(port))


def test_a_setting_that_is_unknown_is_told_with_its_place(folder: Path) -> None:
    (folder / "guardrails.toml").write_text("[server]\nlisten_on = '127.0.0.1'\n")
    assert "guardrails.toml: `server.listen_on` is an unknown setting" in refusal(folder)


def _make_certificate(folder: Path) -> None:
    from ipaddress import ip_address

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .sign(key, SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(private)
