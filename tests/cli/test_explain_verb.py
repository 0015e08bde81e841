from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import guardrails as library
from guardrails.toolchain.recorded import find_decision, read_decision
from guardrails.values import Duration, MapKey, Opaque, Timestamp, UInt

POLICIES = str(Path(__file__).parent / "policies")
NOON = "2026-06-01T10:00:00Z"


def place(rule: str) -> str:
    lines = (Path(POLICIES) / "payments.yaml").read_text("utf-8").splitlines()
    return f"{POLICIES}/payments.yaml:{lines.index(f'  - id: {rule}') + 1}:5"


def explain(guardrails: Any, action: Any, *options: str) -> Any:
    stdin = action if type(action) in (str, bytes) else json.dumps(action)
    return guardrails("explain", "-p", POLICIES, "--now", NOON, *options, stdin=stdin)


MAIL = {
    "tool": "mail.send",
    "arguments": {"to": ["a@example.com", "b@evil.example"]},
    "context": {"environment": "dev"},
}


def test_an_explanation_as_text_shows_what_decided_with_carets_and_values(guardrails: Any) -> None:
    result = explain(guardrails, MAIL)
    assert result.exit_code == 1
    assert (
        result.stdout
        == f"""\
DENY  mail.send
  no rule allows it, and what no rule allows does not run (no_match)

deny      payments/nothing-at-night  did not match  {place("nothing-at-night")}
  - traits    the tool has `communicate`, `external` only

allow     payments/own-mail  did not match  {place("own-mail")}
  + tools     `mail.send` is named
  - when      false
              arguments.to.all(a, email_domain(a) in constants.domains) &&…
              {"^" * 57} false
              arguments.to = ["a@example.com", "b@evil.example"]
              …to.all(a, email_domain(a) in constants.domains) && context.e…
                         {"^" * 36} false
              email_domain(a) = "evil.example"
              a = "b@evil.example"
              constants.domains = ["example.com", "example.org"]
              …in(a) in constants.domains) && context.environment == "prod"
                                              {"^" * 29} false
              context.environment = "dev"

allow     payments/reading  did not match  {place("reading")}
  - traits    the tool also has `communicate`, `external`, not covered

rules that do not concern it: 4

what an allow would need
  - `payments/own-mail` allows it only if `arguments.to.all(a, email_domain(a) in \
constants.domains)` is true (now `arguments.to` is ["a@example.com", "b@evil.example"]), \
and `context.environment == "prod"` is true (now `context.environment` is "dev")
  - `payments/reading` allows it only if `traits` fits \
(the tool also has `communicate`, `external`, not covered)
"""
    )


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ({"tool": "files.read"}, 0),
        (MAIL, 1),
        ({"tool": "payments.transfer", "arguments": {"to": "A", "amount": 900}}, 3),
        ("{", 1),
        ("", 1),
        ({"tool": "payments.transfer", "arguments": {}}, 1),
    ],
)
def test_it_exits_as_check_does(guardrails: Any, action: Any, code: int) -> None:
    assert explain(guardrails, action).exit_code == code
    assert explain(guardrails, action, "--format", "json").exit_code == code


def test_what_is_no_action_is_explained_by_its_fault(guardrails: Any) -> None:
    assert (
        explain(guardrails, '{"tool": "x", "tool": "y"}').stdout
        == """\
DENY  no action
  it is not an action that can be judged (invalid_action)

what an allow would need
  - no rule was read: duplicate key `tool`
"""
    )


def test_an_explanation_as_json_holds_the_decision_that_check_prints(guardrails: Any) -> None:
    told = json.loads(explain(guardrails, MAIL, "--format", "json").stdout)
    checked = guardrails(
        "check", "-p", POLICIES, "--now", NOON, "--format", "json", stdin=json.dumps(MAIL)
    )
    assert told["decision"] == json.loads(checked.stdout)
    assert [rule["rule"] for rule in told["rules"]] == [
        "payments/nothing-at-night",
        "payments/own-mail",
        "payments/reading",
    ]


def test_values_of_an_action_cannot_draw_on_the_terminal(guardrails: Any) -> None:
    action = {"tool": "mail.send", "arguments": {"to": ["\x1b[2J\u202e@example.com"]}}
    told = explain(guardrails, action).stdout
    assert "\\u202e" in told
    assert "\x1b" not in told
    assert "\u202e" not in told


@pytest.mark.parametrize(
    "options", [["--log", "x"], ["--log", "x", "id", "--now", NOON], ["missing.json"]]
)
def test_wrong_usage_exits_with_2(guardrails: Any, options: list[str]) -> None:
    result = guardrails("explain", "-p", POLICIES, *options)
    assert (result.exit_code, result.stdout) == (2, "")


# --- decisions of a log --------------------------------------------------------------------------

