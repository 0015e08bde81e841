"""References to data that is nowhere: no document has it, and no module.

Such a reference is undefined, so that a rule which needs it never matches, and `not` of it always
holds. That may be meant, where data comes later; lint tells of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.language.cel.errors import did_you_mean
from guardrails.language.document import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from guardrails.language.rego.graph import Graph, Node
    from guardrails.language.rego.syntax import Path


class UnknownData(NamedTuple):
    """A reference to what is nowhere; `hint` begins with a semicolon, or is empty."""

    path: str
    span: Span
    hint: str


def find_unknown(
    graph: Graph, data: Mapping[str, Any], nodes: Iterable[Node]
) -> Iterator[UnknownData]:
    """What those rules refer to below `data` that is nowhere."""
    for node in nodes:
        for module, definition in graph.definitions[node]:
            for reference in definition.references:
                root, *path = graph.path_of(module, reference) or ("",)
                if root != "data" or graph.holds(tuple(path)):
                    continue
                missing = _missing(graph, data, tuple(path))
                if missing is not None:
                    at, names = missing
                    hint = did_you_mean(path[at], names)
                    place = Span(module.path, *reference.place)
                    yield UnknownData(".".join(("data", *path)), place, hint)


def _missing(graph: Graph, data: Mapping[str, Any], path: Path) -> tuple[int, list[str]] | None:
    """The first step that leads nowhere, and the names there are; None where there is none."""
    found: Any = data
    for at, step in enumerate(path):
        here = found if type(found) is dict else {}  # a list has numbers, not names
        names = graph.below(path[:at])
        if step not in here and step not in names:
            return at, sorted({*here, *names})
        found = here.get(step)
    return None
