"""The files for pre-commit, GitHub and GitLab hold commands that do what they are there for.

Their commands are taken from the files and run, in a git repository, on policies without and with
faults. The services' own machines are not in it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
GITLAB = yaml.safe_load((ROOT / "ci" / "gitlab" / "guardrails.yml").read_text())

POLICY = """\
version: 1
policy: payments
owner: finance@example.com
controls: [FIN-1]
tools:
  look: {traits: [read], arguments: {name: {type: string}}, required: [name]}
rules:
  - id: look-up
    effect: allow
    tools: look
    subjects: {roles: [clerk]}
    when: arguments.name == "ACME"
"""

SUITE = """\
version: 1
tests: payments
cases:
  - name: a clerk looks ACME up
    action: {tool: look, arguments: {name: ACME}, subject: {id: a, roles: [clerk]}}
    expect: allow
  - name: others do not
    action: {tool: look, arguments: {name: ACME}, subject: {id: a, roles: [intern]}}
"""

WIDE = POLICY.replace("    subjects: {roles: [clerk]}\n", "")
"""Loads and lints as before, but a test fails."""

FAULTS = {
    "none": POLICY,
    "lint": POLICY.replace("rules:\n", "constants: {unused: 1}\nrules:\n"),
    "test": WIDE,
    "load": POLICY.replace("effect: allow", "effect: alow"),
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with policies, committed."""
    folder = tmp_path / "repository"
    (folder / "policies").mkdir(parents=True)
    (folder / "policies" / "payments.yaml").write_text(POLICY)
    (folder / "policies" / "payments_test.yaml").write_text(SUITE)
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@b.c commit -qm first"):
        subprocess.run(["git", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder


def save(repository: Path, fault: str) -> None:
    (repository / "policies" / "payments.yaml").write_text(FAULTS[fault])


def run(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The end of a script, run as the services do: by bash, which stops at the first failure."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


EXITS = [
    ("lint", "none", 0),
    ("lint", "lint", 1),
    ("lint", "test", 0),
    ("lint", "load", 2),
    ("test", "none", 0),
    ("test", "test", 1),
    ("test", "load", 2),
]


@pytest.mark.parametrize(("what", "fault", "code"), EXITS)
def test_a_hook_stops_a_commit_that_is_wrong(
    repository: Path, what: str, fault: str, code: int
) -> None:
    save(repository, fault)
    hook = HOOKS[f"guardrails-{what}"]
    done = run(shlex.join([*shlex.split(hook["entry"]), *hook["args"]]), repository)
    assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize("hook", HOOKS.values(), ids=lambda hook: hook["id"])
def test_a_hook_runs_without_files_and_whatever_changed(hook: dict[str, Any]) -> None:
    assert hook["pass_filenames"] is False
    assert hook["always_run"] is True
    assert hook["language"] == "python"


def step(name: str) -> dict[str, Any]:
    (found,) = [each for each in ACTION["runs"]["steps"] if each["name"] == name]
    return dict(found)


def run_step(name: str, folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """The end of a step with its inputs as given, or as they are by default."""
    inputs = {key: str(each["default"]) for key, each in ACTION["inputs"].items()} | given

    def value(text: str) -> str:
        return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: inputs[found[1]], text)

    found = step(name)
    return run(found["run"], folder, **{key: value(text) for key, text in found["env"].items()})


@pytest.mark.parametrize(("what", "fault", "code"), EXITS)
def test_the_action_fails_where_something_is_wrong(
    repository: Path, what: str, fault: str, code: int
) -> None:
    save(repository, fault)
    done = run_step(what.title(), repository)
    assert done.returncode == code, done.stdout + done.stderr
    if fault == "lint":
        assert "::warning file=policies/payments.yaml,line=7," in done.stdout
    if what == "lint":
        sarif = json.loads((repository / "guardrails.sarif").read_text())
        assert sarif["version"] == "2.1.0"
        assert bool(sarif["runs"][0]["results"]) is bool(code)
    elif fault != "load":
        suites = ET.parse(repository / "guardrails-tests.xml").getroot()
        assert len(list(suites.iter("testcase"))) == 2
        assert len(list(suites.iter("failure"))) == code


def test_the_action_takes_its_inputs(repository: Path) -> None:
    """The module is missing, and the threshold is not reached: both are asked for."""
    done = run_step("Lint", repository, tools="no_such_module", sarif="a b.sarif")
    assert done.returncode == 2
    assert "no_such_module" in done.stderr
    assert (repository / "a b.sarif").exists()
    (repository / "policies" / "payments_test.yaml").write_text(SUITE.partition("  - name: oth")[0])
    done = run_step("Test", repository, **{"coverage-threshold": "100", "junit": "a b.xml"})
    assert done.returncode == 1
    assert (repository / "a b.xml").exists()


def test_no_input_becomes_part_of_a_script() -> None:
    """Whoever may name a branch or a folder could otherwise run what it says."""
    assert [each["name"] for each in ACTION["runs"]["steps"] if "${{" in each["run"]] == []


def test_the_action_installs_itself(repository: Path) -> None:
    """With a pip that only tells what it would install."""
    venv = repository / "guardrails" / "bin"
    python = repository / "python"
    fake = '#!/bin/sh\necho "$@" >> told\n'
    python.write_text(fake)
    python.chmod(0o755)
    venv.mkdir(parents=True)
    (venv / "python").write_text(fake)
    (venv / "python").chmod(0o755)
    done = run(
        step("Install")["run"],
        repository,
        PYTHON=str(python),
        RUNNER_TEMP=str(repository),
        GITHUB_ACTION_PATH="/the/action",
        GITHUB_PATH=str(repository / "path"),
    )
    assert done.returncode == 0, done.stderr
    assert (repository / "told").read_text().splitlines() == [
        f"-m venv --system-site-packages {repository}/guardrails",
        "-m pip install --quiet /the/action",
    ]
    assert (repository / "path").read_text() == f"{venv}\n"


def run_job(name: str, folder: Path, part: str, **given: str) -> subprocess.CompletedProcess[str]:
    variables = {**GITLAB["variables"], **given}
    return run("\n".join(GITLAB[f"policies:{name}"][part]), folder, **variables)


@pytest.mark.parametrize(("what", "fault", "code"), EXITS)
def test_a_job_fails_where_something_is_wrong_and_reports_it(
    repository: Path, what: str, fault: str, code: int
) -> None:
    save(repository, fault)
    assert run_job(what, repository, "script").returncode == code
    run_job(what, repository, "after_script")
    job = GITLAB[f"policies:{what}"]
    assert job["extends"] in GITLAB
    report = repository / job["artifacts"]["reports"]["junit"]
    if (what, fault) != ("test", "load"):
        failures = list(ET.parse(report).getroot().iter("failure"))
        assert bool(failures) is bool(code)


def test_a_job_takes_its_variables(repository: Path) -> None:
    done = run_job("lint", repository, "script", GUARDRAILS_TOOLS="no_such_module")
    assert (done.returncode, "no_such_module" in done.stderr) == (2, True)
    (repository / "policies").rename(repository / "a b")
    assert run_job("lint", repository, "script", GUARDRAILS_POLICIES="a b").returncode == 0
    (repository / "a b" / "payments_test.yaml").write_text(SUITE.partition("  - name: oth")[0])
    given = {"GUARDRAILS_POLICIES": "a b", "GUARDRAILS_THRESHOLD": "100"}
    assert run_job("test", repository, "script", **given).returncode == 1
