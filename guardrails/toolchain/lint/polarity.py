"""Which parts of a condition sanction an action: by being true they can only help it along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.language.cel.tree import Comprehension, Conditional, Logic, Node, Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.project import Clause

_KEEPING = frozenset({"all", "exists"})
"""Macros that are the more likely true the more often their body is."""


def sanctions(clause: Clause) -> bool:
    """Whether an action fares better when the condition is true.

    It does in `when` of an `allow`, and in the exceptions of a `deny` or `escalate`.
    """
    return (clause.rule.effect is Effect.ALLOW) is (clause.key == "when")


def sanctioning(clause: Clause) -> Iterator[Node]:
    """The nodes of a condition whose being true helps an action along, or may."""
    wanted = sanctions(clause)
    for node, weight in weights(clause.condition.checked.root):
        if weight is None or weight is wanted:
            yield node


def weights(node: Node, weight: bool | None = True) -> Iterator[tuple[Node, bool | None]]:  # noqa: FBT001, FBT002
    """Every node with what its being true does: True helps the whole be true, False hinders it.

    None stands for either: what is compared, looked up, counted or handed to a function.
    """
    yield node, weight
    for child, keeps in _children(node):
        yield from weights(child, None if keeps is None or weight is None else keeps is weight)


def _children(node: Node) -> Iterator[tuple[Node, bool | None]]:
    """The parts of a node, and whether their being true helps it be true."""
    if isinstance(node, Logic):
        yield from ((operand, True) for operand in node.operands)
    elif isinstance(node, Operation) and node.operator == "!":
        yield node.operands[0], False
    elif isinstance(node, Conditional):
        yield from ((node.condition, None), (node.chosen, True), (node.otherwise, True))
    elif isinstance(node, Comprehension):
        yield node.operand, None
        if node.where is not None:
            yield node.where, None
        if node.body is not None:
            yield node.body, True if node.macro in _KEEPING else None
    else:
        yield from ((child, None) for child in node.children())
