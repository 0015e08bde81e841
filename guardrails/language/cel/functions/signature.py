"""What a library function of the condition language is, and how its work is charged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from guardrails.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.language.cel.types import Type

CHARACTERS_PER_STEP = 64
"""Characters (or bytes) that one step of work may read or write: about 100 ns for the slowest."""


class Budget(Protocol):
    """Whatever holds the work that a condition may still do."""

    steps: int


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature of a library function and the Python function that carries it out.

    `receiver` functions are called as `x.f(..)`, their first parameter being `x`; the others as
    `f(..)` (a name may hold dots, as in `strings.quote`). The implementation gets values whose
    exact run-time type is the parameter's (`dyn`: any), and raises nothing but `EvaluationError`.
    If `charged`, its first argument is the `Budget` it charges before it works. `reads` names a
    variable that it reads besides its arguments: then that first argument is the whole frame.

    The two hooks run when policies are loaded. Both get a tuple as long as `parameters`: the
    argument's value where it is a literal or a constant, else None. `check_literals` returns what
    is wrong with them, or None. `specialise` returns an implementation that takes the same
    arguments and has done its work on the literals beforehand, or None where it can't.
    """

    name: str
    parameters: tuple[Type, ...]
    result: Type
    receiver: bool
    implementation: Callable[..., object]
    charged: bool = True
    reads: str | None = None
    check_literals: Callable[[tuple[object | None, ...]], str | None] | None = None
    specialise: Callable[[tuple[object | None, ...]], Callable[..., object] | None] | None = None


def charge(budget: Budget, steps: int) -> None:
    """Take `steps` from the budget; raises `EvaluationError` when that is more than is left."""
    budget.steps -= steps
    if budget.steps < 0:
        raise EvaluationError("too much work for one condition")


def charge_text(budget: Budget, characters: int) -> None:
    """Charge for reading or writing `characters` characters or bytes, likewise."""
    budget.steps -= 1 + characters // CHARACTERS_PER_STEP
    if budget.steps < 0:
        raise EvaluationError("too much work for one condition")
