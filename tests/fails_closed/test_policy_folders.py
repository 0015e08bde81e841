"""Folders whose policies could get lost on the way: nothing that restricts is left out silently."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from guardrails import Action, Facts, Guard, PolicyError, load_policies

if TYPE_CHECKING:
    from pathlib import Path

ALLOW = """\
version: 1
policy: good
tools: {t: {traits: [read]}}
rules: [{id: a, effect: allow, tools: t}]
"""
DENY = """\
version: 1
policy: deny
rules: [{id: d, effect: deny, tools: t}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "policies"
    made.mkdir()
    (made / "good.yaml").write_text(ALLOW)
    return made


def rules_that_decide(folder: Path) -> list[str]:
    decision = load_policies(folder).decide(Action("t"), Facts(0))
    return [match.rule for match in decision.matches]


def problem_of(folder: Path | str) -> str:
    with pytest.raises(PolicyError) as caught:
        load_policies(folder)
    (problem,) = caught.value.problems
    return problem.message


@pytest.mark.parametrize(
    "name",
    ["deny.yml", "DENY.YAML", "a/b/c/deny.yaml", "x.yaml/deny.yaml", "x_test/deny.yaml", "ä .yaml"],
)
def test_a_policy_is_found_wherever_it_lies(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(DENY)
    assert rules_that_decide(folder) == ["deny/d", "good/a"]


def test_a_policy_is_found_through_a_link_and_a_cycle_of_links(folder: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "deny.yaml").write_text(DENY)
    (elsewhere / "back").symlink_to(folder)
    (folder / "more").symlink_to(elsewhere)
    (folder / "self").symlink_to(folder)
    assert rules_that_decide(folder) == ["deny/d", "good/a"]


def test_links_that_branch_are_walked_once(folder: Path) -> None:
    for name in ("a", "b", "c"):
        (folder / name).symlink_to(folder)
    guard = Guard.load(folder, log=folder.parent / "log")
    assert [match.rule for match in guard.decide(Action("t")).matches] == ["good/a"]
    assert guard.health().writable is True
    (folder / "good.yaml").chmod(0o400)
    folder.chmod(0o500)
    assert guard.health().writable is True  # who owns it may let itself write again
    folder.chmod(0o700)


@pytest.mark.parametrize("name", ["more", "more.yaml", "more.txt"])
def test_a_link_to_nowhere_is_no_empty_folder(folder: Path, name: str) -> None:
    (folder / name).symlink_to(folder.parent / "unmounted")
    assert problem_of(folder) == "can't be read: no such file or directory"


def test_a_link_to_itself_is_refused(folder: Path) -> None:
    (folder / "deny.yaml").symlink_to(folder / "deny.yaml")
    assert problem_of(folder) == "can't be read: too many levels of symbolic links"


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "deny.yaml")
    assert "not a regular file" in problem_of(folder)


@pytest.mark.parametrize("name", ["deny_test.yaml", "DENY_TEST.YML", "a/_test.yaml"])
def test_a_policy_named_as_a_test_is_refused(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(DENY)
    assert "named as a test" in problem_of(folder)


@pytest.mark.parametrize("name", ["deny.yaml.bak", "deny.json", "deny.yaml~", "deny", "deny.yaml "])
def test_a_file_of_another_kind_is_remembered_for_lint(folder: Path, name: str) -> None:
    (folder / name).write_text(DENY)
    assert load_policies(folder).bundle.unrecognised == (str(folder / name),)


def test_two_policies_of_one_name_are_refused(folder: Path) -> None:
    (folder / "again.yaml").write_text(ALLOW.replace("tools: {t: {traits: [read]}}\n", ""))
    assert "`good` is defined already" in problem_of(folder)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty"),
        (b"# nothing yet\n", "only comments"),
        (b"\xff\xfe" + DENY.encode("utf-16-le"), "not UTF-8"),
        (b"# \xe9\n" + DENY.encode(), "not UTF-8"),
        (DENY.encode() + b"\0", "control character"),
        (DENY.replace("\n", "\x85").encode(), "line break"),
        (b"# x\n" * 2_000_000, "larger than"),
        (b"a: " + b"[" * 10_000 + b"]" * 10_000, "nested deeper"),
        (b"a: " + b"{b: " * 10_000 + b"}" * 10_000, "nested deeper"),
    ],
)
def test_a_file_that_cannot_be_read_stops_the_load(folder: Path, data: bytes, says: str) -> None:
    (folder / "deny.yaml").write_bytes(data)
    assert says in problem_of(folder)


@pytest.mark.parametrize(
    "data",
    [b"\xef\xbb\xbf" + DENY.encode(), DENY.replace("\n", "\r\n").encode(), DENY.rstrip().encode()],
)
def test_what_editors_do_to_a_file_loses_no_rule(folder: Path, data: bytes) -> None:
    (folder / "deny.yaml").write_bytes(data)
    assert rules_that_decide(folder) == ["deny/d", "good/a"]


def test_an_empty_folder_is_no_freedom(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "policy.yaml").write_text(ALLOW)
    assert "there is no policy document" in problem_of(tmp_path)


def test_a_missing_folder_is_no_freedom(tmp_path: Path) -> None:
    assert problem_of(tmp_path / "missing") == "can't be read: no such file or directory"


def test_no_path_is_not_the_current_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for load in (Guard.load, load_policies):
        with pytest.raises(PolicyError, match="the path of the policies is empty"):
            load("")
    assert problem_of("pol\0icies") == "can't be read: no path holds a zero byte"


def test_a_policy_that_is_wrong_stops_all_of_them(folder: Path) -> None:
    (folder / "deny.yaml").write_text(DENY.replace("deny, tools", "deny, tool"))
    with pytest.raises(PolicyError) as caught:
        Guard.load(folder)
    assert [problem.line for problem in caught.value.problems] == [3]
