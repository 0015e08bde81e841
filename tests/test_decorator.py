"""The late-bound decorator: which guard judges, and that without one nothing runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.installation import find_namesake

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
version: 1
policy: {name}
rules:
  - {{id: a, effect: allow, tools: pay, when: arguments.amount < {limit}}}
"""

SETTING = """
import json, os, sys
import guardrails

@guardrails.tool
def pay(amount):
    return amount

def attempt(amount):
    try:
        return pay(amount)
    except guardrails.ActionDenied as error:
        return error.decision.code

results = []
"""


def run(tmp_path: Path, code: str, **environment: str) -> Any:
    """What a fresh interpreter's `results` are after `code`, run in `tmp_path`."""
    program = SETTING + textwrap.dedent(code) + "\nprint(json.dumps(results))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PATH": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name, limit in (("ten", 10), ("hundred", 100)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "p.yaml").write_text(POLICY.format(name=name, limit=limit))
    return tmp_path


def test_without_a_guard_every_call_is_refused_and_recorded(tmp_path: Path) -> None:
    assert run(tmp_path, "results.append(attempt(1))") == ["no_policies"]
    (log,) = (tmp_path / ".guardrails" / "log").glob("*.jsonl")
    assert '"no_policies"' in log.read_text()


def test_the_variable_names_the_folder_and_is_read_at_import(folders: Path) -> None:
    code = """
        os.environ["GUARDRAILS_POLICIES"] = "hundred"
        os.mkdir("elsewhere")
        os.chdir("elsewhere")
        results += [attempt(1), attempt(50)]
    """
    assert run(folders, code, GUARDRAILS_POLICIES="ten") == [1, "no_match"]


def test_a_folder_that_does_not_load_refuses_every_call_and_the_log_tells_why(
    folders: Path,
) -> None:
    (folders / "ten" / "p.yaml").write_text("version: 2")
    code = "results += [attempt(1), attempt(2)]"
    assert run(folders, code, GUARDRAILS_POLICIES="ten") == ["no_policies", "no_policies"]
    (log,) = (folders / ".guardrails" / "log").glob("*.jsonl")
    records = [json.loads(line) for line in log.read_text().splitlines()]
    (failed,) = [record for record in records if record["kind"] == "load_failed"]
    assert "p.yaml:1:10: unknown version `2`; there is only `1`" in failed["error"]


def test_a_folder_that_does_not_load_beside_a_log_that_fails_refuses_every_call(
    folders: Path,
) -> None:
    (folders / "ten" / "p.yaml").write_text("version: 2")
    code = "results += [attempt(1), attempt(2)]"
    environment = {"GUARDRAILS_POLICIES": "ten", "GUARDRAILS_LOG": "ten/p.yaml"}
    assert run(folders, code, **environment) == ["unavailable", "unavailable"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_forked_while_a_guard_is_looked_for_finds_one(folders: Path) -> None:
    code = """
        from guardrails.adapters.decorator import _default
        guardrails.configure(guardrails.Guard.load("ten"))
        with _default._lock:
            child = os.fork()
            if child == 0:
                os._exit(attempt(7))
        results.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert run(folders, code) == [7]


def test_the_configured_guard_judges_and_a_session_goes_before_it(folders: Path) -> None:
    code = """
        ten, hundred = (guardrails.Guard.load(name) for name in ("ten", "hundred"))
        guardrails.configure(ten)
        results += [attempt(1), attempt(50)]
        with hundred.session(subject="a"):
            results.append(attempt(50))
        results.append(attempt(50))
    """
    assert run(folders, code) == [1, "no_match", 50, "no_match"]


def test_a_guard_is_configured_once(folders: Path) -> None:
    code = """
        guard = guardrails.Guard.load("ten")
        for given in (guard, guard, "ten"):
            try:
                results.append(guardrails.configure(given))
            except guardrails.ConfigurationError as error:
                results.append(str(error))
    """
    assert run(folders, code) == [
        None,
        "a guard is configured already; it can't be replaced",
        "`configure` takes a guard, as `Guard.load` returns it",
    ]


def test_the_namesake_beside_it_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "policy_guardrails-1.0.dist-info").mkdir()
    assert not find_namesake(tmp_path)
    (tmp_path / "guardrails_ai-0.6.2.dist-info").mkdir()
    assert find_namesake(tmp_path)