POLICY = """
version: 1
policy: pay
context: {environment: {enum: [dev, prod]}}
tools:
  pay:
    traits: [spend]
    arguments: {to: {type: string}, amount: {type: integer}}
    mask: [to]
  ask: {traits: [read]}
rules:
  - {id: small, effect: allow, tools: pay, when: arguments.amount <= 100}
  - {id: blocked, effect: deny, tools: pay, when: arguments.to == "EVIL"}
  - id: asking
    effect: allow
    tools: ask
    when: >-
      arguments.q == "why" && context.environment == "prod" && subject.id == "agent-7"
      && "secret" in session.labels == false
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with policies and the log of four decisions by them."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "pay.yaml").write_text(POLICY)
    guard = library.Guard.load(tmp_path / "policies", log=tmp_path / "log")

    @guard.tool
    def pay(amount: Any, to: str = "ACME") -> None: ...

    @guard.tool
    def ask(q: Any, big: Any = None, raw: Any = None) -> None: ...

    @guard.tool
    def unknown() -> None: ...

    with (
        guard.session(subject="boss"),
        guard.session(subject="agent-7", roles=["ops"], context={"environment": "prod"}),
    ):
        pay(1)
        with pytest.raises(library.ActionDenied):
            ask("how", big=2**70, raw=b"\x00")
        with pytest.raises(library.ActionDenied):
            pay("many")
        with pytest.raises(library.ActionDenied):
            unknown()
    return tmp_path


def decisions(folder: Path) -> list[dict[str, Any]]:
    (file,) = (folder / "log").glob("*.jsonl")
    records = map(json.loads, file.read_text("utf-8").splitlines())
    return [record for record in records if record["kind"] == "decision"]


def explain_record(guardrails: Any, folder: Path, record: str, *options: str) -> Any:
    log, policies = str(folder / "log"), str(folder / "policies")
    return guardrails("explain", "-p", policies, "--log", log, record, *options)


def test_a_recorded_decision_is_explained_by_its_recorded_facts(
    guardrails: Any, folder: Path
) -> None:
    record = decisions(folder)[1]
    result = explain_record(guardrails, folder, record["id"])
    assert result.exit_code == 1
    told = result.stdout.splitlines()
    assert told[0] == f"recorded {record['timestamp']} as deny (no_match), {record['id']}"
    assert told[2] == "DENY  ask"
    assert "allow     pay/asking  did not match (for agent-7)" in result.stdout
    assert "allow     pay/asking  did not match (for boss)" in result.stdout
    assert '              arguments.q = "how"' in told
    assert "undetermined" not in result.stdout


def test_masked_arguments_leave_a_decision_undetermined(guardrails: Any, folder: Path) -> None:
    record = decisions(folder)[0]
    result = explain_record(guardrails, folder, record["id"])
    assert result.exit_code == 4
    told = result.stdout.splitlines()
    assert told[1] == "undetermined: masked in the log, so not to be judged again: `to`"
    assert told[3] == "ALLOW  pay"
    assert "  + when      true" in told
    assert "allow     pay/small  matched" in result.stdout
    assert "deny      pay/blocked  did not match" in result.stdout
    assert "it is masked in the log" in result.stdout
    assert "ACME" not in result.stdout


def test_by_other_policies_a_rule_that_reads_what_is_masked_can_not_be_told(
    guardrails: Any, folder: Path
) -> None:
    policy = folder / "policies" / "pay.yaml"
    policy.write_text(policy.read_text("utf-8").replace("EVIL", "OTHER"))
    result = explain_record(guardrails, folder, decisions(folder)[0]["id"])
    assert result.exit_code == 4
    assert "deny      pay/blocked  can't be told: it reads what is masked" in result.stdout
    assert "allow     pay/small  matched" in result.stdout


def test_the_same_as_json(guardrails: Any, folder: Path) -> None:
    record = decisions(folder)[0]
    result = explain_record(guardrails, folder, record["id"], "--format", "json")
    told = json.loads(result.stdout)
    assert result.exit_code == 4
    assert told["id"] == record["id"]
    assert told["recorded"] == record["result"]
    assert told["masked"] == ["to"]
    assert (told["same_policies"], told["undetermined"]) == (True, True)
    assert {rule["rule"]: rule["outcome"] for rule in told["rules"]} == {
        "pay/small": "matched",
        "pay/blocked": "not_matched",
    }


def test_an_undeclared_tool_is_explained_from_the_log(guardrails: Any, folder: Path) -> None:
    result = explain_record(guardrails, folder, decisions(folder)[3]["id"])
    assert result.exit_code == 1
    assert "`unknown` must be declared" in result.stdout


def test_arguments_that_did_not_fit_are_explained_from_the_log(
    guardrails: Any, folder: Path
) -> None:
    record = decisions(folder)[2]
    assert record["result"]["code"] == "invalid_arguments"
    result = explain_record(guardrails, folder, record["id"])
    assert "no rule was read: argument `amount` must be a whole number" in result.stdout


def test_an_outcome_leads_to_its_decision(guardrails: Any, folder: Path) -> None:
    (file,) = (folder / "log").glob("*.jsonl")
    records = map(json.loads, file.read_text("utf-8").splitlines())
    outcome = next(record for record in records if record["kind"] == "outcome")
    result = explain_record(guardrails, folder, outcome["id"])
    assert outcome["decision_id"] in result.stdout.splitlines()[0]


def test_other_policies_are_said_to_be_others(guardrails: Any, folder: Path) -> None:
    policy = folder / "policies" / "pay.yaml"
    policy.write_text(policy.read_text("utf-8").replace('"why"', '"how"'))
    record = decisions(folder)[1]
    result = explain_record(guardrails, folder, record["id"])
    revision = record["result"]["revision"]
    assert result.stdout.splitlines()[1].startswith(f"by other policies: {revision}; these are ")
    assert "undetermined" not in result.stdout


def test_a_record_that_the_same_policies_do_not_bear_out_is_undetermined(
    guardrails: Any, folder: Path
) -> None:
    (file,) = (folder / "log").glob("*.jsonl")
    record = decisions(folder)[1]
    file.write_text(file.read_text("utf-8").replace('"q":"how"', '"q":"why"'))
    changed = explain_record(guardrails, folder, record["id"])
    assert changed.exit_code == 1  # `boss` may not ask, whatever is asked
    file.write_text(file.read_text("utf-8").replace('"code":"no_match"', '"code":"undeclared"'))
    result = explain_record(guardrails, folder, record["id"])
    assert result.exit_code == 4
    assert "undetermined: the same policies decide otherwise" in result.stdout


def test_a_decision_that_the_log_lacks_is_an_error(guardrails: Any, folder: Path) -> None:
    result = explain_record(guardrails, folder, "nothing-1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{folder}/log: no decision `nothing-1` in this log\n"


@pytest.mark.parametrize(
    "change",
    [
        {"input": None},
        {"input": {"tool": 1, "arguments": {}}},
        {"input": {"tool": "x", "arguments": []}},
        {"result": {}},
        {"timestamp": "now"},
        {"types": {"/input/arguments/raw": "timestamp"}},
        {"types": 5},
        {"masked": 5},
        {"delegated_by": [{"name": "x"}]},
    ],
)
def test_a_record_in_another_form_is_an_error_of_the_log(
    folder: Path, change: dict[str, Any]
) -> None:
    record = {**find_decision(str(folder / "log"), decisions(folder)[1]["id"]), **change}
    with pytest.raises(library.LogDamaged, match="can't be read as a decision"):
        read_decision(record)


def test_a_call_that_could_not_be_judged_is_explained_by_its_refusal(
    guardrails: Any, folder: Path
) -> None:
    (file,) = (folder / "log").glob("*.jsonl")
    record = decisions(folder)[3]
    text = file.read_text("utf-8").replace('"tool":"unknown"', '"tool":"un known"')
    file.write_text(text.replace('"code":"undeclared"', '"code":"invalid_action"'))
    result = explain_record(guardrails, folder, record["id"])
    assert result.exit_code == 1
    assert "it is not an action that can be judged (invalid_action)" in result.stdout


@pytest.mark.parametrize(
    ("written", "types", "value"),
    [
        ([1, {"a": "AA=="}], {"/1/a": "bytes"}, [1, {"a": b"\x00"}]),
        ("0x10", {"": "int"}, Opaque("an integer beyond 64 bits", 16)),
        ("3.5s", {"": "duration"}, Duration(3_500_000_000)),
        ("1970-01-01T00:00:01Z", {"": "timestamp"}, Timestamp(10**9)),
        ([[1, "x"], [True, "y"]], {"": "map", "/1/0": "key"}, {1: "x", MapKey.TRUE: "y"}),
        (5, {"": "uint"}, UInt(5)),
        ("an object", {"": "opaque"}, Opaque("an object")),
        ("\\ud800", {"": "escaped"}, "\\ud800"),
        ({"a/b": "x"}, {"/a~1b": "masked"}, {"a/b": Opaque("it is masked in the log")}),
    ],
)
def test_what_json_has_no_type_for_is_read_back(
    folder: Path, written: Any, types: dict[str, str], value: Any
) -> None:
    record = find_decision(str(folder / "log"), decisions(folder)[1]["id"])
    record["input"]["arguments"] = {"a": written}
    record["types"] = {f"/input/arguments/a{at}": kind for at, kind in types.items()}
    assert read_decision(record).values == {"a": value}


def test_values_are_read_back_as_they_were_judged(folder: Path) -> None:
    recorded = read_decision(find_decision(str(folder / "log"), decisions(folder)[1]["id"]))
    assert recorded.tool == "ask"
    assert recorded.values["raw"] == b"\x00"
    assert recorded.values["big"].integer == 2**70
    assert [subject.id for subject in recorded.circumstances.chain] == ["boss", "agent-7"]
    assert recorded.circumstances.context == {"environment": "prod"}
