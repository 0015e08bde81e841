"""What the records of the decision log say."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.audit.log import DecisionLog
from guardrails.audit.reading import Filter, records
from guardrails.audit.records import Encoder
from guardrails.decision import Code, Decision, Effect, RuleMatch, UsedException
from guardrails.errors import ConfigurationError
from guardrails.values import Timestamp

if TYPE_CHECKING:
    from pathlib import Path


def only(folder: Path, kind: str) -> dict[str, Any]:
    (record,) = records(folder, Filter(kind=kind))
    return record.data


def fields(encoded: bytes) -> dict[str, Any]:
    data = json.loads(b"{" + encoded[1:] + b"}")
    assert isinstance(data, dict)
    return data


def test_a_decision_tells_the_action_as_check_reads_it_and_the_decision_as_check_prints_it(
    folder: Path, entry: Any
) -> None:
    decision = Decision(
        Effect.DENY,
        Code.RULE,
        (RuleMatch("pay/large", Effect.DENY, error="a missing key", observed=False),),
        (RuleMatch("pay/small", Effect.ALLOW, error="a wrong type"),),
        would=Effect.DENY,
        message="Too much.",
        revision="ab" * 32,
        exceptions=(UsedException("pay/night", "FIN-131"),),
    )
    subject = {"id": "agent-7", "roles": ["billing"], "on_behalf_of": "dana", "attributes": {}}
    log = DecisionLog(folder, clock=lambda: 1_772_366_400_123_456_789)
    record = log.decision(
        entry(
            "payments.transfer",
            arguments={"to": "ACME", "amount": 900.5},
            decision=decision,
            subjects=(subject,),
            session_id="s-1",
            labels=("untrusted", "confidential"),
            context={"environment": "prod"},
        )
    )
    data = only(folder, "decision")
    assert data["id"] == data["decision_id"] == record
    assert record == f"{only(folder, 'start')['chain']}-1"
    assert data["sequence"] == 1
    assert data["timestamp"] == "2026-03-01T12:00:00.123456Z"
    assert data["input"] == {
        "tool": "payments.transfer",
        "arguments": {"to": "ACME", "amount": 900.5},
        "subject": subject,
        "context": {"environment": "prod"},
        "session": {"id": "s-1", "labels": ["confidential", "untrusted"]},
    }
    assert data["result"] == decision.as_json()
    assert data["enforced"] is True
    assert data.keys() == {
        "sequence", "id", "timestamp", "kind", "decision_id", "input", "digest", "result",
        "enforced", "prev", "hash",
    }  # fmt: skip


def test_what_is_unknown_is_left_out_of_the_input(entry: Any) -> None:
    data = fields(Encoder().decision(entry("wipe", arguments={})))
    assert data["input"] == {"tool": "wipe", "arguments": {}}


def test_the_digest_is_that_of_the_action_and_the_same_for_every_order_of_arguments(
    entry: Any,
) -> None:
    one = fields(Encoder().decision(entry(arguments={"a": 1, "b": "é"})))
    other = fields(Encoder().decision(entry(arguments={"b": "é", "a": 1}, session_id="s")))
    canonical = '{"arguments":{"a":1,"b":"é"},"tool":"pay"}'.encode()
    assert one["digest"] == f"sha256:{hashlib.sha256(canonical).hexdigest()}"
    assert one["digest"] == other["digest"]


def test_a_masked_argument_leaves_nothing_of_its_value(entry: Any) -> None:
    short = Encoder().decision(entry(arguments={"to": "x", "n": 1}, masked=("to", "absent")))
    long = Encoder().decision(entry(arguments={"to": "secret" * 50, "n": 1}, masked=("to",)))
    assert short == long
    data = fields(long)
    assert data["input"]["arguments"] == {"to": "***", "n": 1}
    assert data["masked"] == ["/input/arguments/to"]


def test_a_masked_name_is_told_as_a_json_pointer(entry: Any) -> None:
    data = fields(Encoder().decision(entry(arguments={"a/b~c": 1}, masked=("a/b~c",))))
    assert data["masked"] == ["/input/arguments/a~1b~0c"]


def test_a_mask_whose_argument_is_absent_changes_nothing(entry: Any) -> None:
    data = fields(Encoder().decision(entry(arguments={"n": 1}, masked=("to",))))
    assert data["input"]["arguments"] == {"n": 1}
    assert "masked" not in data


def test_with_a_key_the_whole_is_digested_so_that_only_its_holder_can_test_a_guess(
    entry: Any,
) -> None:
    masked = entry(arguments={"pin": "1234"}, masked=("pin",))
    data = fields(Encoder(b"k" * 32).decision(masked))
    whole = b'{"arguments":{"pin":"1234"},"tool":"pay"}'
    expected = hmac.new(b"k" * 32, whole, "sha256").hexdigest()
    assert data["keyed_digest"] == f"hmac-sha256:{expected}"
    shown = b'{"arguments":{"pin":"***"},"tool":"pay"}'
    assert data["digest"] == f"sha256:{hashlib.sha256(shown).hexdigest()}"


def test_values_that_json_lacks_are_told_by_their_kind(entry: Any) -> None:
    data = fields(Encoder().decision(entry(arguments={"at": Timestamp(0)}, context={"x": b""})))
    assert data["types"] == {"/input/arguments/at": "timestamp", "/input/context/x": "bytes"}
    assert data["input"]["arguments"]["at"] == "1970-01-01T00:00:00Z"


def test_a_null_argument_is_written_as_one(entry: Any) -> None:
    data = fields(Encoder().decision(entry(arguments={"to": None})))
    assert data["input"]["arguments"] == {"to": None}
    assert "types" not in data


def test_a_delegation_names_who_delegated(entry: Any) -> None:
    chain = ({"id": "planner"}, {"id": "worker"})
    data = fields(Encoder().decision(entry(subjects=chain)))
    assert data["input"]["subject"] == {"id": "worker"}
    assert data["delegated_by"] == [{"id": "planner"}]


def test_approvers_and_gradual_adoption_are_told(entry: Any) -> None:
    data = fields(Encoder().decision(entry(approvers=("dana", "lee"), enforced=False)))
    assert data["approvers"] == ["dana", "lee"]
    assert data["enforced"] is False


def test_decisions_are_remembered_by_identity_and_never_mixed_up(entry: Any) -> None:
    encoder = Encoder()
    for number in range(3000):
        decision = Decision(Effect.DENY, Code.RULE, message=f"number {number}")
        assert fields(encoder.decision(entry(decision=decision)))["result"] == decision.as_json()


def test_an_outcome_names_its_decision(folder: Path, entry: Any) -> None:
    log = DecisionLog(folder)
    record = log.decision(entry())
    log.outcome(record, "raised", 1234, "ValueError")
    data = only(folder, "outcome")
    assert data["decision_id"] == record
    assert data["id"].endswith("-2")
    assert (data["outcome"], data["duration_ns"], data["error"]) == ("raised", 1234, "ValueError")


def test_an_outcome_without_an_error_has_no_such_field(folder: Path, call: Any) -> None:
    call(DecisionLog(folder))
    assert "error" not in only(folder, "outcome")


def test_an_outcome_that_json_can_not_hold_is_written_with_that_told(folder: Path) -> None:
    log = DecisionLog(folder)
    log.outcome("x-1", "raised", 1, "Error\ud800")
    data = only(folder, "outcome")
    assert data["error"] == "Error\\ud800"
    assert data["types"] == {"/error": "escaped"}


def test_an_event_holds_its_fields(folder: Path) -> None:
    log = DecisionLog(folder)
    record = log.event("load", revision="ab", documents=3, blob=b"x")
    data = only(folder, "load")
    assert data["id"] == record
    assert (data["revision"], data["documents"], data["blob"]) == ("ab", 3, "eA==")
    assert data["types"] == {"/blob": "bytes"}


def test_an_event_needs_no_fields(folder: Path) -> None:
    DecisionLog(folder).event("stop")
    assert only(folder, "stop").keys() == {
        "sequence", "id", "timestamp", "kind", "prev", "hash",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["start", "continue", "rotate", "end", "decision", "outcome"])
def test_an_event_can_not_pass_for_a_record_of_the_log_itself(folder: Path, kind: str) -> None:
    with pytest.raises(ConfigurationError, match=f"`{kind}` is a kind of record that the log"):
        DecisionLog(folder).event(kind)


@pytest.mark.parametrize("kind", ["", 'a"b', "Load", "two words", "x" * 65, "stop\n"])
def test_a_kind_that_is_no_word_is_refused(folder: Path, kind: str) -> None:
    with pytest.raises(ConfigurationError, match="a kind of record is a lower-case word"):
        DecisionLog(folder).event(kind)


@pytest.mark.parametrize("field", ["sequence", "prev", "hash", "seal", "id", "timestamp"])
def test_an_event_can_not_bring_a_field_of_the_chain(folder: Path, field: str) -> None:
    with pytest.raises(ConfigurationError, match=f"`{field}` is a field that the log writes"):
        DecisionLog(folder).event("load", **{field: "x"})
