"""`guardrails lint` as its users meet it: what it prints, changes and exits with."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from guardrails.cli import progress as progress_module
from guardrails.cli.progress import progress
from guardrails.toolchain.lint.registry import all_rules

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command

NOW = ("--now", "2026-06-01T10:00:00Z")
POLICY = """\
version: 1
policy: mail
tools:
  mail.send:
    traits: [communicate]
    arguments:
      to: {type: string}
    required: [to]
rules:
  - id: colleagues
    effect: allow
    tools: mail.send
    when: arguments.to.matches("[a-z]+@acme[.]example")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, in which only `unanchored-pattern` and `missing-owner` are on."""
    monkeypatch.chdir(tmp_path)
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "mail.yaml").write_text(POLICY)
    on = {"unanchored-pattern", "missing-owner", "lint-exception", "signature-mismatch"}
    off = "".join(f'{id_} = "off"\n' for id_ in all_rules() if id_ not in on)
    levels = f'[lint.rules]\nmissing-owner = "note"\n{off}'
    (tmp_path / "guardrails.toml").write_text(levels)
    return policies


def test_findings_are_told_and_warnings_exit_with_1(guardrails: Command, folder: Path) -> None:
    result = guardrails("lint", *NOW)
    assert result.exit_code == 1
    assert result.output == (
        "policies/mail.yaml:2:9: note: the policy `mail` has no `owner` [missing-owner]\n"
        "    policy: mail\n"
        "            ^^^^\n"
        "    why:  nobody is named who may change it or grant an exception\n"
        "    mend: add `owner:` with a team's address\n"
        "\n"
        "policies/mail.yaml:13:32: warning: the pattern `[a-z]+@acme[.]example` is not bound at "
        "both ends [unanchored-pattern]\n"
        '    when: arguments.to.matches("[a-z]+@acme[.]example")\n'
        "                               ^^^^^^^^^^^^^^^^^^^^^^^\n"
        "    why:  `matches` looks anywhere in the text, so anything may stand around what fits\n"
        "    mend: begin it with `^` and end it with `$` (`--fix` does it)\n"
        "\n"
        "1 file: 1 warning, 1 note\n"
    )


def test_fix_mends_the_files_and_tells_what_is_left(guardrails: Command, folder: Path) -> None:
    result = guardrails("lint", "--fix", *NOW)
    assert result.exit_code == 0
    assert result.stderr == "1 mended\n"
    assert result.stdout.endswith("1 file: 1 note\n")
    assert 'matches("^[a-z]+@acme[.]example$")' in (folder / "mail.yaml").read_text()
    again = guardrails("lint", "--fix", *NOW)
    assert again.stderr == "0 mended\n"


def test_diff_shows_what_fix_would_change_and_changes_nothing(
    guardrails: Command, folder: Path
) -> None:
    result = guardrails("lint", "--diff", *NOW)
    assert result.exit_code == 1
    assert result.output == (
        "--- policies/mail.yaml\n"
        "+++ policies/mail.yaml\n"
        "@@ -10,4 +10,4 @@\n"
        "   - id: colleagues\n"
        "     effect: allow\n"
        "     tools: mail.send\n"
        '-    when: arguments.to.matches("[a-z]+@acme[.]example")\n'
        '+    when: arguments.to.matches("^[a-z]+@acme[.]example$")\n'
    )
    assert (folder / "mail.yaml").read_text() == POLICY


def test_fix_and_diff_together_are_refused(guardrails: Command, folder: Path) -> None:
    result = guardrails("lint", "--fix", "--diff")
    assert result.exit_code == 2
    assert "--fix changes the files and --diff only shows how; give one" in result.stderr


def test_policies_that_do_not_load_are_told_as_findings_and_exit_with_2(
    guardrails: Command, folder: Path
) -> None:
    (folder / "odd.yaml").write_text("version: 1\npolicy: p\nowner: a\nowner: b\n")
    result = guardrails("lint", *NOW)
    assert result.exit_code == 2
    assert result.output == (
        "policies/odd.yaml:4:1: error: duplicate key `owner`; the first is on line 3 [load]\n"
        "    owner: b\n"
        "    ^^^^^\n"
        "\n"
        "2 files: not linted, since the policies don't load\n"
    )
    as_json = guardrails("lint", "--format", "json", *NOW)
    assert as_json.exit_code == 2
    assert json.loads(as_json.output)["findings"][0]["rule"] == "load"


@pytest.mark.parametrize("name", ["nowhere", "policies"])
def test_checking_nothing_is_an_error(
    name: str, guardrails: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").mkdir()
    result = guardrails("lint", name)
    assert result.exit_code == 2
    assert result.output.startswith(f"{name}: error: ")


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("json", '{\n  "findings": ['),
        ("sarif", '{\n  "$schema": '),
        ("junit", '<?xml version="1.0" encoding="utf-8"?>\n<testsuites>'),
        ("github", "::notice file=policies/mail.yaml,line=2,"),
    ],
)
def test_every_format_is_printed_alone_with_the_same_exit_code(
    form: str, begins: str, guardrails: Command, folder: Path
) -> None:
    result = guardrails("lint", "--format", form, *NOW)
    assert result.exit_code == 1
    assert result.stdout.startswith(begins)
    assert result.stderr == ""


def test_settings_can_be_named_and_faults_of_theirs_are_told(
    guardrails: Command, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    other.write_text('[lint.rules]\nmissing-ower = "off"\n')
    result = guardrails("lint", "--config", str(other))
    assert result.exit_code == 2
    assert result.stderr == (
        "other.toml: `lint.rules.missing-ower` names no rule; did you mean `missing-owner`?\n"
    )


def test_tools_holds_policies_against_the_functions_of_a_module(
    guardrails: Command, folder: Path, tmp_path: Path
) -> None:
    program = tmp_path / "linted_program.py"
    program.write_text(
        "import guardrails\n\n"
        '@guardrails.tool("mail.send")\ndef send(recipient: str) -> None: ...\n'
    )
    result = guardrails("lint", "--tools", str(program), "--format", "json", *NOW)
    assert result.exit_code == 1
    assert [
        each["message"]
        for each in json.loads(result.output)["findings"]
        if each["rule"] == "signature-mismatch"
    ] == [
        "`mail.send` lacks `recipient`, which its function takes",
        "`mail.send` declares `to`, which its function doesn't take",
    ]


def test_a_module_without_tools_checks_nothing_and_is_refused(
    guardrails: Command, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "linted_nothing.py").write_text("")
    result = guardrails("lint", "--tools", "linted_nothing.py")
    assert result.exit_code == 2
    assert result.stderr == "`linted_nothing.py` has no decorated tools to check against\n"


def test_explain_prints_the_page_of_a_rule(guardrails: Command) -> None:
    result = guardrails("lint", "--explain", "missing-owner")
    assert result.exit_code == 0
    assert result.output.startswith(
        "missing-owner (warning)\n\nSomebody answers for every policy.\n"
    )
    assert "\nUse instead\n-----------\n" in result.output


def test_explain_of_an_unknown_rule_tells_the_nearest(guardrails: Command) -> None:
    result = guardrails("lint", "--explain", "missing-ower")
    assert result.exit_code == 2
    assert "unknown rule `missing-ower`; did you mean `missing-owner`?" in result.stderr


class Terminal:
    """An error stream that says whether it is a terminal, and keeps what is written."""

    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal
        self.text = ""

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def run_for(seconds: list[float], terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Report progress at each of these times."""
    clock = iter([0.0, *(moment for each in seconds for moment in (each, each))])
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress_module, "monotonic", lambda: next(clock))
    with progress("linting") as show:
        for done, _ in enumerate(seconds):
            show(done, 1000)


def test_progress_is_shown_after_two_seconds_and_wiped_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal(terminal=True)
    run_for([2.0], terminal, monkeypatch)
    assert terminal.text == "\r\x1b[Klinting: 0 of 1,000\r\x1b[K"


def test_work_of_less_than_two_seconds_shows_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(terminal=True)
    run_for([1.9], terminal, monkeypatch)
    assert terminal.text == ""


def test_progress_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal(terminal=False)
    run_for([3.0], stream, monkeypatch)
    assert stream.text == ""
