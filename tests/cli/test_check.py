from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from guardrails.action_json import MAX_BYTES, parse_action
from guardrails.engine import Facts
from guardrails.errors import InvalidActionError
from guardrails.guard import load_policies
from guardrails.instants import parse_timestamp

if TYPE_CHECKING:
    from click.testing import Result

POLICIES = str(Path(__file__).parent / "policies")
PLACE = f"{POLICIES}/payments.yaml"
NOON = "2026-06-01T10:00:00Z"
NIGHT = "2026-06-01T02:30:00Z"
CLERK = {"id": "agent-7", "roles": ["billing"]}


def transfer(amount: Any, **rest: Any) -> str:
    arguments = {"to": "ACME", "amount": amount}
    return json.dumps({"tool": "payments.transfer", "arguments": arguments, **rest})


def check(guardrails: Any, stdin: str | bytes, *options: str, now: str = NOON) -> Result:
    result: Result = guardrails("check", "-p", POLICIES, "--now", now, *options, stdin=stdin)
    return result


def decision(guardrails: Any, stdin: str | bytes, *options: str, now: str = NOON) -> Any:
    return json.loads(check(guardrails, stdin, "--format", "json", *options, now=now).stdout)


@pytest.mark.parametrize(
    ("text", "now", "code", "effect", "rules"),
    [
        (transfer(20, subject=CLERK), NOON, 0, "allow", ["payments/small-payments"]),
        (transfer(900, subject=CLERK), NOON, 3, "escalate", ["payments/large-payments"]),
        (
            transfer(20, subject=CLERK),
            NIGHT,
            1,
            "deny",
            ["payments/nothing-at-night", "payments/small-payments"],
        ),
        (transfer(20), NOON, 1, "deny", []),
        ('{"tool": "files.read"}', NOON, 0, "allow", ["payments/reading"]),
        ('{"tool": "files.write"}', NOON, 1, "deny", []),
    ],
)
def test_the_exit_code_is_that_of_the_effect(
    guardrails: Any, text: str, now: str, code: int, effect: str, rules: list[str]
) -> None:
    result = check(guardrails, text, "--format", "json", now=now)
    told = json.loads(result.stdout)
    assert (result.exit_code, told["effect"]) == (code, effect)
    matched = [match["rule"] for match in told["matches"] if not match["observed"]]
    assert matched == rules
    assert result.stderr == ""


def test_a_decision_as_json_has_the_fields_of_the_contract(guardrails: Any) -> None:
    told = decision(guardrails, transfer(900, subject=CLERK))
    assert told == {
        "effect": "escalate",
        "code": "rule",
        "matches": [
            {
                "rule": "payments/large-payments",
                "effect": "escalate",
                "error": None,
                "observed": False,
            },
            {
                "rule": "payments/no-notes",
                "effect": "deny",
                "error": told["matches"][1]["error"],
                "observed": True,
            },
        ],
        "errors": [],
        "would": "deny",
        "message": "Payments above 500 need two approvers from finance.",
        "revision": told["revision"],
    }
    assert told["matches"][1]["error"]


def place(rule: str) -> str:
    """Where a rule stands: its file, and the line and column of its first key."""
    lines = (Path(POLICIES) / "payments.yaml").read_text("utf-8").splitlines()
    return f"{PLACE}:{lines.index(f'  - id: {rule}') + 1}:5"


