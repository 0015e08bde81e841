"""A folder of policies tested by the suites beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from guardrails.display import escape, quote
from guardrails.engine import PolicySet
from guardrails.errors import GuardrailsError, PolicyError, Problem
from guardrails.language.loader import load_folder
from guardrails.toolchain.suites.coverage import Coverer
from guardrails.toolchain.suites.mutation import try_mutants
from guardrails.toolchain.suites.reader import read_suites
from guardrails.toolchain.suites.report import Report
from guardrails.toolchain.suites.run import run_cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from guardrails.language.document import Bundle
    from guardrails.language.folder import Folder
    from guardrails.toolchain.suites.suite import Case, Suite

MUTATION_SECONDS = 600.0
"""How long mutants are tried, unless it is said otherwise."""


class NothingTested(GuardrailsError):  # noqa: N818 - it names a state
    """There is no test to run: checking nothing is an error."""


class Progress(Protocol):
    """Shows how far a piece of work has come, while it is entered."""

    def __call__(self, what: str, /) -> AbstractContextManager[Callable[[int, int], None]]:
        """What to call with how much is done and how much there is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a run.

    `names` are parts of names, of which a case must have one if any are given. `threshold` is the
    percentage that the coverage must reach, `seconds` how long mutants are tried.
    """

    names: tuple[str, ...] = ()
    coverage: bool = False
    threshold: float | None = None
    mutate: bool = False
    seconds: float = MUTATION_SECONDS


def run_tests(folder: Folder, root: str, asked: Asked, now_ns: int, progress: Progress) -> Report:
    """What the tests in a folder find; `now_ns` is the time where a test fixes none.

    Raises PolicyError with every problem of policies and tests, NothingTested where there is no
    test, or none of the names asked for.
    """
    bundle, suites = load_tested(folder, root)
    cases = choose_cases(suites, asked.names, root)
    policies = PolicySet(bundle)
    covering = asked.coverage or asked.threshold is not None
    if covering and not bundle.rules:
        raise NothingTested(f"{escape(root)}: there is no rule to cover")
    coverer = Coverer(bundle) if covering else None
    with progress("testing") as show:
        watched = None if coverer is None else coverer.policies
        results = run_cases(policies, cases, now_ns, watched, show)
    mutation = None
    if asked.mutate and not any(result.failure for result in results):
        with progress("trying mutants") as show:
            mutation = try_mutants(bundle, cases, now_ns, asked.seconds, show)
    coverage = None if coverer is None else coverer.measure(results)
    return Report(bundle.revision, results, coverage, asked.threshold, mutation)


def load_tested(folder: Folder, root: str) -> tuple[Bundle, tuple[Suite, ...]]:
    """The policies and the suites of a folder; raises PolicyError with the problems of both."""
    bundle, problems = _load(folder, root)
    suites, faults = read_suites(folder.tests, bundle)
    problems += faults
    if bundle is None or problems:
        raise PolicyError(problems)
    return bundle, suites


def _load(folder: Folder, root: str) -> tuple[Bundle | None, list[Problem]]:
    if folder.tests and not folder.documents and not folder.problems:
        message = "there are tests here and no policies; name the folder of both"
        return None, [Problem(escape(root), 0, 0, message)]
    try:
        return load_folder(folder, root), []
    except PolicyError as error:
        return None, list(error.problems)


def choose_cases(suites: Iterable[Suite], names: tuple[str, ...], root: str) -> tuple[Case, ...]:
    """The cases to run: all, or those whose title holds one of `names`, whatever the case.

    Raises NothingTested where there are none.
    """
    every = tuple(case for suite in suites for case in suite.cases)
    if not every:
        message = "there is no test here; tests stand beside the policies, in `*_test.yaml`"
        raise NothingTested(f"{escape(root)}: {message}")
    parts = tuple(name.casefold() for name in names)
    chosen = tuple(
        case for case in every if not parts or any(part in case.title.casefold() for part in parts)
    )
    if not chosen:
        wanted = " or ".join(map(quote, names))
        raise NothingTested(
            f"{escape(root)}: none of {len(every):,} cases has {wanted} in its name"
        )
    return chosen
