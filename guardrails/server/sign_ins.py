"""Who is signed in, and how often that may be tried. Kept in memory: a restart signs all out."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.approvals.people import Account, People

    Clock = Callable[[], float]

MOST_SIGN_INS = 10_000
"""How many sign-ins are kept; beyond it the one unused for longest ends."""

_KEYS = 10_000  # how many accounts and addresses a throttle remembers


@dataclass(slots=True)
class _SignIn:
    account: str
    password: str  # its hash, so that a changed password ends the sign-in
    began: float
    used: float


class SignIns:
    """The sign-ins that hold. `clock` gives seconds that never go back."""

    def __init__(self, idle_s: float, longest_s: float, clock: Clock = time.monotonic) -> None:
        self._idle_s, self._longest_s, self._clock = idle_s, longest_s, clock
        self._lock = threading.Lock()
        self._held: OrderedDict[bytes, _SignIn] = OrderedDict()

    def begin(self, account: Account) -> str:
        """The token of a new sign-in, for a cookie; only its hash is kept."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._held[_hash(token)] = _SignIn(account.id, account.password, now, now)
            while len(self._held) > MOST_SIGN_INS:
                self._held.popitem(last=False)
        return token

    def find(self, token: str, people: People, *, use: bool = True) -> Account | None:
        """The account signed in so, as it is now; None where the sign-in has ended.

        It ends with its time, and when the account is gone, disabled, or has another password.
        `use` puts off the end for idleness.
        """
        key, now = _hash(token), self._clock()
        with self._lock:
            held = self._held.get(key)
            if held is None:
                return None
            account = people.accounts.get(held.account)
            idle, age = now - held.used, now - held.began
            over = idle >= self._idle_s or age >= self._longest_s
            if over or account is None or account.disabled or account.password != held.password:
                del self._held[key]
                return None
            if use:
                held.used = now
                self._held.move_to_end(key)
        return account

    def end(self, token: str) -> None:
        """Sign out."""
        with self._lock:
            self._held.pop(_hash(token), None)


class Throttle:
    """Counts attempts by key: of more than `most` within `window_s` seconds each is refused."""

    def __init__(self, most: int, window_s: float, clock: Clock = time.monotonic) -> None:
        self._most, self._window_s, self._clock = most, window_s, clock
        self._lock = threading.Lock()
        self._tried: OrderedDict[bytes, deque[float]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """How many seconds `key` has to wait; 0 where the attempt, now counted, may go on."""
        now = self._clock()
        with self._lock:
            tried = self._tried.setdefault(_hash(key), deque())
            self._tried.move_to_end(_hash(key))
            while len(self._tried) > _KEYS:
                self._tried.popitem(last=False)
            while tried and now - tried[0] >= self._window_s:
                tried.popleft()
            if len(tried) >= self._most:
                return self._window_s - (now - tried[0])
            tried.append(now)
        return 0.0


class Stamps:
    """Marks texts as this server's own, until it ends: tokens of forms, and the cookie of OIDC."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def stamp(self, purpose: str, text: str) -> str:
        """The stamp of `text` for that purpose."""
        labelled = purpose.encode() + b"\0" + text.encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, labelled, sha256).hexdigest()

    def holds(self, purpose: str, text: str, stamp: str) -> bool:
        """Whether it is; compared in constant time."""
        expected = self.stamp(purpose, text).encode()
        return hmac.compare_digest(expected, stamp.encode("utf-8", "surrogatepass"))


def _hash(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