def test_a_decision_as_text_names_rules_places_and_the_message(guardrails: Any) -> None:
    result = check(guardrails, transfer(900, subject={"id": "agent-7"}), now=NIGHT)
    revision = decision(guardrails, transfer(900), now=NIGHT)["revision"]
    assert result.exit_code == 1
    assert (
        result.stdout
        == f"""\
DENY  payments.transfer
  a rule forbids it

matched
  deny      payments/no-notes  (only observed)  {place("no-notes")}
            error: `arguments.note` is missing
  deny      payments/nothing-at-night  {place("nothing-at-night")}
  escalate  payments/large-payments  {place("large-payments")}
            Four-eyes rule FIN-12.

message to the agent
  No money moves at night.

policies {revision}
"""
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty where an action is expected"),
        ("{}", "no `tool`: an action names the tool it calls"),
        ('{"tool": "pay", "tool": "pay"}', "duplicate key `tool`"),
        ("\ufeff{}", "starts with a byte order mark; save it as UTF-8 without one"),
        (b"\xff", "not UTF-8: byte 1 is invalid"),
        ('{"tool": "\\ud800"}', "`\\ud800` is a lone surrogate, not a character"),
    ],
)
def test_what_is_no_action_is_denied_with_the_reason(
    guardrails: Any, text: str | bytes, message: str
) -> None:
    told = decision(guardrails, text)
    assert (told["effect"], told["code"], told["message"]) == ("deny", "invalid_action", message)
    assert check(guardrails, text).exit_code == 1
    assert f"\n  {message}\n" in check(guardrails, text).stdout


@pytest.mark.parametrize(
    "name",
    ["Payments.transfer\u200b", "p\u0430yments.transfer", "payments.transfer ", "", "x" * 129],
)
def test_a_name_that_no_tool_can_have_is_refused(guardrails: Any, name: str) -> None:
    assert decision(guardrails, json.dumps({"tool": name}))["code"] == "invalid_action"


def test_arguments_that_do_not_fit_are_refused_with_the_field(guardrails: Any) -> None:
    told = decision(guardrails, transfer("20"))
    assert (told["effect"], told["code"]) == ("deny", "invalid_arguments")
    assert "amount" in told["message"]


def test_an_exception_that_was_used_is_told(guardrails: Any) -> None:
    text = transfer(20, subject={"id": "agent-9", "roles": ["billing"]})
    result = check(guardrails, text, now=NIGHT)
    assert result.exit_code == 0
    assert "\nexcepted\n  payments/nothing-at-night: FIN-131, migration\n" in result.stdout


def test_what_an_observed_rule_would_do_is_told(guardrails: Any) -> None:
    told = check(guardrails, transfer(20, subject=CLERK)).stdout
    assert "\nwith the observed rules in force it would be deny\n" in told


def test_control_characters_of_an_action_never_reach_the_terminal(guardrails: Any) -> None:
    text = json.dumps({"tool": "payments.transfer", "arguments": {"to\x1b[2J\u202e": 1}})
    for form in ("text", "json"):
        out = check(guardrails, text, "--format", form).output
        assert "\x1b" not in out
        assert "\u202e" not in out


def test_the_action_can_stand_in_a_file(guardrails: Any, tmp_path: Path) -> None:
    file = tmp_path / "action.json"
    file.write_text(transfer(900))
    assert check(guardrails, "", str(file)).exit_code == 3
    assert check(guardrails, transfer(900), "-").exit_code == 3


@pytest.mark.parametrize(
    "options",
    [
        ["no-such-file.json"],
        ["--now", "yesterday"],
        ["--now", "2026-06-01T10:00:00"],
        ["--format", "xml"],
        ["one", "two"],
    ],
)
def test_wrong_usage_exits_with_2_and_decides_nothing(guardrails: Any, options: list[str]) -> None:
    result = guardrails("check", "-p", POLICIES, *options, stdin=transfer(20))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: guardrails check" in result.stderr


def test_a_time_without_an_offset_is_explained(guardrails: Any) -> None:
    result = guardrails("check", "--now", "2026-06-01T10:00:00", stdin="{}")
    assert "a timestamp must be RFC 3339, such as 2027-01-08T09:30:00Z" in result.stderr


