"""What a statement of SQL does, from the tree that sqlglot makes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = {
    "Alter": "alter",
    "Analyze": "analyze",
    "Attach": "attach",
    "Comment": "comment",
    "Commit": "commit",
    "Copy": "copy",
    "Create": "create",
    "Delete": "delete",
    "Describe": "describe",
    "Detach": "detach",
    "Drop": "drop",
    "Except": "select",
    "Grant": "grant",
    "Insert": "insert",
    "Intersect": "select",
    "Kill": "kill",
    "Merge": "merge",
    "Pragma": "pragma",
    "Revoke": "revoke",
    "Rollback": "rollback",
    "Select": "select",
    "Set": "set",
    "Show": "show",
    "Subquery": "select",
    "Transaction": "begin",
    "TruncateTable": "truncate",
    "Union": "select",
    "Update": "update",
    "Use": "use",
    "Values": "select",
}
"""From sqlglot's names to those that policies use; a statement of another name is an error."""

_WRITING = frozenset(
    {"alter", "attach", "comment", "copy", "create", "delete", "detach", "drop", "grant", "insert"}
    | {"merge", "revoke", "truncate", "update"}
)
_PARTS = frozenset({"Comment", "Describe", "Set", "Show", "Subquery", "Use", "Values"})
"""Names that, inside a statement, are parts of it and no statements."""

_UNFILTERED = frozenset({"delete", "update"})
_NAME_PART = re.compile(r"[^\s.;'\"`\[\]]+")


def describe(statement: Any) -> dict[str, Any]:
    """The record that `sql_statements` gives of `statement`; raises `EvaluationError`."""
    nodes = list(_statements_in(statement))
    kinds = list(dict.fromkeys(kind for _, kind in nodes))
    writes = {name for node, kind in nodes for name in _written(node, kind)}
    read = {_full_name(table) for table in _all(statement, "Table") if not _is_local(table)}
    return {
        "kind": kinds[0],
        "kinds": kinds,
        "tables": sorted(read | writes),
        "writes": sorted(writes),
        "functions": sorted(set(_functions(statement))),
        "filtered": all(
            node.args.get("where") is not None for node, kind in nodes if kind in _UNFILTERED
        ),
    }


def _statements_in(statement: Any) -> Iterator[tuple[Any, str]]:
    """A statement and those inside it, with their kinds; the outermost first."""
    for node in statement.walk():
        name = type(node).__name__
        if name == "Command" or (node is statement and name not in _KINDS):
            raise EvaluationError("the text holds a statement of SQL of an unknown kind")
        if node is statement or (name in _KINDS and name not in _PARTS):
            yield node, _KINDS[name]
        if name == "OnConflict" and node.args.get("expressions"):
            yield node, "upsert"


def _all(node: Any, name: str) -> Iterator[Any]:
    return (each for each in node.walk() if type(each).__name__ == name)


def _is_local(table: Any) -> bool:
    """Whether a table is a common table expression that is in scope where it is named.

    Inside its own definition, and before it, the name is a table's. (Recursive ones count as
    tables in their own definition, which is more than they are.)
    """
    name, inner = _full_name(table), table
    node = table.parent
    while node is not None:
        if type(node).__name__ == "With":
            before = node.expressions[: node.expressions.index(inner)]
            if any(each.alias.lower() == name for each in before):
                return True
            node, inner = node.parent.parent, node.parent
            continue
        common = node.args.get("with_") or node.args.get("with")
        if common is not None and any(each.alias.lower() == name for each in common.expressions):
            return True
        node, inner = node.parent, node
    return False


def _full_name(table: Any) -> str:
    parts = [part.name.lower() for part in table.parts if part.name]
    if not all(_NAME_PART.fullmatch(part) for part in parts):
        raise EvaluationError("a table of SQL whose name can't be read")
    return ".".join(parts)


def _written(node: Any, kind: str) -> Iterator[str]:
    """The tables that a statement changes itself, not those it reads."""
    if kind == "select":
        targets = [node.args.get("into")]
    elif kind not in _WRITING:
        targets = []
    elif kind in {"insert", "merge", "create", "copy", "alter", "update"}:
        targets = [node.args.get("this")]
        if targets[0] is None or next(_all(targets[0], "Table"), None) is None:
            targets = [node]
    elif kind == "delete":
        targets = node.args.get("tables") or [node.args["this"]]
    else:
        targets = [node]
    for target in targets:
        for table in _all(target, "Table") if target is not None else ():
            yield _full_name(table)


def _functions(statement: Any) -> Iterator[str]:
    """The functions that are called; one of a schema by its name and by both, as lists have it."""
    from sqlglot import exp  # noqa: PLC0415 - loaded already, by the parser

    for node in statement.find_all(exp.Func):
        if type(node).__name__ not in {"And", "Or", "Not", "Xor", "Case", "If", "Exists"}:
            name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
            yield name
            if schema := _schema_of(node, exp):
                yield f"{schema}.{name}"


def _schema_of(function: Any, exp: Any) -> str:
    """What is written before a function's name, in lower case; `""` if nothing is."""
    parts: list[str] = []
    node = function.parent
    if isinstance(node, exp.Dot) and node.expression is function:
        before = node.this
        while isinstance(before, exp.Dot):
            parts.insert(0, before.name)
            before = before.this
        parts.insert(0, before.name)
        node = node.parent
    if isinstance(node, exp.Table):
        around = [node.args.get("catalog"), node.args.get("db")]
        parts = [part.name for part in around if part] + parts
    return ".".join(parts).lower()
