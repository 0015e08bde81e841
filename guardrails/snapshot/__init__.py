"""The snapshot of an action's arguments: what is judged, and what the tool then receives.

An argument may be mutable, may be shared with another thread, and may be of a class that lies
about itself. So nothing of it is asked: its storage is read through the built-in types, once, and
from then on only the copy counts.
"""

from guardrails.snapshot.plain import are_plain, use_plain
from guardrails.snapshot.walk import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    Snapshot,
    judge_value,
    take_snapshot,
)

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_NODES",
    "Snapshot",
    "are_plain",
    "judge_value",
    "take_snapshot",
    "use_plain",
]
