"""What of the policies no test has reached: rules, exceptions, branches of conditions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guardrails.engine import PolicySet
from guardrails.toolchain.suites.branches import watch_branches
from guardrails.toolchain.suites.rego_lines import LineCounts, ModuleCoverage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from guardrails.decision import Decision
    from guardrails.language.document import Bundle, Exemption, Rule
    from guardrails.language.rego.embedded import EmbeddedEngine
    from guardrails.toolchain.suites.branches import Branching
    from guardrails.toolchain.suites.run import CaseResult


@dataclass(frozen=True, slots=True)
class RuleCoverage:
    """One rule: how often it matched, its branchings, and how often each exception was used."""

    rule: Rule
    matched: int
    branchings: tuple[Branching, ...]
    exceptions: tuple[tuple[Exemption, int], ...]

    @property
    def branches(self) -> tuple[int, ...]:
        """How often each branch was taken."""
        either = (count for each in self.branchings for count in (each.true, each.false))
        return (*either, *(used for _, used in self.exceptions))

    @property
    def missing(self) -> tuple[str, ...]:
        """What no test has reached, in words."""
        return tuple(self._missing())

    def _missing(self) -> Iterator[str]:
        if not self.matched:
            yield "it never matched"
        for each in self.branchings:
            what = f"`{each.clause}`" if each.kind == "condition" else f"`{each.source}`"
            if not each.true and not each.false:
                yield f"{what} was never reached, or was an error"
            elif not each.true or not each.false:
                yield f"{what} was never {'false' if each.true else 'true'}"
        for exemption, used in self.exceptions:
            if not used:
                yield f"the exception “{exemption.reason}” was never used"

    def as_json(self) -> dict[str, Any]:
        """The rule as the command line prints it."""
        return {
            "rule": self.rule.name,
            "place": self.rule.span._asdict(),
            "matched": self.matched,
            "branches": [
                {
                    "clause": each.clause,
                    "kind": each.kind.replace("`", ""),
                    "source": each.source,
                    "place": each.span._asdict(),
                    "true": each.true,
                    "false": each.false,
                }
                for each in self.branchings
            ],
            "exceptions": [
                {"reason": each.reason, "place": each.span._asdict(), "used": used}
                for each, used in self.exceptions
            ],
            "missing": list(self.missing),
        }


@dataclass(frozen=True, slots=True)
class Coverage:
    """All rules of YAML documents, in the order of their files, and all Rego modules by path."""

    rules: tuple[RuleCoverage, ...]
    modules: tuple[ModuleCoverage, ...] = ()

    @property
    def rules_reached(self) -> int:
        """How many rules matched."""
        return sum(bool(each.matched) for each in self.rules)

    @property
    def branches(self) -> int:
        """How many branches there are."""
        return sum(len(each.branches) for each in self.rules)

    @property
    def branches_reached(self) -> int:
        """How many branches were taken."""
        return sum(bool(count) for each in self.rules for count in each.branches)

    @property
    def percent(self) -> float:
        """How much of all rules, branches and lines was reached; rounded down, so 100 means all."""
        reached = self.rules_reached + self.branches_reached + self.lines_reached
        return reached * 1000 // (len(self.rules) + self.branches + self.lines or 1) / 10

    @property
    def lines(self) -> int:
        """How many lines of modules evaluate anything."""
        return sum(len(module.lines) for module in self.modules)

    @property
    def lines_reached(self) -> int:
        """How many of them were reached."""
        return sum(module.reached for module in self.modules)

    def as_json(self) -> dict[str, Any]:
        """The coverage as the command line prints it."""
        return {
            "percent": self.percent,
            "rules": {"reached": self.rules_reached, "all": len(self.rules)},
            "branches": {"reached": self.branches_reached, "all": self.branches},
            "lines": {"reached": self.lines_reached, "all": self.lines},
            "by_rule": [each.as_json() for each in self.rules],
            "by_module": [each.as_json() for each in self.modules],
        }


@dataclass(slots=True)
class Coverer:
    """Policies whose conditions and modules are watched while tests run on them.

    `engine` tells of modules which lines there are, None where there are no modules.
    """

    bundle: Bundle
    engine: EmbeddedEngine | None = None
    lines: LineCounts | None = field(init=False, default=None)
    policies: PolicySet = field(init=False)
    _branchings: dict[str, tuple[Branching, ...]] = field(init=False)

    def __post_init__(self) -> None:
        watched, self._branchings = watch_branches(self.bundle)
        if self.engine is not None:
            self.lines = LineCounts(self.bundle, self.engine)
            watched = self.lines.watch(watched)
        self.policies = PolicySet(watched)

    def measure(self, results: Iterable[CaseResult]) -> Coverage:
        """What `results`, of cases run with `policies`, have reached."""
        decisions = [step.decision for result in results for step in result.steps]
        matched = Counter(match.rule for decision in decisions for match in decision.matches)
        used = Counter(_used(decisions))
        return Coverage(
            tuple(
                RuleCoverage(
                    rule,
                    matched[rule.name],
                    self._branchings[rule.name],
                    tuple((each, used[rule.name, each.reason]) for each in _exemptions(rule)),
                )
                for rule in self.bundle.rules
                if rule.module is None
            ),
            () if self.lines is None else self.lines.coverage(),
        )


def _used(decisions: Iterable[Decision]) -> Iterator[tuple[str, str]]:
    return ((each.rule, each.reason) for decision in decisions for each in decision.exceptions)


def _exemptions(rule: Rule) -> tuple[Exemption, ...]:
    return rule.unless if isinstance(rule.unless, tuple) else ()
