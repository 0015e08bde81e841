"""Tests in Rego: read, run in the engine's own processes, and told as what became of each."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardrails.errors import ConfigurationError, Problem
from guardrails.language.folder import REGO
from guardrails.language.rego.policies import make_embedded
from guardrails.language.rego.seam import EngineFailure
from guardrails.language.rego.settings import find_rego_settings
from guardrails.language.rego.tests import read_tests

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from guardrails.decision import Effect, RuleMatch
    from guardrails.language.document import Bundle
    from guardrails.language.folder import Folder
    from guardrails.language.rego.embedded import EmbeddedEngine
    from guardrails.language.rego.seam import Answer
    from guardrails.language.rego.tests import RegoTest
    from guardrails.toolchain.suites.rego_lines import LineCounts

TIME_LIMIT = 5.0
"""Seconds that one test may take, as under `opa test --timeout`: it asks the policy many times."""

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

PRINTS_KEPT = 50
"""Lines that a test printed which are kept."""


@dataclass(frozen=True, slots=True)
class RegoResult:
    """What became of a test; `reason` says why it failed, `prints` what it printed."""

    test: RegoTest
    outcome: str
    reason: str = ""
    prints: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it was run and was not true."""
        return self.outcome == FAILED

    def as_json(self) -> dict[str, Any]:
        """The test as the command line prints it."""
        return {
            "package": self.test.package,
            "name": self.test.name,
            "place": self.test.span._asdict(),
            "outcome": self.outcome,
            "reason": self.reason,
            "prints": list(self.prints),
        }


def read_rego_tests(
    folder: Folder, bundle: Bundle | None
) -> tuple[tuple[RegoTest, ...], list[Problem]]:
    """The tests in Rego in a folder, and every problem in their files.

    `bundle` are the policies that are tested, None where they don't load.
    """
    files = [file for file in folder.tests if file.name.lower().endswith(REGO)]
    if not files:
        return (), []
    constants = {} if bundle is None else bundle.constants
    try:
        settings = find_rego_settings(folder.root)
        parser = make_embedded(settings)
    except ConfigurationError as error:
        return (), [Problem(files[0].path, 0, 0, str(error))]
    try:
        return read_tests(folder, files, constants, settings.packages, parser)
    finally:
        parser.close()


class Sources:
    """Tells of which rules a match is: a result of a module may have an `id` of its own."""

    def __init__(self, bundle: Bundle) -> None:
        self._known = {rule.name for rule in bundle.rules}
        self._of_modules: dict[tuple[str, Effect], list[str]] = defaultdict(list)
        for rule in bundle.rules:
            if rule.module is not None:
                self._of_modules[rule.policy, rule.effect].append(rule.name)

    def of(self, match: RuleMatch) -> Sequence[str]:
        """The full name of the rule, or those of all of its policy that have its effect."""
        if match.rule in self._known:
            return (match.rule,)
        return self._of_modules.get((match.rule.partition("/")[0], match.effect), ())


@contextmanager
def engine_for(
    bundle: Bundle, tests: Iterable[RegoTest], folder: Folder
) -> Iterator[EmbeddedEngine | None]:
    """An engine for tests and modules, closed in the end; None where there are neither."""
    if not tests and not any(rule.module is not None for rule in bundle.rules):
        yield None
        return
    engine = make_embedded(find_rego_settings(folder.root))
    try:
        yield engine
    finally:
        engine.close()


def run_tests_in_rego(
    engine: EmbeddedEngine,
    tests: Iterable[RegoTest],
    counts: LineCounts | None = None,
) -> tuple[RegoResult, ...]:
    """What became of each test; lines that they reach are added to `counts`."""
    return tuple(_run(engine, test, counts) for test in tests)


def _run(engine: EmbeddedEngine, test: RegoTest, counts: LineCounts | None) -> RegoResult:
    if test.skipped:
        return RegoResult(test, SKIPPED)
    entries = range(test.index, test.index + 1)
    try:
        seen = engine.watch(test.unit, b"{}", entries, TIME_LIMIT)
    except EngineFailure as failure:
        return RegoResult(test, FAILED, str(failure))
    if counts is not None:
        counts.add(seen.lines, test.lines)
    reason = _why_not(seen.answers[0])
    return RegoResult(test, FAILED if reason else PASSED, reason, seen.prints[:PRINTS_KEPT])


def _why_not(answer: Answer) -> str:
    """Why a test has failed; "" if it hasn't."""
    if answer.error is not None:
        return f"it is an error: {answer.error}"
    if not answer.defined:
        return "it is undefined: something in it is false or has no value"
    if answer.value is True:
        return ""
    return "it is false" if answer.value is False else "its value is neither true nor false"
