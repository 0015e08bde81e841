"""Fixtures and fakes for the tests of those who use the library.

    from guardrails.testing import guard_over

    def test_large_payments_are_refused():
        guard = guard_over('''
            version: 1
            policy: payments
            rules:
              - {id: small, effect: allow, tools: pay, when: arguments.amount < 10}
        ''')
        pay = guard.tool("pay")(lambda amount: amount)
        with pytest.raises(ActionDenied):
            pay(amount=900)
        assert guard.log.decisions[-1].decision.code == "no_match"

Nothing here reads or writes a file.
"""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.engine import PolicySet
from guardrails.errors import LogUnavailable
from guardrails.guard import Guard
from guardrails.language.loader import load_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.audit.records import DecisionEntry

__all__ = ["MemoryLog", "Outcome", "TestGuard", "guard_over", "policies_over"]


class Outcome(NamedTuple):
    """How a call ended: the id of its decision, and what the log would hold of it."""

    decision_id: str
    outcome: str
    error: str | None


class MemoryLog:
    """A decision log that keeps its entries in lists, and fails when it is told to.

    `decisions` and `outcomes` are in order; the id of the first decision is "d-1". While `broken`
    is true every record is refused, as by a full disk.
    """

    def __init__(self) -> None:
        self.decisions: list[DecisionEntry] = []
        self.outcomes: list[Outcome] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.broken = False

    def decision(self, entry: DecisionEntry) -> str:
        """Keep `entry` and return its id; raises LogUnavailable while broken."""
        self._check()
        self.decisions.append(entry)
        return f"d-{len(self.decisions)}"

    def outcome(
        self, decision_id: str, outcome: str, duration_ns: int, error: str | None = None
    ) -> None:
        """Keep an outcome; raises LogUnavailable while broken, and is broken from then on."""
        del duration_ns
        self._check()
        self.outcomes.append(Outcome(decision_id, outcome, error))

    def event(self, kind: str, **fields: Any) -> str:
        """Keep an event; raises LogUnavailable while broken."""
        self._check()
        self.events.append((kind, fields))
        return f"e-{len(self.events)}"

    def _check(self) -> None:
        if self.broken:
            raise LogUnavailable("the log was told to fail")


class TestGuard(Guard):
    """A guard whose `log` is a `MemoryLog`."""

    __test__ = False
    log: MemoryLog


def policies_over(texts: str | Mapping[str, str]) -> PolicySet:
    """Return the policies of one YAML text, or of several by file name.

    Raises PolicyError with every problem.
    """
    files = {"policy.yaml": texts} if isinstance(texts, str) else dict(texts)
    return PolicySet(load_texts({name: dedent(text) for name, text in files.items()}))


def guard_over(texts: str | Mapping[str, str], **settings: Any) -> TestGuard:
    """Return a guard over `policies_over(texts)` that logs into memory.

    `settings` are those of `Guard`: `observe`, `facts`, `facts_timeout`.
    """
    log = MemoryLog()
    guard = TestGuard(policies_over(texts), log=log, **settings)
    guard.log = log
    return guard
