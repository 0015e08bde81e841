"""Who is who."""

from __future__ import annotations

import pytest

from guardrails.approvals.people import Account, People
from tests.approvals.scenes import PEOPLE


@pytest.mark.parametrize(
    "name",
    [
        "fay@example.com",
        "FAY@Example.COM",
        "fay",
        " Fay ",
        "ｆａｙ",
        "fay@EXAMPLE.com",
        "fay\u200b@example.com",
        "f\u00aday",
    ],
)
def test_a_person_is_found_by_any_spelling_of_any_name(name: str) -> None:
    found = PEOPLE.find(name)
    assert found is not None
    assert found.id == "fay@example.com"
    assert PEOPLE.identity(name) == "fay@example.com"


def test_whoever_is_unknown_is_the_same_in_every_spelling() -> None:
    assert PEOPLE.find("stranger") is None
    assert PEOPLE.identity("STRANGER ") == PEOPLE.identity("stranger") == "stranger"
    assert PEOPLE.identity("Straße") == PEOPLE.identity("STRASSE")


def test_members_are_those_of_groups_and_those_named() -> None:
    assert PEOPLE.members(["risk", "fay", "nobody"]) == {
        "rita@example.com",
        "both@example.com",
        "dana@example.com",
        "fay@example.com",
    }


def test_a_group_is_named_exactly() -> None:
    assert PEOPLE.members(["Finance"]) == frozenset()


def test_a_group_is_kept_apart_in_any_spelling() -> None:
    assert (
        PEOPLE.identities(["Risk"])
        == PEOPLE.identities(["risk"])
        == {
            "risk",
            "rita@example.com",
            "both@example.com",
            "dana@example.com",
        }
    )


def test_whoever_is_disabled_is_no_member_but_is_still_that_person() -> None:
    people = People([Account("a", groups=("g",), aliases=("x",), disabled=True)])
    assert people.members(["g", "a"]) == frozenset()
    assert people.identities(["g", "X"]) == {"g", "a"}


@pytest.mark.parametrize(
    ("accounts", "message"),
    [
        ([Account("a"), Account("A")], "`A` names two people, `a` and `A`"),
        ([Account("a", aliases=("x",)), Account("b", aliases=("X",))], "names two people"),
        ([Account("a"), Account("b", aliases=("a",))], "`a` names two people, `a` and `b`"),
        ([Account("a", groups=("b",)), Account("B")], "`b` is both a group and a person"),
    ],
)
def test_a_name_that_two_bear_is_refused(accounts: list[Account], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        People(accounts)


def test_one_person_may_repeat_a_name_of_hers() -> None:
    assert People([Account("a", aliases=("A", "a"))]).identity("A") == "a"
