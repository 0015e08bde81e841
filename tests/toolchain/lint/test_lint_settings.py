from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardrails.errors import ConfigurationError
from guardrails.instants import DAY
from guardrails.language.settings_file import Table, find_settings, read_settings
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.settings import Settings, read_lint_settings
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from pathlib import Path

RULES = ("missing-owner", "unanchored-pattern")


def read(data: dict[str, Any]) -> Settings:
    return read_lint_settings(Table("guardrails.toml", "lint", data), RULES)


def test_nothing_said_means_the_defaults() -> None:
    assert read({}) == Settings({}, 14 * DAY * NANOSECONDS, 30 * DAY * NANOSECONDS, ())


def test_everything_can_be_said() -> None:
    asked = read(
        {
            "rules": {"missing-owner": "off", "unanchored-pattern": "error"},
            "soon": "7d",
            "stale-observe": "12h",
            "expected-files": ["*.md"],
        }
    )
    assert asked == Settings(
        {"missing-owner": None, "unanchored-pattern": Severity.ERROR},
        7 * DAY * NANOSECONDS,
        DAY * NANOSECONDS // 2,
        ("*.md",),
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"rulse": {}}, "`lint.rulse` is an unknown setting; did you mean `rules`?"),
        ({"rules": "off"}, "`lint.rules` must be a table"),
        (
            {"rules": {"missing-owners": "off"}},
            "`lint.rules.missing-owners` names no rule; did you mean `missing-owner`?",
        ),
        (
            {"rules": {"xyz": "off"}},
            "`lint.rules.xyz` names no rule; the rules are listed in docs/lint",
        ),
        (
            {"rules": {"missing-owner": "warn"}},
            "`lint.rules.missing-owner` must be one of `off`, `note`, `warning`, `error`",
        ),
        (
            {"rules": {"missing-owner": False}},
            "`lint.rules.missing-owner` must be one of `off`, `note`, `warning`, `error`",
        ),
        ({"soon": 14}, "`lint.soon` is no duration; write such as `30m`, `24h` or `7d`"),
        ({"soon": "soon"}, "`lint.soon` is no duration; write such as `30m`, `24h` or `7d`"),
        (
            {"expected-files": "*.md"},
            "`lint.expected-files` must be a list of names or patterns, such as `README.md`",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_its_full_name(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(data)
    assert str(caught.value) == f"guardrails.toml: {message}"


def test_the_nearest_file_holds_and_a_pyproject_only_with_a_table_of_ours(tmp_path: Path) -> None:
    inner = tmp_path / "project" / "policies"
    inner.mkdir(parents=True)
    (tmp_path / "guardrails.toml").write_text("[lint]\nsoon = '1d'\n")
    assert find_settings(inner) == tmp_path / "guardrails.toml"
    (tmp_path / "project" / "pyproject.toml").write_text("[tool.ruff]\n")
    assert find_settings(inner) == tmp_path / "guardrails.toml"
    (tmp_path / "project" / "pyproject.toml").write_text("[tool.guardrails.lint]\nsoon = '2d'\n")
    found = find_settings(inner)
    assert found == tmp_path / "project" / "pyproject.toml"
    assert read_settings(found).table("lint").data == {"soon": "2d"}
    (inner / "guardrails.toml").write_text("")
    assert find_settings(inner) == inner / "guardrails.toml"


def test_no_file_means_no_settings() -> None:
    assert read_settings(None).table("lint").data == {}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("guardrails.toml", "[lnt]", "`lnt` is an unknown setting; did you mean `lint`?"),
        (
            "pyproject.toml",
            "[tool.guardrails.lnt]",
            "`tool.guardrails.lnt` is an unknown setting; did you mean `lint`?",
        ),
        ("pyproject.toml", "tool = 1", "`tool` must be a table"),
        ("guardrails.toml", "a = \n", "is no TOML: invalid value (at line 1, column 5)"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    name: str, text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_settings(tmp_path / name)
    assert str(caught.value) == f"{name}: {message}"


def test_a_file_elsewhere_is_named_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    path = tmp_path / "guardrails.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError) as caught:
        read_settings(path)
    assert str(caught.value).startswith(f"{path}: is no TOML: 'utf-8' codec can't decode")
