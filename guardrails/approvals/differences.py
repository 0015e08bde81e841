"""What is new in a call against the session's last one of the same tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.approvals.exact import write_exact

if TYPE_CHECKING:
    from guardrails.approvals.request import ApprovalRequest

ABSENT = object()
"""What stands for an argument that one of the calls doesn't have."""


class Difference(NamedTuple):
    """An argument that is another than before; ABSENT where one of the calls doesn't have it."""

    name: str
    before: Any
    now: Any


def find_differences(request: ApprovalRequest) -> tuple[Difference, ...] | None:
    """The arguments that differ, by name; None where no earlier call of the tool can be shown."""
    earlier = request.evidence.get("earlier", [])
    same = [each["arguments"] for each in earlier if each["tool"] == request.tool]
    if not same or same[-1] is None:
        return None
    before, now = same[-1], request.arguments
    return tuple(
        Difference(name, before.get(name, ABSENT), now.get(name, ABSENT))
        for name in sorted({*before, *now})
        if _form(before, name) != _form(now, name)
    )


def _form(arguments: Any, name: str) -> str:
    return write_exact(arguments[name]) if name in arguments else ""
