"""An OPA server as the engine, against a stand-in that follows the Data API's documentation."""

from __future__ import annotations

import json
import ssl
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.action import Action
from guardrails.decision import Effect
from guardrails.engine import PolicySet
from guardrails.errors import ConfigurationError, PolicyError
from guardrails.language.loader import load
from guardrails.language.rego import opa_server
from guardrails.language.rego.opa_server import OpaServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from guardrails.decision import Decision
    from guardrails.engine import Facts

    Reply = Callable[["Handler"], None]

MODULE = """package guardrails.pay.eu
allow if input.arguments.amount < 10
deny contains "evil" if input.arguments.to == "evil"
"""
URL = "/opa/v1/data/guardrails/pay/eu?strict-builtin-errors=true"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    replies: list[Reply]
    seen: list[tuple[str, dict[str, str], Any, tuple[str, int]]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.path, dict(self.headers), body, self.client_address))
        (self.replies.pop(0) if len(self.replies) > 1 else self.replies[0])(self)

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def evaluate(handler: Handler) -> None:
    """Answer as OPA would with the module."""
    given = handler.seen[-1][2]["input"]["arguments"]
    result: dict[str, Any] = {"deny": ["evil"] if given.get("to") == "evil" else []}
    if given["amount"] < 10:
        result["allow"] = True
    handler.send(json.dumps({"result": result}).encode())


def reply(body: object, status: int = 200, **headers: str) -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda handler: handler.send(data, status, **headers)


def drip(handler: Handler) -> None:
    """Answer a byte at a time, each within any limit for a single one."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(20):
        handler.wfile.write(b" ")
        time.sleep(0.05)
    handler.close_connection = True


def sleep(handler: Handler) -> None:
    time.sleep(0.6)
    handler.close_connection = True


def hang_up(handler: Handler) -> None:
    handler.connection.close()
    handler.close_connection = True


def cut_short(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"result": {"allow": true')
    handler.close_connection = True


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that has gone."""


@contextmanager
def opa(*replies: Reply, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, type[Handler]]]:
    handler = type("One", (Handler,), {"replies": list(replies or (evaluate,)), "seen": []})
    server = Quiet(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/opa", handler
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def policies(tmp_path: Path, url: str, more: str = "", timeout: int = 300) -> Iterator[PolicySet]:
    folder = tmp_path / "policies"
    folder.mkdir(exist_ok=True)
    (folder / "pay.rego").write_text(MODULE)
    (folder / "tools.yaml").write_text("version: 1\npolicy: t\ntools: {pay: {traits: [spend]}}\n")
    settings = f'[rego]\nengine = "{url}"\ntimeout_ms = {timeout}\n{more}'
    (tmp_path / "guardrails.toml").write_text(settings)
    bundle = load(folder)
    yield PolicySet(bundle)
    module = bundle.documents[-1].rules[0].module
    assert module is not None
    module.engine.close()


def decide(policies: PolicySet, facts: Facts, **arguments: Any) -> Decision:
    return policies.decide(Action("pay", arguments), facts)


def test_a_server_is_asked_for_the_package_with_the_action_as_input(
    tmp_path: Path, facts: Facts
) -> None:
    with opa() as (url, handler), policies(tmp_path, url) as made:
        assert decide(made, facts, amount=5).effect is Effect.ALLOW
        denied = decide(made, facts, amount=5, to="evil")
        assert [match.rule for match in denied.matches] == ["pay.eu/allow", "pay.eu/deny"]
        assert denied.message == "evil"
        assert decide(made, facts, amount=50).matches == ()
    path, headers, body, _ = handler.seen[0]
    assert path == URL
    assert headers["Content-Type"] == "application/json"
    assert body["input"]["tool"] == "pay"
    assert body["input"]["arguments"] == {"amount": 5}
    assert len({address for *_, address in handler.seen}) == 1, "the connection is kept"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (reply({}), "the OPA server does not know the package `guardrails.pay.eu`"),
        (reply({"result": True}), "the OPA server does not know the package `guardrails.pay.eu`"),
        (reply([]), "the OPA server does not know the package `guardrails.pay.eu`"),
        (reply(b"<html>"), "the OPA server answered with something that is no JSON"),
        (reply(b'{"result": {"allow": true}, "result": {}}'), "something that is no JSON"),
        (reply({"code": "internal_error"}, 500), "the OPA server answered with status 500"),
        (reply({"code": "unauthorized"}, 401), "the OPA server answered with status 401"),
        (reply({}, 302, Location="http://127.0.0.1:1/"), "answered with status 302"),
        (reply(b" " * 5_000_000), "the OPA server answered with more than can be an answer"),
        (sleep, "the OPA server took longer than 300 ms"),
        (drip, "the OPA server took longer than 300 ms"),
        (hang_up, "the OPA server can't be asked: the connection failed"),
        (cut_short, "the OPA server can't be asked: the connection failed"),
    ],
    ids=[
        "no package", "no rules", "no object", "no JSON", "a key twice", "an error", "no right",
        "a redirect", "no end", "slow", "slow by the byte", "hung up", "cut short",
    ],
)  # fmt: skip
def test_whatever_is_no_answer_is_closed_and_the_next_decision_is_right(
    given: Reply, error: str, tmp_path: Path, facts: Facts
) -> None:
    with opa(given, evaluate) as (url, _), policies(tmp_path, url) as made:
        began = time.monotonic()
        decision = decide(made, facts, amount=5)
        assert time.monotonic() - began < 0.55
        assert decision.effect is Effect.DENY
        assert [match.rule for match in decision.matches] == ["pay.eu/deny", "pay.eu/module"]
        assert all(error in str(match.error) for match in decision.matches)
        assert decide(made, facts, amount=5).effect is Effect.ALLOW


