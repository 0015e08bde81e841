"""A declared argument that no value satisfies refuses every call that gives it.

What it does
------------
Reports a declared argument, a part of one, or a fact of the context whose schema nothing satisfies:
an `enum` without values, a `minimum` above the `maximum` (so of lengths, items and keys), a `const`
that is not in the `enum`, a type that leaves none of them. `false`, which says that there is to be
nothing, is meant.

Why it is bad
-------------
If the argument is required, the tool can never be called; else it can't with that argument. A fact
that nothing satisfies counts as missing, whatever the host says, so every rule that reads it errs.

Example
-------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
        arguments:
          currency: {enum: []}
          amount: {type: number, minimum: 500, maximum: 50}
        required: [currency, amount]

Use instead
-----------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
        arguments:
          currency: {enum: [EUR, USD]}
          amount: {type: number, minimum: 50, maximum: 500}
        required: [currency, amount]
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.display import quote
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.regions.schema import admitted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Document, Tool
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project

_DEPTH = 8
_COUNTS = (
    ("minLength", "maxLength", "string"),
    ("minItems", "maxItems", "array"),
    ("minProperties", "maxProperties", "object"),
)
"""The keywords that count, and the type of the values that they count in."""


class _Place(NamedTuple):
    """Where a schema stands: at `path` below `part`, in `root`; what it is of, what comes of it."""

    part: Document | Tool
    root: dict[str, Any]
    path: tuple[str, ...]
    what: str
    why: str

    def inside(self, *path: str, what: str) -> _Place:
        """The place of a part of the schema."""
        why = "what holds it can't be given with it"
        return self._replace(path=(*self.path, *path), what=f"{what} of {self.what}", why=why)


@lint_rule("unsatisfiable-schema", Severity.ERROR)
def check(project: Project) -> Iterator[Finding]:
    """The arguments and facts that can't be given."""
    for document in project.bundle.documents:
        for name, schema in project.data(document).get("context", {}).items():
            why = "whatever the host says it counts as missing, so rules that read it err"
            place = _Place(document, {}, ("context", name), quote(name), why)
            yield from _find(project, place, schema)
        for tool in document.tools:
            yield from _check_tool(project, tool)


def _check_tool(project: Project, tool: Tool) -> Iterator[Finding]:
    if tool.arguments is None:
        return
    root = {"properties": tool.arguments.properties, "$defs": tool.arguments.definitions}
    for name, schema in tool.arguments.properties.items():
        with_it = "" if name in tool.arguments.required else " with it"
        why = f"the tool can't be called{with_it}"
        what = f"{quote(name)} of {quote(tool.name)}"
        yield from _find(project, _Place(tool, root, ("arguments", name), what, why), schema)


def _find(project: Project, place: _Place, schema: Any) -> Iterator[Finding]:
    """The outermost parts of a schema that admit nothing."""
    if type(schema) is not dict or len(place.path) > _DEPTH:
        return
    if _is_ruled_out(place.root, schema):
        yield project.finding(
            project.region(place.part, *place.path, of_key=True),
            f"no value satisfies the schema of {place.what}",
            why=place.why,
            mend="correct it, or say `false` if nothing is to be given",
        )
        return
    for name, inner in schema.get("properties", {}).items():
        inside = place.inside("properties", name, what=quote(name))
        yield from _find(project, inside, inner)
    if "items" in schema:
        yield from _find(project, place.inside("items", what="the items"), schema["items"])


def _is_ruled_out(root: dict[str, Any], schema: dict[str, Any]) -> bool:
    """Whether nothing satisfies `schema`; where that can't be told, it is not."""
    return not admitted(root, schema) or any(
        schema.get("type") == counted and schema.get(least, 0) > schema.get(most, inf)
        for least, most, counted in _COUNTS
    )
