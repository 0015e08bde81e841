from __future__ import annotations

import pytest

from guardrails.toolchain.lint.near import is_slip, rare_slips

SLIPS = [
    ("finance", "finnance", "a letter more"),
    ("finance", "finace", "a letter less"),
    ("finance", "finanse", "another letter"),
    ("finance", "fianance", "a letter more within"),
    ("finance", "fniance", "two swapped"),
    ("finance", "financee", "a letter more at the end"),
    ("finance", "Finance", "another case"),
    ("back-office", "back_office", "another separator"),
    ("back-office", "backoffice", "a separator less"),
    ("eu-finance", "eu-finanse", "one part of several"),
]

DISTINCT = [
    ("finance", "finance", "the same"),
    ("team-a", "team-b", "a part of one letter"),
    ("mail", "main", "short words"),
    ("approver-1", "approver-2", "another number"),
    ("FIN-12", "FIN-13", "another number"),
    ("asi02", "asi2", "another number"),
    ("finance", "fianncee", "two slips"),
    ("eu-finanse", "us-finance", "two parts"),
    ("finance", "financials", "another word"),
    ("readers", "leaders-x", "another word"),
]


@pytest.mark.parametrize(("one", "other", "how"), SLIPS, ids=[how for *_, how in SLIPS])
def test_one_slip_makes_one_name_of_the_other_either_way(one: str, other: str, how: str) -> None:
    assert is_slip(one, other), how
    assert is_slip(other, one), how


@pytest.mark.parametrize(("one", "other", "how"), DISTINCT)
def test_names_that_may_both_be_meant_are_no_slips(one: str, other: str, how: str) -> None:
    assert not is_slip(one, other), how
    assert not is_slip(other, one), how


def test_a_name_is_a_slip_only_if_it_occurs_once_and_the_other_often() -> None:
    assert rare_slips(["finance"] * 2 + ["finanse"]) == {"finanse": "finance"}
    assert rare_slips(["finance", "finanse"]) == {}
    assert rare_slips(["finance"] * 3 + ["finanse"] * 2) == {}


@pytest.mark.parametrize(("one", "other", "how"), SLIPS, ids=[how for *_, how in SLIPS])
def test_every_kind_of_slip_is_found_among_many_names(one: str, other: str, how: str) -> None:
    others = [f"role-number-{number}" for number in range(50)] * 3
    assert rare_slips([*others, *[one] * 3, other]) == {other: one}, how
    assert rare_slips([*others, *[other] * 3, one]) == {one: other}, how