def test_policies_that_do_not_load_exit_with_2(guardrails: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("version: 1\npolicy: p\nruels: []\n")
    for options in ([], ["--batch"], ["--format", "json"]):
        result = guardrails("check", "-p", str(tmp_path), *options, stdin=transfer(20))
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"{tmp_path}/bad.yaml:3:1: unknown key `ruels`" in result.stderr


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_without_policies_there_is_no_decision(
    guardrails: Any, tmp_path: Path, folder: str
) -> None:
    (tmp_path / "empty").mkdir()
    result = guardrails("check", "-p", str(tmp_path / folder), stdin=transfer(20))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(str(tmp_path / folder))


def test_the_folder_is_by_default_policies_or_what_the_environment_names(
    guardrails: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(POLICIES, tmp_path / "policies")
    monkeypatch.chdir(tmp_path)
    assert guardrails("check", stdin=transfer(900)).exit_code in (1, 3)
    monkeypatch.setenv("GUARDRAILS_POLICIES", str(tmp_path / "elsewhere"))
    assert guardrails("check", stdin=transfer(900)).exit_code == 2


# --- many actions -------------------------------------------------------------------------------


def batch(guardrails: Any, lines: bytes | str, *options: str, now: str = NOON) -> Result:
    return check(guardrails, lines, "--batch", *options, now=now)


def test_every_line_is_answered_in_order_and_the_strictest_exits(guardrails: Any) -> None:
    lines = [transfer(20, subject=CLERK), "", "{", transfer(900), '{"tool": "files.read"}']
    result = batch(guardrails, "\n".join(lines))
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(each["effect"], each["code"]) for each in told] == [
        ("allow", "rule"),
        ("deny", "invalid_action"),
        ("deny", "invalid_action"),
        ("escalate", "rule"),
        ("allow", "rule"),
    ]
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (['{"tool": "files.read"}'] * 3, 0),
        (['{"tool": "files.read"}', transfer(900)], 3),
        ([transfer(900), '{"tool": "files.read"}'], 3),
        ([transfer(900), '{"tool": "nothing"}'], 1),
    ],
)
def test_a_batch_exits_with_its_strictest_effect(
    guardrails: Any, lines: list[str], code: int
) -> None:
    assert batch(guardrails, "\n".join(lines) + "\n").exit_code == code


def test_an_empty_batch_is_an_error_never_an_allow(guardrails: Any) -> None:
    result = batch(guardrails, "")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no action to judge: the input is empty" in result.stderr


def test_a_batch_as_text_has_a_line_for_each_decision(guardrails: Any) -> None:
    lines = [transfer(20, subject=CLERK), transfer(900), "\x1b", '{"tool": "files.write"}']
    result = batch(guardrails, "\n".join(lines), "--format", "text")
    assert result.stdout.splitlines() == [
        "     1  allow     payments.transfer  rule  payments/small-payments",
        "     2  escalate  payments.transfer  rule  payments/large-payments",
        "     3  deny      -  invalid_action  malformed JSON at line 1, column 1: expecting value",
        "     4  deny      files.write  undeclared",
    ]


def test_a_line_without_end_is_answered_and_the_next_is_read(guardrails: Any) -> None:
    endless = '{"tool": "' + "x" * (2 * MAX_BYTES) + '"}'
    result = batch(guardrails, f'{endless}\n{{"tool": "files.read"}}\n{endless}')
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["code"] for each in told] == ["invalid_action", "rule", "invalid_action"]
    assert told[0]["message"] == "longer than 4,194,304 bytes"


def test_a_line_may_end_as_on_windows(guardrails: Any) -> None:
    assert batch(guardrails, '{"tool": "files.read"}\r\n{"tool": "files.read"}\r\n').exit_code == 0


JSON_LINES = st.lists(
    st.builds(
        lambda tool, amount, roles: json.dumps(
            {
                "tool": tool,
                "arguments": {"to": "ACME", "amount": amount},
                "subject": {"id": "a", "roles": roles},
            }
        ),
        st.sampled_from(["payments.transfer", "mail.send", "files.read", "none", "\u0430"]),
        st.none() | st.integers() | st.floats() | st.text(max_size=3),
        st.lists(st.sampled_from(["billing", "finance", ""]), max_size=2),
    )
    | st.sampled_from(["", "{", "[]", "null", '{"tool": 1}']),
    min_size=1,
    max_size=5,
)
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(JSON_LINES)
def test_a_batch_agrees_with_reading_and_deciding_each_line(
    guardrails: Any, lines: list[str]
) -> None:
    policies = load_policies(POLICIES)
    facts = Facts(parse_timestamp(NOON).ns)
    told = [
        json.loads(line) for line in batch(guardrails, "\n".join(lines) + "\n").stdout.splitlines()
    ]
    assert len(told) == len(lines)
    for line, answer in zip(lines, told, strict=True):
        try:
            assert answer == policies.decide(parse_action(line), facts).as_json()
        except InvalidActionError as error:
            expected = ("deny", "invalid_action", str(error))
            assert (answer["effect"], answer["code"], answer["message"]) == expected


