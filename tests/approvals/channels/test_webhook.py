"""Webhooks to a real receiver: what is sent, how it is signed, and what of each answer."""

from __future__ import annotations

import json
import ssl
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from guardrails.approvals.channels.channel import Notice
from guardrails.approvals.channels.message import write_message
from guardrails.approvals.channels.signature import check_message, read_secret
from guardrails.approvals.channels.webhook import Webhook
from guardrails.approvals.request import Status
from guardrails.errors import CallbackRefused, ConfigurationError, DeliveryFailed
from tests.approvals.channels.receiver import Receiver
from tests.approvals.scenes import START, decide, request

if TYPE_CHECKING:
    from pathlib import Path

    from guardrails.approvals.sql_store import SqlStore

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the example of the specification
KEY = read_secret(SECRET)
OTHER = bytes(range(32))


def notice(event: str = "opened", actor: str = "agent-7", **parts: Any) -> Notice:
    return Notice("r.1", event, actor, START, request(**parts))


def webhook(receiver: Receiver, **settings: Any) -> Webhook:
    given: dict[str, Any] = {"write": write_message, "keys": (KEY,), **settings}
    return Webhook("desk", receiver.url, **given)


def test_a_notice_is_posted_as_json_with_all_that_was_judged(receiver: Receiver) -> None:
    sent = notice(arguments={"to": "ACME", "amount": 900.0, "note": b"\x00", "lines": [1, 1.0]})
    inbox = "https://inbox.example.com/"
    webhook(receiver, write=partial(write_message, inbox=inbox)).deliver(sent)
    (got,) = receiver.received
    assert (got.path, got.headers["content-type"]) == ("/hook", "application/json")
    form = json.loads(got.body)
    asked = sent.request
    assert (form["type"], form["timestamp"]) == ("approval.opened", "2027-01-15T08:00:00Z")
    assert form["data"]["link"] == f"https://inbox.example.com/requests/{asked.id}"
    told = form["data"]["request"]
    assert told["arguments"] == {"to": "ACME", "amount": 900.0, "note": "AA==", "lines": [1, 1.0]}
    assert '["key"' not in told["exact"]
    assert '["bytes","AA=="]' in told["exact"]
    assert told["content"] == asked.content
    assert told["expires"] == "2027-01-15T08:30:00Z"
    assert told["context"] == {"environment": "prod"}
    assert told["subjects"][0] == {
        "id": "agent-7",
        "roles": ["billing"],
        "on_behalf_of": "dana@example.com",
    }


def test_what_is_withheld_is_not_sent(receiver: Receiver) -> None:
    write = partial(write_message, arguments=False)
    webhook(receiver, write=write).deliver(notice(arguments={"to": "s3cret"}))
    assert b"s3cret" not in receiver.received[0].body
    assert b"prod" not in receiver.received[0].body


def test_a_notice_tells_how_people_voted(receiver: Receiver, store: SqlStore) -> None:
    asked = decide(store, store.open(request()), Status.APPROVED)
    webhook(receiver).deliver(Notice("r.2", "approved", "fay@example.com", START, asked))
    form = json.loads(receiver.received[0].body)["data"]
    assert (form["actor"], form["link"]) == ("fay@example.com", None)
    assert form["request"]["votes"] == [
        {
            "voter": "fay@example.com",
            "outcome": "approve",
            "comment": "",
            "at": "2027-01-15T08:00:00Z",
        }
    ]


def test_every_key_signs_so_that_one_can_replace_another(receiver: Receiver) -> None:
    webhook(receiver, keys=(KEY, OTHER)).deliver(notice())
    (got,) = receiver.received
    for keys in ((KEY,), (OTHER,)):
        message_id, seconds = check_message(keys, got.headers, got.body)
        assert message_id == "r.1"
        assert abs(seconds - time.time()) < 60
    with pytest.raises(CallbackRefused, match="does not hold"):
        check_message((bytes(32),), got.headers, got.body)


def test_the_signature_is_that_of_the_specification() -> None:
    # github.com/standard-webhooks/standard-webhooks, the example of its libraries
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    body = b'{"test": 2432232314}'
    assert check_message((KEY,), headers, body) == ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no secret"):
        read_secret(text)


@pytest.mark.parametrize(
    ("status", "headers", "message", "after_s", "final"),
    [
        (500, {}, "the address answers 500", 0.0, False),
        (429, {"retry-after": "30"}, "the address answers 429", 30.0, False),
        (503, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, "answers 503", 0.0, False),
        (410, {}, "the address answers 410", 0.0, True),
        (302, {"location": "http://127.0.0.1:1/"}, r"redirect \(302\), which is not", 0.0, False),
        (307, {"location": "/elsewhere"}, r"redirect \(307\), which is not", 0.0, False),
    ],
)
def test_an_answer_that_is_no_success_is_a_failure(
    receiver: Receiver,
    status: int,
    headers: dict[str, str],
    message: str,
    after_s: float,
    final: bool,
) -> None:
    receiver.answers = [(status, headers)]
    with pytest.raises(DeliveryFailed, match=message) as failed:
        webhook(receiver).deliver(notice())
    assert (failed.value.after_s, failed.value.final) == (after_s, final)
    assert len(receiver.received) == 1


def test_an_address_that_does_not_answer_is_given_up_in_time(receiver: Receiver) -> None:
    receiver.hold.clear()
    began = time.monotonic()
    with pytest.raises(DeliveryFailed, match="does not answer in time"):
        webhook(receiver, timeout_s=0.3).deliver(notice())
    assert time.monotonic() - began < 5


def test_nobody_at_the_address_is_a_failure_that_tells_no_secret(receiver: Receiver) -> None:
    channel = webhook(receiver)
    receiver.close()
    with pytest.raises(DeliveryFailed) as failed:
        channel.deliver(notice())
    assert str(failed.value) == "nobody answers there"
    assert "127.0.0.1" not in repr(channel)
    assert "keys" not in repr(channel)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://example.com/hook", "is `https`"),
        ("http://127.0.0.1.example.com/", "is `https`"),
        ("https://user:word@example.com/", "no user name"),
        ("ftp://example.com/", "begins with `https://`"),
        ("https://", "begins with `https://`"),
        ("https://[", "can't be read"),
        ("https://example.com:port/", "can't be read"),
    ],
)
def test_an_address_that_others_could_listen_to_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Webhook("desk", url, write_message)


def test_without_its_extra_a_webhook_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardrails.approvals.channels.webhook.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'policy-guardrails\[server\]'"):
        Webhook("desk", "https://desk.example.com/", write_message)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    receiver = Receiver(self_signed(tmp_path))
    try:
        url = receiver.url.replace("http", "https").replace("127.0.0.1", "localhost")
        with pytest.raises(DeliveryFailed, match="its certificate is not valid"):
            Webhook("desk", url, write_message).deliver(notice())
        assert receiver.received == []
    finally:
        receiver.close()


def self_signed(folder: Path) -> ssl.SSLContext:
    """What a server presents that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
