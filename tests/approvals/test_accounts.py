"""The file of accounts: read strictly, written whole, changed by one at a time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from guardrails import ApprovalsUnavailable, ConfigurationError
from guardrails.approvals.accounts import (
    PeopleFile,
    change_people,
    hash_password,
    make_token,
    read_people,
    with_account,
    without_account,
    without_secrets,
    write_people,
)
from guardrails.approvals.people import Account, People

if TYPE_CHECKING:
    from pathlib import Path

FAY = Account(
    "fay@example.com",
    "Fay Lee",
    ("finance", "risk"),
    ("fay",),
    "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA",
    (make_token("cli", 7)[1],),
    disabled=True,
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "state" / "approvers.yaml"
    write_people(People([FAY, Account("ann")]), path)
    assert list(read_people(path).accounts.values()) == [FAY, Account("ann")]
    assert [each.name for each in path.parent.iterdir()] == ["approvers.yaml"]


def test_without_a_file_there_is_nobody(tmp_path: Path) -> None:
    assert read_people(tmp_path / "approvers.yaml").accounts == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("version: 2\napprovers: {}", "expected `version: 1` and `approvers`"),
        ("version: 1\napprovers: {a: {}}\nmore: 1", "expected `version: 1` and `approvers`"),
        ("version: 1\napprovers: [a]", "`approvers` must be a map"),
        ("version: 1\napprovers: {a: 1}", "approver `a`: must be a map"),
        ("version: 1\napprovers: {1: {}}", "a key must be text; put `1` in quotes"),
        ("version: 1\napprovers: {' ': {}}", "an id is a text that is not empty"),
        ("version: 1\napprovers: {a: {group: [x]}}", "unknown key `group`; there are name, groups"),
        ("version: 1\napprovers: {a: {groups: x}}", "`groups` is of the wrong type"),
        ("version: 1\napprovers: {a: {groups: [1]}}", "`groups` must be a list of texts"),
        ("version: 1\napprovers: {a: {aliases: ['']}}", "`aliases` must be a list of texts"),
        ("version: 1\napprovers: {a: {disabled: 'no'}}", "`disabled` is of the wrong type"),
        ("version: 1\napprovers: {a: {tokens: {t: {hsh: x}}}}", "token `t`: unknown key `hsh`"),
        ("version: 1\napprovers: {a: {}, A: {}}", "`A` names two people"),
        ("version: 1\napprovers: {a: {}, a: {}}", "duplicate key `a`"),
        ("version: 1\napprovers: {a: {groups: [b]}, b: {}}", "both a group and a person"),
        ("version: [", "the file ends too soon"),
    ],
)
def test_a_file_that_means_nothing_certain_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "approvers.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_people(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)
    with pytest.raises(ApprovalsUnavailable, match="nobody can approve"):
        PeopleFile(path)()


def test_a_running_guard_knows_of_every_change(tmp_path: Path) -> None:
    path = tmp_path / "approvers.yaml"
    people = PeopleFile(path)
    assert people().find("ann") is None
    write_people(People([Account("ann")]), path)
    assert people().find("ann") == Account("ann")
    write_people(People([Account("ann", disabled=True)]), path)
    assert people().members(["ann"]) == frozenset()
    path.unlink()
    assert people().find("ann") is None


def test_of_those_who_change_at_once_no_change_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "approvers.yaml"

    def add(name: str) -> None:
        def change(people: People) -> People:
            time.sleep(0.01)
            return with_account(people, Account(name))

        change_people(change, path)

    threads = [threading.Thread(target=add, args=(f"p{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(read_people(path).accounts) == {f"p{number}" for number in range(8)}


def test_a_change_that_names_two_people_alike_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "approvers.yaml"
    write_people(People([FAY]), path)
    with pytest.raises(ConfigurationError, match="names two people"):
        change_people(lambda people: with_account(people, Account("FAY")), path)
    assert list(read_people(path).accounts) == [FAY.id]


@pytest.mark.parametrize("name", ["", "  ", "0o17", "<<"])
def test_an_account_that_could_not_be_read_again_locks_nobody_out(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "approvers.yaml"
    write_people(People([FAY]), path)
    with pytest.raises(ConfigurationError):
        change_people(lambda people: with_account(people, Account(name)), path)
    assert list(read_people(path).accounts) == [FAY.id]


def test_an_account_is_taken_away_by_any_of_its_names() -> None:
    assert without_account(People([FAY, Account("ann")]), "Fay").accounts == {"ann": Account("ann")}


def test_a_guard_needs_no_secrets() -> None:
    (account,) = without_secrets(People([FAY])).accounts.values()
    assert (account.password, account.tokens) == ("", ())
    assert (account.groups, account.aliases, account.disabled) == (FAY.groups, FAY.aliases, True)


@pytest.mark.parametrize("password", ["", "1234567", "\udcff" * 9])
def test_a_password_that_is_none_gets_no_hash(password: str) -> None:
    with pytest.raises(ConfigurationError, match="a password"):
        hash_password(password)


def test_a_folder_in_its_place_is_no_empty_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't be read: is a directory"):
        read_people(tmp_path)
