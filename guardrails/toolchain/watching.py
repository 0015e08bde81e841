"""What each save of a policy folder changes, and what lint and the tests say of it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from guardrails.engine import PolicySet
from guardrails.errors import GuardrailsError, PolicyError
from guardrails.instants import print_timestamp
from guardrails.language.difference import find_difference
from guardrails.language.folder import read_folder
from guardrails.language.loader import load_folder
from guardrails.toolchain.lint.formats.json import report_json
from guardrails.toolchain.lint.linter import make_linter
from guardrails.toolchain.lint.report import report_of_load
from guardrails.toolchain.suites.tester import Asked, run_tests
from guardrails.values import Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from guardrails.language.difference import Difference
    from guardrails.language.document import Bundle
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.report import Report
    from guardrails.toolchain.suites.report import Report as TestReport

T = TypeVar("T")

Note = tuple[str, str, str]
"""A finding wherever it stands in its file: rule, file and message."""


@dataclass(frozen=True, slots=True)
class Good:
    """Policies that loaded, and when, in nanoseconds since 1970: what a guard has in force."""

    bundle: Bundle
    at_ns: int


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of the folder `root` at `at_ns`, nanoseconds since 1970.

    `in_force` is what a guard that watches has in force after it, None where nothing has loaded
    yet; `loaded` says whether it is what was seen. `difference` is against what was in force
    before, None where nothing was or the folder doesn't load. `lint` and `tests` are what they
    say (where the policies don't load, lint says why), None where they could not be asked or were
    not; `faults` are why they could not. `noted` are the notes of lint that were told before.
    """

    root: str
    at_ns: int
    in_force: Good | None
    loaded: bool
    difference: Difference | None = None
    lint: Report | None = None
    tests: TestReport | None = None
    faults: tuple[str, ...] = ()
    noted: frozenset[Note] = frozenset()

    def as_json(self) -> dict[str, Any]:
        """What was seen, for programs."""
        return {
            "time": print_timestamp(Timestamp(self.at_ns)),
            "loaded": self.loaded,
            "in_force": None if self.in_force is None else self.in_force.bundle.revision,
            "differences": {} if self.difference is None else self.difference.as_json(),
            "lint": None if self.lint is None else report_json(self.lint),
            "tests": None if self.tests is None else self.tests.as_json(),
            "faults": list(self.faults),
        }


class Watcher:
    """Looks at the folder `root` again and again, and remembers what loaded last.

    `config` and `modules` are those of lint; with `testing` the tests are run too. `clock` gives
    nanoseconds since 1970.
    """

    def __init__(
        self,
        root: str,
        clock: Callable[[], int],
        *,
        config: str | None = None,
        modules: tuple[str, ...] = (),
        testing: bool = False,
    ) -> None:
        self._root = root
        self._clock = clock
        self._config = config
        self._modules = modules
        self._testing = testing
        self._good: Good | None = None
        self._noted: frozenset[Note] = frozenset()

    def look(self) -> Sight:
        """Return what there is to see now; never raises for what stands in the files."""
        before, now_ns = self._good, self._clock()
        faults: list[str] = []
        folder = read_folder(Path(self._root))
        try:
            bundle = load_folder(folder, self._root)
            PolicySet(bundle)
        except PolicyError as error:
            files = len(folder.documents) + len(folder.modules) + len(folder.tests)
            told = replace(report_of_load(error), files=files)
            return Sight(self._root, now_ns, before, loaded=False, lint=told)
        self._good = Good(bundle, now_ns)
        lint, noted = _ask(self._lint, now_ns, faults), self._noted
        if lint is not None:
            self._noted = frozenset(map(note_of, lint.findings))
        return Sight(
            self._root,
            now_ns,
            self._good,
            loaded=True,
            difference=None if before is None else find_difference(before.bundle, bundle),
            lint=lint,
            tests=_ask(self._test, now_ns, faults) if self._testing else None,
            faults=tuple(faults),
            noted=noted,
        )

    def _lint(self, now_ns: int) -> Report:
        root = Path(self._root)
        linter = make_linter(root, config=self._config, modules=self._modules, now_ns=now_ns)
        return linter.lint(read_folder(root))

    def _test(self, now_ns: int) -> TestReport:
        folder = read_folder(Path(self._root))
        return run_tests(folder, self._root, Asked(), now_ns, _show_nothing)


def note_of(finding: Finding) -> Note:
    """What is the same of a finding after lines were added above it."""
    return finding.rule, finding.region.path, finding.message


def _ask(question: Callable[[int], T], now_ns: int, faults: list[str]) -> T | None:
    """The answer, or None and a fault more: settings that can't be, a test that can't be read."""
    try:
        return question(now_ns)
    except GuardrailsError as error:
        faults.append(str(error))
        return None


def _show_nothing(_what: str) -> AbstractContextManager[Callable[[int, int], None]]:
    return nullcontext(lambda _done, _whole: None)
