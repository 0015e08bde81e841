"""`guardrails approvers`: accounts made, changed and shown, never what they sign in with."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from guardrails.approvals.accounts import check_password, check_token, read_people

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command

FAY = "fay@example.com"
PASSWORD = "correct horse battery"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GUARDRAILS_STATE", str(tmp_path))
    return tmp_path


def add(guardrails: Command, *options: str, id_: str = FAY) -> None:
    result = guardrails("approvers", "add", id_, "--no-password", *options)
    assert result.exit_code == 0, result.stderr


def test_a_password_from_standard_input_is_kept_as_a_hash(guardrails: Command, place: Path) -> None:
    result = guardrails(
        "approvers", "add", FAY, "--group", "finance", "--password-stdin", stdin=PASSWORD + "\n"
    )
    assert (result.exit_code, result.stdout) == (0, "")
    file = place / "approvers.yaml"
    assert PASSWORD not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    account = check_password(read_people(file), FAY, PASSWORD)
    assert account is not None
    assert account.groups == ("finance",)


def test_a_password_is_asked_for_twice(guardrails: Command, place: Path) -> None:
    typed = f"{PASSWORD}\nother words\n{PASSWORD}\n{PASSWORD}\n"
    result = guardrails("approvers", "add", FAY, stdin=typed)
    assert result.exit_code == 0
    assert PASSWORD not in result.output
    assert check_password(read_people(place / "approvers.yaml"), FAY, PASSWORD) is not None


def test_a_short_password_is_refused(guardrails: Command, place: Path) -> None:
    result = guardrails("approvers", "add", FAY, "--password-stdin", stdin="secret\n")
    assert result.exit_code == 2
    assert "a password has at least 8 characters" in result.stderr
    assert not (place / "approvers.yaml").exists()


def test_what_is_not_given_again_stays(guardrails: Command, place: Path) -> None:
    add(guardrails, "--name", "Fay Lee", "--group", "finance", "--alias", "fay")
    add(guardrails, "--group", "risk")
    account = read_people(place / "approvers.yaml").accounts[FAY]
    assert (account.name, account.groups, account.aliases) == ("Fay Lee", ("risk",), ("fay",))


def test_a_name_that_is_another_persons_is_refused(guardrails: Command, place: Path) -> None:
    add(guardrails, "--alias", "fay")
    result = guardrails("approvers", "add", "Fay", "--no-password")
    assert result.exit_code == 2
    assert "`fay` names two people" in result.stderr.lower()
    assert list(read_people(place / "approvers.yaml").accounts) == [FAY]


def test_a_token_is_printed_once_and_ends(guardrails: Command, place: Path) -> None:
    add(guardrails, "--alias", "fay")
    text = guardrails("approvers", "token", "fay", "--days", "1").stdout.strip()
    people = read_people(place / "approvers.yaml")
    assert text not in (place / "approvers.yaml").read_text()
    (token,) = people.accounts[FAY].tokens
    assert check_token(people, text, token.expires_ns - 1) is people.accounts[FAY]
    assert check_token(people, text, token.expires_ns) is None


def test_a_new_token_takes_the_place_of_the_old_and_can_be_revoked(
    guardrails: Command, place: Path
) -> None:
    add(guardrails)
    old = guardrails("approvers", "token", FAY).stdout.strip()
    new = guardrails("approvers", "token", FAY).stdout.strip()
    people = read_people(place / "approvers.yaml")
    assert check_token(people, old, 1) is None
    assert check_token(people, new, 1) is not None
    assert guardrails("approvers", "token", FAY, "--revoke").exit_code == 0
    assert read_people(place / "approvers.yaml").accounts[FAY].tokens == ()
    result = guardrails("approvers", "token", FAY, "--revoke")
    assert (result.exit_code, result.stderr) == (2, f"{FAY} has no token `cli`\n")


def test_who_is_disabled_can_be_enabled_and_who_is_removed_is_gone(
    guardrails: Command, place: Path
) -> None:
    add(guardrails)
    guardrails("approvers", "disable", FAY)
    assert read_people(place / "approvers.yaml").accounts[FAY].disabled
    guardrails("approvers", "enable", FAY)
    assert not read_people(place / "approvers.yaml").accounts[FAY].disabled
    assert guardrails("approvers", "remove", FAY).exit_code == 0
    assert not read_people(place / "approvers.yaml").accounts
    result = guardrails("approvers", "remove", FAY)
    assert result.exit_code == 2
    assert f"there is no approver `{FAY}`" in result.stderr


@pytest.mark.usefixtures("place")
def test_the_list_tells_no_secret(guardrails: Command) -> None:
    add(guardrails, "--name", "Fay\x1b[2J", "--group", "finance", "--alias", "fay")
    token = guardrails("approvers", "token", FAY).stdout.strip()
    told = guardrails("approvers", "list").stdout
    assert f"{FAY}  Fay\\x1b[2J  in finance  also fay  signs in by token cli until 20" in told
    (account,) = json.loads(guardrails("approvers", "list", "--format", "json").stdout)
    assert account["tokens"][0]["name"] == "cli"
    assert token not in told
    assert "hash" not in json.dumps(account)


def test_what_a_guard_needs_is_exported_without_secrets(guardrails: Command, place: Path) -> None:
    guardrails("approvers", "add", FAY, "--group", "finance", "--password-stdin", stdin=PASSWORD)
    guardrails("approvers", "token", FAY)
    guardrails("approvers", "disable", FAY)
    text = guardrails("approvers", "export").stdout
    assert "argon2" not in text
    assert "sha256" not in text
    (place / "exported.yaml").write_text(text)
    account = read_people(place / "exported.yaml").accounts[FAY]
    assert (account.groups, account.disabled, account.tokens) == (("finance",), True, ())


def test_a_damaged_file_is_refused_and_left_as_it_is(guardrails: Command, place: Path) -> None:
    (place / "approvers.yaml").write_text("version: 1\napprovers: {a: {rights: all}}\n")
    result = guardrails("approvers", "add", FAY, "--no-password")
    assert result.exit_code == 2
    assert "unknown key `rights`" in result.stderr
    assert "rights" in (place / "approvers.yaml").read_text()
