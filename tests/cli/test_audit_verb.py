from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import guardrails

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
version: 1
policy: pay
tools:
  pay:
    traits: [spend]
    arguments: {to: {type: string}, amount: {type: integer}}
    mask: [to]
rules:
  - {id: small, effect: allow, tools: pay, when: arguments.amount <= 100}
  - {id: large, effect: deny, tools: pay, when: arguments.amount > 100}
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log with an allowed call, its outcome and a denied call."""
    return write_log(tmp_path / "log", tmp_path / "policies")


def write_log(log: Path, policies: Path) -> Path:
    policies.mkdir(exist_ok=True)
    (policies / "pay.yaml").write_text(POLICY)
    guard = guardrails.Guard.load(policies, log=log)

    @guard.tool
    def pay(to: str, amount: int) -> str:
        return "paid"

    with guard.session(subject="agent-7"):
        pay("ACME", 1)
        with pytest.raises(guardrails.ActionDenied):
            pay("ACME", 101)
    return log


def the_file(log: Path) -> Path:
    (file,) = log.glob("*.jsonl")
    return file


def change(log: Path, old: str, new: str) -> None:
    file = the_file(log)
    text = file.read_text("utf-8")
    assert old in text
    file.chmod(0o600)
    file.write_text(text.replace(old, new, 1), "utf-8")


def record_id(log: Path, effect: str) -> str:
    """The id of the first decision of that effect."""
    lines = map(json.loads, the_file(log).read_text("utf-8").splitlines())
    return next(
        str(line["id"])
        for line in lines
        if line["kind"] == "decision" and line["result"]["effect"] == effect
    )


def test_an_intact_log_exits_with_0_and_remarks_that_its_tail_is_not_proven(
    guardrails: Any, log: Path
) -> None:
    result = guardrails("audit", "verify", str(log))
    assert (result.exit_code, result.stderr) == (0, "")
    remark, verdict = result.stdout.splitlines()
    assert remark.startswith("remark  ")
    assert "tail not proven" in remark
    assert verdict.startswith("intact: ")
    assert verdict.endswith(" records in 1 chain, 1 file")


def test_an_altered_record_is_named_and_exits_with_1(guardrails: Any, log: Path) -> None:
    name = record_id(log, "deny")
    change(log, '"effect":"deny","errors"', '"effect":"allow","errors"')
    result = guardrails("audit", "verify", str(log))
    assert result.exit_code == 1
    assert f"broken  {the_file(log).name}:" in result.stdout
    assert name in result.stdout
    assert result.stdout.splitlines()[-1].startswith("broken: ")


def test_findings_as_json_name_file_line_and_record(guardrails: Any, log: Path) -> None:
    change(log, '"effect":"deny","errors"', '"effect":"allow","errors"')
    result = guardrails("audit", "verify", str(log), "--format", "json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["intact"]) == (1, False)
    broken = [each for each in told["findings"] if each["severity"] == "broken"]
    assert broken[0]["file"] == the_file(log).name
    assert broken[0]["line"] > 1
    assert broken[0]["message"]


def test_anchors_prove_the_tail_and_see_it_cut_off(
    guardrails: Any, log: Path, tmp_path: Path
) -> None:
    anchors = tmp_path / "head.json"
    printed = guardrails("audit", "head", str(log))
    assert printed.exit_code == 0
    anchors.write_text(printed.stdout)
    proven = guardrails("audit", "verify", str(log), "--head", str(anchors))
    assert (proven.exit_code, "tail not proven" in proven.stdout) == (0, False)
    lines = the_file(log).read_text("utf-8").splitlines(keepends=True)
    the_file(log).write_text("".join(lines[:-1]), "utf-8")
    assert guardrails("audit", "verify", str(log)).exit_code == 0
    cut = guardrails("audit", "verify", str(log), "--head", str(anchors))
    assert cut.exit_code == 1
    assert "broken: " in cut.stdout


def test_anchors_as_text_name_the_last_record(guardrails: Any, log: Path) -> None:
    last = json.loads(the_file(log).read_text("utf-8").splitlines()[-1])
    result = guardrails("audit", "head", str(log), "--format", "text")
    assert result.stdout == f"{last['id']}  {the_file(log).name}  {last['hash']}\n"


def test_a_sealed_log_is_proven_by_the_auditors_key(guardrails: Any, tmp_path: Path) -> None:
    log, key = tmp_path / "log", tmp_path / "auditor.key"
    sealed = guardrails("audit", "init", str(log), "--key", str(key))
    assert sealed.exit_code == 0
    assert sealed.stdout.startswith("sealed with the key ")
    assert str(key) in sealed.stdout
    write_log(log, tmp_path / "policies")
    assert guardrails("audit", "verify", str(log), "--key", str(key)).exit_code == 0
    other = tmp_path / "other.key"
    assert guardrails("audit", "init", str(tmp_path / "other"), "--key", str(other)).exit_code == 0
    assert guardrails("audit", "verify", str(log), "--key", str(other)).exit_code != 0


def test_the_auditors_key_is_printed_where_no_file_is_given(
    guardrails: Any, tmp_path: Path
) -> None:
    printed = guardrails("audit", "init", str(tmp_path / "a"))
    assert printed.stdout.startswith("guardrails-audit-key-1:")
    told = json.loads(guardrails("audit", "init", str(tmp_path / "b"), "--format", "json").stdout)
    assert told["key"].startswith("guardrails-audit-key-1:")
    assert told["key_file"] is None


def test_a_log_is_sealed_once(guardrails: Any, tmp_path: Path) -> None:
    assert guardrails("audit", "init", str(tmp_path)).exit_code == 0
    again = guardrails("audit", "init", str(tmp_path))
    assert (again.exit_code, again.stdout) == (2, "")
    assert again.stderr == f"{tmp_path}/seal.key: this log is sealed already\n"


@pytest.mark.parametrize("verb", ["verify", "head", "show"])
def test_where_there_is_no_log_nothing_was_checked(
    guardrails: Any, tmp_path: Path, verb: str
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (tmp_path / "missing", empty):
        result = guardrails("audit", verb, str(path))
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"{path}: no ")


@pytest.mark.parametrize("verb", ["verify", "head"])
def test_a_log_without_a_record_is_nothing_to_check(
    guardrails: Any, tmp_path: Path, verb: str
) -> None:
    (tmp_path / "a.jsonl").write_text("")
    result = guardrails("audit", verb, str(tmp_path))
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{tmp_path}: there is no record to ")


@pytest.mark.parametrize("option", ["--head", "--key"])
def test_what_is_no_anchor_or_key_is_a_usage_error(
    guardrails: Any, log: Path, tmp_path: Path, option: str
) -> None:
    file = tmp_path / "file"
    for content in (b"", b"{}", b"\xff\x00", b"[" * 1000):
        file.write_bytes(content)
        result = guardrails("audit", "verify", str(log), option, str(file))
        assert (result.exit_code, result.stdout) == (2, "")
        assert len(result.stderr.splitlines()) == 1
    assert guardrails("audit", "verify", str(log), option, str(tmp_path / "none")).exit_code == 2


def test_the_log_is_by_default_what_the_environment_names(
    guardrails: Any, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert guardrails("audit", "verify").exit_code == 2
    monkeypatch.setenv("GUARDRAILS_LOG", str(log))
    assert guardrails("audit", "verify").exit_code == 0


# --- show ---------------------------------------------------------------------------------------


def test_records_are_shown_one_a_line(guardrails: Any, log: Path) -> None:
    result = guardrails("audit", "show", str(log))
    assert result.exit_code == 0
    told = result.stdout.splitlines()
    assert len(told) == len(the_file(log).read_text("utf-8").splitlines())
    (denied,) = [line for line in told if " deny " in line]
    words = ["deny", "pay", "by", "agent-7", "rule", "pay/large", record_id(log, "deny")]
    assert denied.split()[1:] == words
    (outcome,) = [line for line in told if " returned " in line]
    assert f"of {record_id(log, 'allow')} after " in outcome


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        (["--effect", "deny"], ["decision"]),
        (["--kind", "outcome"], ["outcome"]),
        (["--rule", "pay/small"], ["decision"]),
        (["--tool", "pay", "--subject", "agent-7"], ["decision", "decision"]),
        (["--since", "2020-01-01", "--kind", "decision"], ["decision", "decision"]),
    ],
)
def test_records_are_chosen_by_their_fields(
    guardrails: Any, log: Path, options: list[str], kinds: list[str]
) -> None:
    result = guardrails("audit", "show", str(log), *options, "--format", "json")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert (result.exit_code, [each["kind"] for each in told]) == (0, kinds)


def test_a_decision_is_shown_with_what_became_of_it(guardrails: Any, log: Path) -> None:
    name = record_id(log, "allow")
    result = guardrails("audit", "show", str(log), "--id", name, "--format", "json")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(each["kind"], each["decision_id"]) for each in told] == [
        ("decision", name),
        ("outcome", name),
    ]


def test_where_no_record_is_so_it_is_said_and_exits_with_1(guardrails: Any, log: Path) -> None:
    result = guardrails("audit", "show", str(log), "--tool", "none")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "no record is so\n")


def test_damaged_lines_are_shown_whatever_is_asked_for(guardrails: Any, log: Path) -> None:
    with the_file(log).open("a") as file:
        file.write("\x1b[2Jgarbage\n")
    for form in ("text", "json"):
        result = guardrails("audit", "show", str(log), "--effect", "deny", "--format", form)
        assert result.exit_code == 1
        assert "not a record" in result.stdout.splitlines()[-1]
        assert "\x1b" not in result.stdout


def test_what_a_forged_record_holds_cannot_draw_on_the_terminal(guardrails: Any, log: Path) -> None:
    change(log, '"tool":"pay"', '"tool":"pay\\u001b[2J\\u202e"')
    result = guardrails("audit", "show", str(log))
    assert "pay\\x1b[2J\\u202e" in result.stdout
    assert "\x1b" not in result.stdout
