"""Signing in: the right password once, the wrong one slowly and not often."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING

import pytest

from guardrails.approvals.accounts import hash_password, make_token
from guardrails.approvals.people import Account, People
from guardrails.approvals.sign_in import (
    MAX_ATTEMPTS,
    SLOW_S,
    WINDOW_S,
    Attempts,
    sign_in,
    sign_in_by_token,
)
from guardrails.errors import SignInRefused
from tests.approvals.scenes import SECOND, START, Clock

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse battery"
WRONG = "the name or the password is wrong, or the account can't sign in"


@cache
def people() -> People:
    hashed = hash_password(PASSWORD)
    return People(
        [
            Account("fay@example.com", aliases=("fay",), password=hashed),
            Account("gone@example.com", password=hashed, disabled=True),
            Account("bare@example.com"),
        ]
    )


@pytest.fixture
def attempts(tmp_path: Path, clock: Clock) -> Attempts:
    return Attempts(tmp_path / "sign-ins", clock)


def enter(attempts: Attempts, login: str = "fay", password: str = PASSWORD) -> str:
    return sign_in(people(), login, password, attempts, lambda _: None).id


def test_the_right_password_signs_in_under_any_name_of_the_account(attempts: Attempts) -> None:
    assert enter(attempts) == enter(attempts, "FAY@example.com") == "fay@example.com"


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("fay", "wrong"),
        ("fay", ""),
        ("nobody", PASSWORD),
        ("gone@example.com", PASSWORD),
        ("bare@example.com", ""),
        ("fay", "\udcff"),
    ],
)
def test_whatever_is_wrong_is_told_in_the_same_words_and_slowly(
    attempts: Attempts, login: str, password: str
) -> None:
    paused: list[float] = []
    with pytest.raises(SignInRefused) as caught:
        sign_in(people(), login, password, attempts, paused.append)
    assert str(caught.value) == WRONG
    assert paused == [SLOW_S]


def test_after_some_attempts_even_the_right_password_waits(
    attempts: Attempts, clock: Clock, tmp_path: Path
) -> None:
    for name in ["fay", "fay@example.com", "FAY", "Fay@Example.com", "fay"][:MAX_ATTEMPTS]:
        with pytest.raises(SignInRefused, match="is wrong"):
            enter(attempts, name, "guess")
    with pytest.raises(SignInRefused, match="too many attempts"):
        enter(Attempts(tmp_path / "sign-ins", clock), " Fay")
    with pytest.raises(SignInRefused, match="is wrong"):
        enter(attempts, "somebody else")
    clock.move(WINDOW_S * SECOND + 1)
    assert enter(attempts) == "fay@example.com"
    assert not list((tmp_path / "sign-ins").iterdir())  # nor what was tried under other names


def test_guesses_at_the_same_time_are_all_counted(tmp_path: Path) -> None:
    begun: list[bool] = []

    def guess() -> None:
        try:
            Attempts(tmp_path, lambda: START).begin("fay")
        except SignInRefused:
            return
        begun.append(True)

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) <= MAX_ATTEMPTS


def test_a_token_signs_in_until_its_end_and_only_its_account() -> None:
    text, token = make_token("ci", START + SECOND)
    known = People([Account("fay@example.com", aliases=("fay",), tokens=(token,)), Account("x")])
    assert sign_in_by_token(known, text, None, START).id == "fay@example.com"
    assert sign_in_by_token(known, text, "fay", START).id == "fay@example.com"
    with pytest.raises(SignInRefused, match="another person's"):
        sign_in_by_token(known, text, "x", START)
    for given, now in ((text, START + SECOND), (text[:-1], START), ("", START)):
        with pytest.raises(SignInRefused, match="nobody's"):
            sign_in_by_token(known, given, None, now)
