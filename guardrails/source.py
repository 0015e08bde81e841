"""Where a guard's policies come from: the folder, what was loaded of it and how that went."""

from __future__ import annotations

import os
from time import time_ns
from typing import TYPE_CHECKING, NamedTuple

from guardrails.engine import PolicySet
from guardrails.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guardrails.enforcement import Enforcer
    from guardrails.reload import Reload, Reloader

ERROR_LENGTH = 4_000
"""Characters of a failed load's problems that the log and the health keep."""


class Health(NamedTuple):
    """What a guard says of itself.

    `revision` is that of the policies in force, `age` the seconds since they were loaded.
    `last_error` is why the last load failed ("" if it did not): then the policies in force are
    older than their folder. `writable` says that this process could change the policies it obeys.
    """

    revision: str
    age: float
    last_error: str
    writable: bool


class PolicySource:
    """A folder of policies and the set loaded from it; `policies` are those of the last good load.

    With `revision` only policies of that digest are loaded.
    """

    __slots__ = ("_error", "_folder", "_loaded_ns", "_reloader", "_revision", "_state", "policies")

    def __init__(self, path: str | Path, revision: str | None = None) -> None:
        """Load the folder; raises PolicyError, and ConfigurationError for another revision."""
        from guardrails.reload import read_state  # noqa: PLC0415 - only where policies are read

        self._folder = os.path.abspath(path)  # noqa: PTH100 - a link stays a link, to be followed
        self._revision = revision
        self._error = ""
        self._reloader: Reloader | None = None
        self._state = read_state(self._folder)
        self.policies = self._load(os.fspath(path))
        self._loaded_ns = time_ns()

    @property
    def writable(self) -> bool:
        """Whether this process could change the policies, or put others in their place."""
        from guardrails.reload import walk  # noqa: PLC0415 - only where policies are read

        return any(
            os.access(os.path.join(root, name), os.W_OK)  # noqa: PTH118 - as `os.walk` gives them
            for root, names in walk(self._folder)
            for name in (".", *names)
        )

    @property
    def health(self) -> Health:
        """What there is to say of the policies in force."""
        age = (time_ns() - self._loaded_ns) / 1e9
        return Health(self.policies.revision, age, self._error, self.writable)

    def follow(
        self,
        enforcer: Enforcer,
        *,
        polling: bool = False,
        on_load: Callable[[Health], None] | None = None,
    ) -> None:
        """Watch the folder and put in force what it holds; `on_load` hears of every attempt."""
        from guardrails.reload import Reloader  # noqa: PLC0415 - only to watch

        def deliver(reload: Reload) -> None:
            if self._take(enforcer, reload) and on_load is not None:
                on_load(self.health)

        self._reloader = Reloader(
            self._folder,
            self._load,
            lambda: self.policies,
            deliver,
            state=self._state,
            polling=polling,
        )

    def close(self) -> None:
        """Watch no more; the policies in force stay so."""
        if self._reloader is not None:
            self._reloader.close()

    def _load(self, path: str) -> PolicySet:
        policies = load_policies(path)
        if self._revision not in (None, policies.revision):
            msg = (
                f"the policies in `{path}` have the revision {policies.revision}, not"
                f" {self._revision}; if the change was meant, give the new one"
            )
            raise ConfigurationError(msg)
        return policies

    def _take(self, enforcer: Enforcer, reload: Reload) -> bool:
        """Put a load in force, or keep why it failed; returns whether there was news."""
        if reload.policies is None or reload.difference is None:
            error = reload.error[:ERROR_LENGTH]
            enforcer.note(
                "load_failed",
                revision=self.policies.revision,
                error=error,
                writable=self.writable,
            )
            self._error = error
            return True
        if reload.policies.revision == self.policies.revision and not self._error:
            return False
        enforcer.replace(
            reload.policies,
            previous=self.policies.revision,
            differences=reload.difference.as_json(),
            writable=self.writable,
            duration_ns=int(reload.seconds * 1e9),
        )
        self.policies = reload.policies
        self._loaded_ns = time_ns()
        self._error = ""
        return True


def load_policies(path: str | Path) -> PolicySet:
    """Return the policies of a folder, ready to judge; raises PolicyError with every problem."""
    from guardrails.language.loader import load  # noqa: PLC0415 - only where policies are read

    return PolicySet(load(path))
