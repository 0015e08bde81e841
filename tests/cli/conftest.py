from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from click.testing import CliRunner

from guardrails.cli import main

if TYPE_CHECKING:
    from click.testing import Result

POLICIES = Path(__file__).parent / "policies"
NOON = "2026-06-01T10:00:00Z"


class Command(Protocol):
    """The command line, run with arguments and standard input; without a tracebacks's chance."""

    def __call__(self, *arguments: str, stdin: str | bytes = "") -> Result: ...


@pytest.fixture
def guardrails(monkeypatch: pytest.MonkeyPatch) -> Command:
    for variable in ("GUARDRAILS_POLICIES", "GUARDRAILS_LOG", "GUARDRAILS_TRACEBACK"):
        monkeypatch.delenv(variable, raising=False)

    def run(*arguments: str, stdin: str | bytes = "") -> Result:
        result = CliRunner().invoke(main, arguments, input=stdin, prog_name="guardrails")
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def policies() -> str:
    return str(POLICIES)


def action(tool: str, **rest: Any) -> str:
    return json.dumps({"tool": tool, **rest})