def test_a_set_that_the_server_lacks_is_an_error_not_empty(tmp_path: Path, facts: Facts) -> None:
    with opa(reply({"result": {"allow": True}})) as (url, _), policies(tmp_path, url) as made:
        decision = decide(made, facts, amount=5)
    assert [match.rule for match in decision.matches] == ["pay.eu/allow", "pay.eu/deny"]
    assert decision.matches[1].error == "the OPA server does not know the rule `deny`"


def test_a_server_that_is_away_is_closed(tmp_path: Path, facts: Facts) -> None:
    with policies(tmp_path, "http://127.0.0.1:9") as made:
        decision = decide(made, facts, amount=5)
    assert decision.effect is Effect.DENY
    assert decision.matches[0].error == (
        "the OPA server can't be asked: the connection was refused"
    )


@pytest.mark.parametrize("told", [True, False])
def test_a_connection_that_the_server_closed_is_made_anew(
    tmp_path: Path, facts: Facts, told: bool
) -> None:
    def close(handler: Handler) -> None:
        if not told:
            evaluate(handler)
            handler.close_connection = True
            return
        body = json.dumps({"result": {"allow": True, "deny": []}}).encode()
        handler.send(body, Connection="close")

    with opa(close) as (url, handler), policies(tmp_path, url) as made:
        for _ in range(3):
            assert decide(made, facts, amount=5).effect is Effect.ALLOW
    assert len({address for *_, address in handler.seen}) == 3


def test_a_kept_connection_that_is_slow_is_not_asked_again(tmp_path: Path, facts: Facts) -> None:
    with opa(evaluate, sleep) as (url, handler), policies(tmp_path, url) as made:
        assert decide(made, facts, amount=5).effect is Effect.ALLOW
        assert decide(made, facts, amount=5).effect is Effect.DENY
        assert len(handler.seen) == 2


def test_no_more_connections_are_kept_than_are_of_use(
    tmp_path: Path, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opa_server, "MAX_IDLE", 0)
    with opa() as (url, handler), policies(tmp_path, url) as made:
        for _ in range(2):
            assert decide(made, facts, amount=5).effect is Effect.ALLOW
    assert len({address for *_, address in handler.seen}) == 2


def test_a_token_is_sent_and_a_new_one_is_taken(tmp_path: Path, facts: Facts) -> None:
    token = tmp_path / "token"
    token.write_text("one\n")
    with opa() as (url, handler), policies(tmp_path, url, 'token_file = "token"') as made:
        decide(made, facts, amount=5)
        token.write_text("two")
        decide(made, facts, amount=5)
        token.write_text("")
        assert decide(made, facts, amount=5).effect is Effect.DENY
    sent = [headers["Authorization"] for _, headers, *_ in handler.seen]
    assert sent == ["Bearer one", "Bearer two"]


def test_a_certificate_is_believed_by_the_authority_that_is_named(
    tmp_path: Path, facts: Facts
) -> None:
    make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    with opa(tls=tls) as (url, _):
        with policies(tmp_path, url, 'ca_file = "server.pem"', timeout=3000) as made:
            assert decide(made, facts, amount=5).effect is Effect.ALLOW
        with policies(tmp_path, url, timeout=3000) as made:
            decision = decide(made, facts, amount=5)
    assert decision.effect is Effect.DENY
    assert str(decision.matches[0].error).endswith("its certificate is not trusted")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ('engine = "opa.example.com"', "`rego.engine` is `embedded` or the URL of an OPA server"),
        ('engine = "http://opa.example.com"\ntoken_file = "t"', "over `https` only"),
        ('engine = "https://a:b@opa.example.com"', "the URL of an OPA server is"),
        ('engine = "https://opa.example.com"\nca_file = "none"', "a file can't be read"),
        ("timeout = 3", "`rego.timeout` is an unknown setting; did you mean `timeout_ms`?"),
        ("timeout_ms = 0", "`rego.timeout_ms` must be more than 0"),
        ("timeout_ms = true", "`rego.timeout_ms` is of another type than it must be"),
        ("packages = [1]", "`rego.packages` is a list of the names of packages"),
        ("engine = ", "is no TOML"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "t").write_text("token")
    (tmp_path / "guardrails.toml").write_text(f"[rego]\n{settings}\n")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "pay.rego").write_text(MODULE)
    with pytest.raises(PolicyError) as caught:
        load(tmp_path / "policies")
    assert problem in str(caught.value)


def test_a_closed_engine_answers_nothing(tmp_path: Path, facts: Facts) -> None:
    with opa() as (url, _):
        with policies(tmp_path, url) as made:
            pass
        assert decide(made, facts, amount=5).effect is Effect.DENY


def test_a_url_is_checked() -> None:
    with pytest.raises(ConfigurationError):
        OpaServer("https://")


def make_certificate(folder: Path) -> None:
    """A certificate of its own authority for 127.0.0.1."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "opa")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "server.pem").write_bytes(certificate.public_bytes(pem))
    form = serialization.PrivateFormat.PKCS8
    (folder / "server.key").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
