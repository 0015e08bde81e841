"""What the shop knows and the agent can't claim: facts that the policies read as `context.x`.

Each is asked for only when a rule that concerns the call reads it. One that fails is missing, and
what is missing is never in the agent's favour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo.world import today

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from demo.world import World
    from guardrails import Action


def facts(world: World) -> Mapping[str, Callable[[Action], Any]]:
    """The providers of the shop's facts, by the names that the policies declare."""

    def freeze(action: Action) -> bool:  # noqa: ARG001 - it holds for every action
        return world.freeze.exists()

    def customers(action: Action) -> list[str]:  # noqa: ARG001
        return [email for (email,) in world.query("SELECT email FROM customers")]

    def known_payee(action: Action) -> bool:
        return bool(world.query("SELECT 1 FROM suppliers WHERE name = ?", _payee(action)))

    def paid_today(action: Action) -> float:
        ((total,),) = world.query(
            "SELECT coalesce(sum(amount), 0.0) FROM payments WHERE payee = ? AND paid_on = ?",
            _payee(action),
            today(),
        )
        return float(total)

    return {
        "freeze": freeze,
        "customers": customers,
        "known_payee": known_payee,
        "paid_today": paid_today,
    }


def _payee(action: Action) -> str:
    """Whom the call pays; an error if it doesn't say, and then the fact is missing."""
    return str((action.arguments or {})["payee"])
