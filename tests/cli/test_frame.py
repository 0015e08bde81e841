from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import types
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from guardrails.cli import main
from guardrails.cli.frame import VERBS
from guardrails.errors import ConfigurationError, PolicyError, Problem
from guardrails.installation import CLASH
from guardrails.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable


def run_verb(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> Any:
    """The result of a verb `act` that does what `act` does."""
    module = types.ModuleType("verb_under_test")
    module.act = click.command("act")(act)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "verb_under_test", module)
    monkeypatch.setitem(VERBS, "act", "verb_under_test")
    return CliRunner().invoke(main, ["act"], prog_name="guardrails")


def fail(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert (result.exit_code, result.output) == (0, f"guardrails {__version__}\n")


def test_help_lists_every_verb_in_the_order_of_the_documentation() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    places = [result.output.index(f"\n  {verb} ") for verb in VERBS]
    assert places == sorted(places)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_an_example(verb: str) -> None:
    result = CliRunner().invoke(main, [verb, "--help"])
    assert result.exit_code == 0
    assert "Example:\n" in result.output
    assert f"guardrails {verb}" in result.output.split("Example:")[1]


def test_a_misspelt_verb_is_a_usage_error_with_the_nearest_one() -> None:
    result = CliRunner().invoke(main, ["chek"], prog_name="guardrails")
    assert result.exit_code == 2
    assert "unknown verb `chek`; did you mean `check`?" in result.stderr


def test_a_verb_that_resembles_none_is_told_which_there_are() -> None:
    result = CliRunner().invoke(main, ["\x1b[31mzz"], prog_name="guardrails")
    assert result.exit_code == 2
    assert "unknown verb `\\x1b[31mzz`; there are init, check, explain" in result.stderr


def test_an_unknown_option_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["--verbose"]).exit_code == 2
    assert CliRunner().invoke(main, ["check", "--verbose"]).exit_code == 2


def test_policy_problems_are_printed_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [
        Problem("policies/b.yaml", 2, 1, "unknown key `tool`", "    tool: x\n    ^^^^"),
        Problem("policies/a.yaml", 0, 0, "the file is empty"),
    ]
    result = run_verb(monkeypatch, fail(PolicyError(problems)))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        "policies/a.yaml: the file is empty\n"
        "policies/b.yaml:2:1: unknown key `tool`\n    tool: x\n    ^^^^\n"
    )


def test_an_error_of_the_library_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run_verb(monkeypatch, fail(ConfigurationError("no such \x1b[1mfolder")))
    assert (result.exit_code, result.stderr) == (2, "no such \\x1b[1mfolder\n")


def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run_verb(monkeypatch, fail(PermissionError(13, "Permission denied", "log/\u202ea")))
    assert (result.exit_code, result.stderr) == (2, "log/\\u202ea: permission denied\n")


def test_an_unexpected_failure_is_one_line_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GUARDRAILS_TRACEBACK", raising=False)
    result = run_verb(monkeypatch, fail(ValueError("two\nlines")))
    assert result.exit_code == 2
    assert result.stderr == (
        "a fault in guardrails itself: two lines; "
        "please report it with what GUARDRAILS_TRACEBACK=1 shows\n"
    )


def test_whoever_reports_a_fault_can_have_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARDRAILS_TRACEBACK", "1")
    assert isinstance(run_verb(monkeypatch, fail(ValueError("x"))).exception, ValueError)


def test_an_interrupt_is_no_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_verb(monkeypatch, fail(KeyboardInterrupt())).exit_code == 130


def test_recursion_without_end_is_a_failure_of_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    def act() -> None:
        act()

    assert run_verb(monkeypatch, act).exit_code == 2


def test_it_refuses_to_run_beside_guardrails_ai(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.metadata.distribution
    monkeypatch.setattr(
        "guardrails.cli.frame.distribution",
        lambda name: None if name == "guardrails-ai" else found(name),
    )
    result = CliRunner().invoke(main, ["schema"], prog_name="guardrails")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == f"{CLASH}\n"


def run_python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "guardrails", *arguments]
    return subprocess.run(command, capture_output=True, check=False, **options)


def test_it_runs_as_a_module() -> None:
    result = run_python("--version")
    assert (result.returncode, result.stdout.decode()) == (0, f"guardrails {__version__}\n")
    assert b"Usage: guardrails " in run_python("--help").stdout


def test_help_imports_nothing_that_a_verb_needs_to_run() -> None:
    code = (
        "import sys\n"
        "from guardrails.cli import main\n"
        "main(['check', '--help'], standalone_mode=False)\n"
        "heavy = {'rich', 're2', 'yaml', 'cerberus', 'jsonschema_rs', 'guardrails.toolchain'}\n"
        "sys.exit(f'imported: {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (0, b"")


def test_text_that_the_terminal_cannot_encode_is_escaped() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    result = run_python("check", "-p", "missing-\u65e5", env=environment)
    assert result.returncode == 2
    assert b"missing-\\u65e5" in result.stderr
    assert b"Traceback" not in result.stderr
