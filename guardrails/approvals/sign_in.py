"""Who signs in: by password, and not as often as a guesser would like, or by token."""

from __future__ import annotations

import os
import secrets
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from guardrails.approvals.accounts import check_password, check_token
from guardrails.approvals.people import normalise
from guardrails.errors import SignInRefused
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.approvals.people import Account, People

MAX_ATTEMPTS = 5
"""How often one name may be tried in vain within `WINDOW_S`; NIST SP 800-63B allows up to 100."""

WINDOW_S = 900
"""Seconds for which an attempt in vain counts: with `MAX_ATTEMPTS`, 480 guesses a day."""

SLOW_S = 1.0
"""Seconds that a wrong password costs, besides what its hash does."""


class Attempts:
    """What has been tried in vain, counted over all processes that share `folder`.

    Each attempt is a file of its own, made before the password is looked at: however many try at
    once, each is counted by the others. A name is kept as its digest.
    """

    __slots__ = ("_clock", "_folder")

    def __init__(
        self, folder: str | os.PathLike[str], clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._folder = Path(folder)
        self._clock = clock

    def begin(self, login: str) -> None:
        """Count an attempt to sign in as `login`; raises SignInRefused where it is one too many."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = self._clock()
        if self._count(login, now - WINDOW_S * NANOSECONDS) >= MAX_ATTEMPTS:
            raise SignInRefused(_TOO_OFTEN)
        name = f"{_digest(login)}.{now}.{secrets.token_hex(8)}"
        os.close(os.open(self._folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        if self._count(login, now - WINDOW_S * NANOSECONDS) > MAX_ATTEMPTS:
            raise SignInRefused(_TOO_OFTEN)

    def forget(self, login: str) -> None:
        """Count no attempt of `login` any more: it has signed in."""
        for path in self._folder.glob(f"{_digest(login)}.*"):
            path.unlink(missing_ok=True)

    def _count(self, login: str, since_ns: int) -> int:
        """How many attempts there were since then; older ones, of any name, are swept away."""
        count, mine = 0, _digest(login)
        for path in self._folder.glob("*.*.*"):
            name, at, _ = path.name.split(".")
            if at.isdecimal() and int(at) < since_ns:
                path.unlink(missing_ok=True)
            else:
                count += name == mine
        return count


def sign_in(
    people: People,
    login: str,
    password: str,
    attempts: Attempts,
    pause: Callable[[float], object] = time.sleep,
) -> Account:
    """The account that signs in so; raises SignInRefused, which never tells what was wrong.

    A wrong password takes `SLOW_S` seconds more, and one tried too often is not looked at.
    """
    who = people.identity(login)  # so that an alias brings no further guesses
    attempts.begin(who)
    account = check_password(people, login, password)
    if account is None:
        pause(SLOW_S)
        raise SignInRefused("the name or the password is wrong, or the account can't sign in")
    attempts.forget(who)
    return account


def sign_in_by_token(people: People, text: str, login: str | None, now_ns: int) -> Account:
    """The account whose token `text` is; raises SignInRefused where it is none, or not `login`'s.

    A token is 256 random bits, so it needs no count of attempts.
    """
    account = check_token(people, text, now_ns)
    if account is None:
        raise SignInRefused("the token is nobody's, or has ended, or its account is disabled")
    if login is not None and people.identity(login) != account.id:
        raise SignInRefused("the token is another person's")
    return account


_TOO_OFTEN = f"too many attempts under this name; try again in {WINDOW_S // 60} minutes"


def _digest(login: str) -> str:
    return sha256(b"guardrails sign-in\0" + normalise(login).encode("utf-8", "replace")).hexdigest()
