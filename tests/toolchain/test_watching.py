"""What each save of a policy folder changes, as it is told to people and to programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardrails.toolchain.lines import plain
from guardrails.toolchain.watching import Watcher
from guardrails.toolchain.watching_text import tell_sight

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD = """\
version: 1
policy: payments
owner: a@example.com
controls: [FIN-1]
tools:
  look: {traits: [read], arguments: {name: {type: string}}, required: [name]}
rules:
  - id: look-up
    effect: allow
    tools: look
    when: arguments.name.matches("^abc$")
"""

SUITE = """\
version: 1
tests: payments
cases:
  - name: a name that begins with a
    action: {tool: look, arguments: {name: abc}}
    expect: allow
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "p.yaml").write_text(GOOD)
    (folder / "p_test.yaml").write_text(SUITE)
    return folder


def clock() -> Callable[[], int]:
    moment = 1_767_225_600_000_000_000

    def tick() -> int:
        nonlocal moment
        moment += 1_000_000_000
        return moment

    return tick


@pytest.fixture
def watcher(folder: Path) -> Watcher:
    return Watcher("policies", clock(), testing=True)


def told(watcher: Watcher) -> list[str]:
    """What people are told of the next look, the time left out."""
    first, *rest = plain(tell_sight(watcher.look())).splitlines()
    return [first[10:], *rest]


def test_the_first_look_counts_what_there_is(watcher: Watcher) -> None:
    assert told(watcher) == [
        "policies: 1 document, 1 rule, 1 declared tool",
        "",
        "2 files: nothing found",
        "1 case: 1 passed",
        "",
    ]


def test_what_changed_is_named_by_kind(watcher: Watcher, folder: Path) -> None:
    watcher.look()
    changed = GOOD.replace('"^abc$"', '"^abd$"') + "  - {id: never, effect: deny, tools: look}\n"
    (folder / "p.yaml").write_text(
        changed.replace("look: {traits", "see: {traits: [read]}\n  look: {traits")
    )
    lines = told(watcher)
    assert lines[:4] == [
        "changed",
        "  rules      + payments/never",
        "             ~ payments/look-up",
        "  tools      + see",
    ]
    assert "FAILED" in "\n".join(lines) or "failed" in "\n".join(lines)
    (folder / "p.yaml").write_text(GOOD)
    assert told(watcher)[:4] == [
        "changed",
        "  rules      - payments/never",
        "             ~ payments/look-up",
        "  tools      - see",
    ]


def test_a_save_that_changes_no_meaning_says_so(watcher: Watcher, folder: Path) -> None:
    watcher.look()
    (folder / "p.yaml").write_text("# a comment\n" + GOOD)
    assert told(watcher)[0] == "saved; no rule or declaration changed"


def test_what_does_not_load_is_told_with_what_stays_in_force(
    watcher: Watcher, folder: Path
) -> None:
    good = watcher.look().in_force
    assert good is not None
    (folder / "p.yaml").write_text(GOOD + "ruls: 1\n")
    lines = told(watcher)
    assert lines[0] == "the policies don't load"
    assert lines[1].startswith("  a guard that watches goes on with those of ")
    assert lines[1].endswith(f", {good.bundle.revision[:19]}")
    assert "policies/p.yaml:12:1: error: unknown key `ruls`; did you mean `rules`? [load]" in lines
    assert lines[-2] == "2 files: not linted, since the policies don't load"
    (folder / "p.yaml").write_text(GOOD)
    assert told(watcher)[0] == "saved; no rule or declaration changed"


def test_without_anything_that_loaded_there_is_nothing_to_go_on_with(
    watcher: Watcher, folder: Path
) -> None:
    (folder / "p.yaml").unlink()
    lines = told(watcher)
    assert lines[1] == "  none have loaded since the watch began: a guard would not start"
    assert watcher.look().as_json()["in_force"] is None
    (folder / "p.yaml").write_text(GOOD)
    assert told(watcher)[0].startswith("policies: 1 document")


@pytest.mark.parametrize(("level", "again"), [("warning", True), ("note", False)])
def test_warnings_are_told_at_every_save_and_notes_once(
    watcher: Watcher, folder: Path, level: str, *, again: bool
) -> None:
    settings = f'[lint.rules]\nunanchored-pattern = "{level}"\n'
    (folder.parent / "guardrails.toml").write_text(settings)
    (folder / "p.yaml").write_text(GOOD.replace("^abc$", "abc"))
    assert f" {level}: the pattern `abc`" in "\n".join(told(watcher))
    (folder / "p.yaml").write_text("# a line more\n" + GOOD.replace("^abc$", "abc"))
    lines = told(watcher)
    assert (f" {level}: the pattern `abc`" in "\n".join(lines)) is again
    assert f"2 files: 1 {level}" in lines


def test_settings_and_tests_that_cannot_be_read_are_faults_and_no_end(
    watcher: Watcher, folder: Path
) -> None:
    (folder.parent / "guardrails.toml").write_text("[lint]\nfoo = 1\n")
    (folder / "p_test.yaml").write_text("version: 1\ntests: [")
    sight = watcher.look()
    assert not sight.loaded
    (folder / "p_test.yaml").unlink()
    sight = watcher.look()
    assert (sight.loaded, sight.lint, sight.tests) == (True, None, None)
    assert len(sight.faults) == 2
    assert "`lint.foo` is an unknown setting" in sight.faults[0]
    assert "there is no test here" in sight.faults[1]
    assert "there is no test here" in "\n".join(plain(tell_sight(sight)).splitlines())


def test_a_sight_as_json_holds_everything(watcher: Watcher, folder: Path) -> None:
    watcher.look()
    (folder / "p.yaml").write_text(GOOD.replace("read", "write"))
    found: dict[str, Any] = watcher.look().as_json()
    assert found["loaded"] is True
    assert found["in_force"].startswith("sha256:")
    assert found["differences"] == {"tools": {"added": [], "removed": [], "changed": ["look"]}}
    assert found["lint"]["loaded"] is True
    assert found["tests"]["passed"] == 1 or found["tests"]
    assert found["faults"] == []
    assert found["time"] == "2026-01-01T00:00:02Z"
