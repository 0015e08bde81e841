"""How much people are asked: what a guard may be told besides where they decide."""

from __future__ import annotations

from dataclasses import dataclass
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from guardrails.approvals.budget import Budget
from guardrails.approvals.terms import Terms
from guardrails.errors import ConfigurationError
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Approvals", "Budget", "Sampling"]

REVIEW_WITHIN_NS = 7 * 86_400 * NANOSECONDS
"""By when a sample is to be looked at: a week, for it holds up nothing."""

_random = SystemRandom()


class Sampling:
    """A share of what policy allows, which `reviewers`, groups and people, look at afterwards.

    Which calls they are is drawn by the system's random numbers: an agent that could foresee it
    would behave for them. Raises ConfigurationError for a rate that is none, or without reviewers.
    """

    __slots__ = ("rate", "terms")

    def __init__(self, rate: float, reviewers: Iterable[str]) -> None:
        named = () if isinstance(reviewers, str) else tuple(reviewers)
        if not named or not all(type(name) is str and name for name in named):
            raise ConfigurationError('`reviewers` is a list of groups and people, say ["risk"]')
        if type(rate) not in (int, float) or not 0 < rate <= 1:
            msg = f"the rate of a sampling is above 0 and at most 1, not {rate!r}"
            raise ConfigurationError(msg)
        self.rate = rate
        self.terms = Terms.any_of(named, timeout_ns=REVIEW_WITHIN_NS)

    def draws(self) -> bool:
        """Whether the call at hand is one of the sample."""
        return _random.random() < self.rate


@dataclass(frozen=True, slots=True)
class Approvals:
    """What `Guard.load(approvals=...)` takes where the place alone is not enough.

    `where` is a folder, the URL of a store, a service, or a prompt; `budget` bounds what people are
    asked, `sampling` hands them a share of what is allowed.
    """

    where: Any = ".guardrails"
    budget: Budget | None = None
    sampling: Sampling | None = None
