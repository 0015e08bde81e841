"""A folder of policies tested by the suites beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from guardrails.display import escape, quote
from guardrails.engine import PolicySet
from guardrails.errors import GuardrailsError, PolicyError, Problem
from guardrails.language.loader import load_folder
from guardrails.toolchain.suites.coverage import Coverer
from guardrails.toolchain.suites.mutation import try_mutants
from guardrails.toolchain.suites.reader import read_suites
from guardrails.toolchain.suites.rego import engine_for, read_rego_tests, run_tests_in_rego
from guardrails.toolchain.suites.report import Report
from guardrails.toolchain.suites.run import run_cases

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from guardrails.language.document import Bundle
    from guardrails.language.folder import Folder
    from guardrails.language.rego.tests import RegoTest
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
    tested = read_tested(folder, root)
    bundle = tested.bundle
    cases, tests = choose(tested, asked.names, root)
    covering = asked.coverage or asked.threshold is not None
    if covering and not bundle.rules:
        raise NothingTested(f"{escape(root)}: there is no rule to cover")
    with engine_for(bundle, tests, folder) as engine:
        coverer = Coverer(bundle, engine) if covering else None
        with progress("testing") as show:
            watched = None if coverer is None else coverer.policies
            results = run_cases(PolicySet(bundle), cases, now_ns, watched, show)
            counts = None if coverer is None else coverer.lines
            in_rego = () if engine is None else run_tests_in_rego(engine, tests, counts)
    mutation = None
    failed = any(result.failure for result in results) or any(each.failed for each in in_rego)
    if asked.mutate and not failed:
        with progress("trying mutants") as show:
            mutation = try_mutants(bundle, cases, now_ns, asked.seconds, show)
    coverage = None if coverer is None else coverer.measure(results)
    return Report(bundle.revision, results, in_rego, coverage, asked.threshold, mutation)


class Tested(NamedTuple):
    """Policies, and the tests beside them."""

    bundle: Bundle
    suites: tuple[Suite, ...]
    in_rego: tuple[RegoTest, ...]


def read_tested(folder: Folder, root: str) -> Tested:
    """The policies and all tests of a folder; raises PolicyError with the problems of both."""
    bundle, problems = _load(folder, root)
    suites, faults = read_suites(folder.tests, bundle)
    in_rego, others = read_rego_tests(folder, bundle)
    problems += (*faults, *others)
    if bundle is None or problems:
        raise PolicyError(problems)
    return Tested(bundle, suites, in_rego)


def _load(folder: Folder, root: str) -> tuple[Bundle | None, list[Problem]]:
    policies = folder.documents or folder.modules
    if folder.tests and not policies and not folder.problems:
        message = "there are tests here and no policies; name the folder of both"
        return None, [Problem(escape(root), 0, 0, message)]
    try:
        return load_folder(folder, root), []
    except PolicyError as error:
        return None, list(error.problems)


def choose(
    tested: Tested, names: tuple[str, ...], root: str
) -> tuple[tuple[Case, ...], tuple[RegoTest, ...]]:
    """What to run: all, or those whose title holds one of `names`, whatever the case.

    Raises NothingTested where there is nothing.
    """
    cases = tuple(case for suite in tested.suites for case in suite.cases)
    count = len(cases) + len(tested.in_rego)
    if not count:
        message = (
            "there is no test here; tests stand beside the policies, in `*_test.yaml` and, for"
            " Rego, as rules `test_...` in `*_test.rego`"
        )
        raise NothingTested(f"{escape(root)}: {message}")
    parts = tuple(name.casefold() for name in names)
    chosen = tuple(case for case in cases if _is_named(case.title, parts))
    in_rego = tuple(test for test in tested.in_rego if _is_named(test.title, parts))
    if not chosen and all(test.skipped for test in in_rego):
        if in_rego and not names:
            raise NothingTested(f"{escape(root)}: every test is skipped, being a `todo_`")
        wanted = " or ".join(map(quote, names))
        raise NothingTested(f"{escape(root)}: none of {count:,} cases has {wanted} in its name")
    return chosen, in_rego


def _is_named(title: str, parts: tuple[str, ...]) -> bool:
    return not parts or any(part in title.casefold() for part in parts)
