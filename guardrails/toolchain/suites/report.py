"""The outcome of a run as a value: cases, coverage, mutants, and what the exit code is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardrails.toolchain.suites.rego import SKIPPED

if TYPE_CHECKING:
    from guardrails.toolchain.suites.coverage import Coverage
    from guardrails.toolchain.suites.mutation import Mutation
    from guardrails.toolchain.suites.rego import RegoResult
    from guardrails.toolchain.suites.run import CaseResult, StepResult


@dataclass(frozen=True, slots=True)
class Report:
    """What one run of the tests has found; None where something was not asked for.

    `results` are of the cases in YAML, `in_rego` of the rules `test_...` of modules.
    `threshold` is the percentage that the coverage must reach.
    """

    revision: str
    results: tuple[CaseResult, ...]
    in_rego: tuple[RegoResult, ...] = ()
    coverage: Coverage | None = None
    threshold: float | None = None
    mutation: Mutation | None = None

    @property
    def failures(self) -> tuple[CaseResult, ...]:
        """The cases that failed."""
        return tuple(each for each in self.results if each.failure is not None)

    @property
    def failures_in_rego(self) -> tuple[RegoResult, ...]:
        """The tests in Rego that failed."""
        return tuple(each for each in self.in_rego if each.failed)

    @property
    def failed(self) -> int:
        """How many tests failed."""
        return len(self.failures) + len(self.failures_in_rego)

    @property
    def skipped(self) -> tuple[RegoResult, ...]:
        """The tests that were not run, because their names say so."""
        return tuple(each for each in self.in_rego if each.outcome == SKIPPED)

    @property
    def passed(self) -> int:
        """How many tests passed."""
        return len(self.results) + len(self.in_rego) - self.failed - len(self.skipped)

    @property
    def below_threshold(self) -> bool:
        """Whether less was reached than was asked for."""
        wanted = self.threshold is not None and self.coverage is not None
        return wanted and self.coverage.percent < self.threshold  # type: ignore[union-attr, operator]

    @property
    def exit_code(self) -> int:
        """The exit code (design, section 6): 1 for findings, 4 where mutants were not all tried."""
        if self.failed or self.below_threshold:
            return 1
        if self.mutation is None:
            return 0
        return 1 if self.mutation.survivors else 4 if self.mutation.untried else 0

    def as_json(self) -> dict[str, Any]:
        """The report as the command line prints it."""
        told: dict[str, Any] = {
            "passed": self.passed,
            "failed": self.failed,
            "skipped": len(self.skipped),
            "revision": self.revision,
            "cases": [_case_json(result) for result in self.results],
            "rego": [result.as_json() for result in self.in_rego],
        }
        if self.coverage is not None:
            told["coverage"] = {**self.coverage.as_json(), "threshold": self.threshold}
        if self.mutation is not None:
            told["mutation"] = self.mutation.as_json()
        return told


def _case_json(result: CaseResult) -> dict[str, Any]:
    case = result.case
    return {
        "suite": case.suite,
        "name": case.name,
        "place": case.span._asdict(),
        "passed": result.failure is None,
        "steps": [_step_json(step) for step in result.steps],
    }


def _step_json(result: StepResult) -> dict[str, Any]:
    told: dict[str, Any] = {
        "tool": result.step.action.tool,
        "place": result.step.span._asdict(),
        "passed": not result.mismatches,
        "mismatches": [mismatch._asdict() for mismatch in result.mismatches],
        "decision": result.decision.as_json(),
    }
    if result.remark:
        told["remark"] = result.remark
    if result.explanation is not None:
        told["explanation"] = result.explanation.as_json()
    return told