@QUICK
@given(st.binary(min_size=1, max_size=300))
@example(b"\n")
@example(b"\x00\n\xff\n\r\n")
@example(b'{"tool": "files.read"}\n\xed\xa0\x80')
def test_any_bytes_give_one_decision_a_line_and_never_a_traceback(
    guardrails: Any, data: bytes
) -> None:
    result = batch(guardrails, data)
    lines = data.removesuffix(b"\n").split(b"\n")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(told) == len(lines)
    assert result.exit_code in (0, 1, 3)
    assert {each["effect"] for each in told} <= {"allow", "deny", "escalate"}


# --- as a real process ---------------------------------------------------------------------------


def start(*options: str, **settings: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "guardrails", "check", "-p", POLICIES, *options]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **settings,
    )


def test_a_process_exits_as_the_contract_says() -> None:
    for text, code in [('{"tool": "files.read"}', 0), ("", 1), (transfer(900), 3)]:
        with start("--now", NOON) as process:
            out, err = process.communicate(text.encode())
        assert (process.returncode, err) == (code, b"")
        assert out


def test_each_answer_comes_before_the_next_line_is_sent() -> None:
    with start("--batch") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            process.stdin.write(b'{"tool": "files.read"}\n')
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["effect"] == "allow"
        process.stdin.close()
        assert process.wait(10) == 0


def test_a_reader_that_leaves_gets_no_traceback_and_no_success() -> None:
    with start("--batch") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b'{"tool": "files.read"}\n')
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b'{"tool": "files.read"}\n' * 50)
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(10) == 2


def test_a_closed_standard_input_is_an_error() -> None:
    shell = f'"{sys.executable}" -m guardrails check -p "{POLICIES}" <&-'
    result = subprocess.run(["sh", "-c", shell], capture_output=True, check=False)
    assert result.returncode in (1, 2)
    assert b"Traceback" not in result.stderr


def test_a_closed_standard_output_still_exits_with_the_effect() -> None:
    shell = f'"{sys.executable}" -m guardrails check -p "{POLICIES}" >&-'
    result = subprocess.run(
        ["sh", "-c", shell], input=b'{"tool": "none"}', capture_output=True, check=False
    )
    assert result.returncode == 1
    assert b"Traceback" not in result.stderr


def test_a_full_device_is_no_success() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    shell = f'"{sys.executable}" -m guardrails check -p "{POLICIES}" --batch >/dev/full'
    result = subprocess.run(
        ["sh", "-c", shell], input=b'{"tool": "files.read"}\n', capture_output=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr == b"no space left on device\n"


def test_thousands_of_lines_a_second_are_judged() -> None:
    lines = (transfer(20, subject=CLERK) + "\n").encode() * 4000
    began = time.perf_counter()
    with start("--batch") as process:
        out, _ = process.communicate(lines)
    seconds = time.perf_counter() - began
    assert out.count(b"\n") == 4000
    assert seconds < 4, f"4000 lines took {seconds:.1f} s"


def test_colour_is_for_terminals_only() -> None:
    pty = pytest.importorskip("pty", reason="no terminals here")
    for extra, coloured in ({}, True), ({"NO_COLOR": "1"}, False):
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", **extra}
        environment.pop("NO_COLOR", None) if coloured else None
        leader, follower = pty.openpty()
        command = [sys.executable, "-m", "guardrails", "check", "-p", POLICIES, "--now", NIGHT]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=follower, env=environment
        ) as process:
            process.communicate(transfer(900).encode())
        os.close(follower)
        told = os.read(leader, 65536)
        os.close(leader)
        assert (b"\x1b[1;31m" in told) is coloured
        assert b"DENY" in told
