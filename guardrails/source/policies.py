"""Where a guard's policies come from: the folder, what was loaded of it and how that went."""

from __future__ import annotations

import os
import weakref
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from guardrails.engine import PolicySet
from guardrails.errors import ConfigurationError, LogUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guardrails.enforcement import Enforcer
    from guardrails.language.rego.policies import RegoChoice
    from guardrails.source.reload import Reload, Reloader

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

    With `revision` only policies of that digest are loaded. `rego` says how Rego is evaluated; an
    engine that was given is left open.
    """

    __slots__ = (
        "_error",
        "_loaded_at",
        "_path",
        "_recorded",
        "_rego",
        "_reloader",
        "_revision",
        "_shown",
        "_state",
        "policies",
    )

    def __init__(
        self,
        path: str | Path,
        revision: str | None = None,
        rego: RegoChoice | None = None,
    ) -> None:
        """Load the folder; raises PolicyError, and ConfigurationError for another revision."""
        from guardrails.source.folder_state import read_state  # noqa: PLC0415 - only to read policies

        if rego is not None:
            from guardrails.language.rego.policies import check_choice  # noqa: PLC0415 - likewise

            check_choice(rego)
        self._rego = rego
        self._shown = os.fspath(path)
        self._path = os.path.abspath(path)  # noqa: PTH100 - a link stays a link, to be followed
        self._revision = revision
        self._error = self._recorded = ""
        self._reloader: Reloader | None = None
        self._state = read_state(self._path)
        self.policies = self._load()
        self._loaded_at = monotonic()

    @property
    def writable(self) -> bool:
        """Whether this process could change the policies, or put others in their place."""
        from guardrails.source.folder_access import may_change  # noqa: PLC0415 - likewise

        return may_change(self._path)

    @property
    def health(self) -> Health:
        """What there is to say of the policies in force."""
        age = monotonic() - self._loaded_at
        return Health(self.policies.revision, age, self._error, self.writable)

    def follow(
        self,
        enforcer: Enforcer,
        *,
        polling: bool = False,
        on_load: Callable[[Health], None] | None = None,
    ) -> None:
        """Watch the folder and put in force what it holds; `on_load` hears of every attempt.

        It ends with `close`, and where nobody has the enforcer any more.
        """
        from guardrails.source.reload import Announcer, Reloader  # noqa: PLC0415 - only to watch

        announcer = None if on_load is None else Announcer(on_load)
        reference = weakref.ref(enforcer)

        def deliver(reload: Reload) -> None:
            enforcer = reference()
            if enforcer is None:
                return
            before = self._error
            try:
                news = self._take(enforcer, reload)
            except LogUnavailable:
                if announcer is not None and self._error != before:
                    announcer.tell(self.health)
                raise
            if announcer is not None and news:
                announcer.tell(self.health)

        self._reloader = Reloader(
            self._path,
            self._load,
            self._digest,
            lambda: self.policies,
            deliver,
            state=self._state,
            polling=polling,
        )
        weakref.finalize(enforcer, self._reloader.stop).atexit = False

    def close(self) -> None:
        """Watch no more, and end what evaluates Rego; the policies in force stay so."""
        if self._reloader is not None:
            self._reloader.close()
        if self._rego is None or isinstance(self._rego, str) or not hasattr(self._rego, "evaluate"):
            self._close_engines()

    def _load(self) -> PolicySet:
        from guardrails.language.loader import load  # noqa: PLC0415 - only to read policies

        policies = PolicySet(load(self._path, shown=self._shown, rego=self._rego))
        if self._revision not in (None, policies.revision):
            msg = (
                f"the policies in `{self._shown}` have the revision {policies.revision}, not"
                f" {self._revision}; if the change was meant, give the new one"
            )
            raise ConfigurationError(msg)
        return policies

    def _close_engines(self) -> None:
        if any(rule.module is not None for rule in self.policies.bundle.rules):
            from guardrails.language.rego.policies import close_engines  # noqa: PLC0415 - likewise

            close_engines(self.policies.bundle)

    def _digest(self) -> str:
        from guardrails.language.loader import read_revision  # noqa: PLC0415 - only to watch

        return read_revision(self._path)

    def _take(self, enforcer: Enforcer, reload: Reload) -> bool:
        """Put a load in force, or keep why it failed; returns whether there was news."""
        if reload.policies is None or reload.difference is None:
            return self._keep(enforcer, reload.error[:ERROR_LENGTH])
        if reload.policies.revision == self.policies.revision and not self._error:
            return False
        try:
            enforcer.replace(
                reload.policies,
                previous=self.policies.revision,
                differences=reload.difference.as_json(),
                writable=self.writable,
                duration_ns=int(reload.seconds * 1e9),
            )
        except LogUnavailable as error:
            self._error = f"the new policies wait for a record of their load: {error}"
            raise
        self.policies = reload.policies
        self._loaded_at = monotonic()
        self._error = self._recorded = ""
        return True

    def _keep(self, enforcer: Enforcer, error: str) -> bool:
        """Keep why a load failed, and record it; returns whether that was not told before."""
        if error == self._recorded:
            return False
        self._error = error
        revision, writable = self.policies.revision, self.writable
        enforcer.note("load_failed", revision=revision, error=error, writable=writable)
        self._recorded = error
        return True


def load_policies(path: str | Path) -> PolicySet:
    """Return the policies of a folder, ready to judge; raises PolicyError with every problem."""
    from guardrails.language.loader import load  # noqa: PLC0415 - only where policies are read

    return PolicySet(load(path))
