"""Suites of tests as frozen values: what is proposed, and what is expected of the decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guardrails.action import Action, SessionView
    from guardrails.decision import Code, Effect
    from guardrails.language.document import Span


@dataclass(frozen=True, slots=True)
class Expected:
    """What a decision is to be; None where the test doesn't say.

    `rules` are exactly those that match, sorted; `would` is the effect with observed rules counted;
    `suspends` says whether whoever acts is stopped for what was tried, `errors` of which rules,
    sorted, a condition failed.
    """

    effect: Effect
    rules: tuple[str, ...] | None = None
    code: Code | None = None
    message: str | None = None
    would: Effect | None = None
    suspends: bool | None = None
    errors: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One action and what is expected; `now_ns` is None where the test fixes no time.

    For the steps that follow in the same session: `fails` says that the call, if it runs, fails,
    `approved` that people let it run if it is escalated, `output` is what it gives. `said` is what
    the person said before the step. `elsewhere` is the session that the step is in, as it begins,
    where that is not the one that the steps of its case share.
    """

    action: Action
    now_ns: int | None
    expected: Expected
    span: Span
    fails: bool = False
    approved: bool = False
    said: tuple[str, ...] = ()
    output: Any = None
    elsewhere: SessionView | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One case, a combination of its matrix if it has one: `name` shows which.

    `opening` is the session that its steps share, as it begins; None for a single action. `said`
    is what the person said in it before them. `policies` are those whose rules it is judged by,
    empty for all.
    """

    suite: str
    name: str
    span: Span
    steps: tuple[Step, ...]
    opening: SessionView | None = None
    said: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The suite and the case, as they are shown."""
        return f"{self.suite}: {self.name}"


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one test file."""

    name: str
    path: str
    cases: tuple[Case, ...]
