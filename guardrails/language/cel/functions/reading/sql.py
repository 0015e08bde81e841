"""`sql_statements`: what each statement of a text of SQL does, and to which tables.

Parsed by sqlglot, which knows many dialects and is lenient: what it only carries along unread is
an error here, and so is whatever databases read differently.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.signature import Budget, Overload, charge
from guardrails.language.cel.types import BOOL, STRING, RecordType, list_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SQL_LENGTH_MAX = 8_192
"""Characters of a text of SQL."""

STEPS_PER_CHARACTER = 24
"""The charge for a character, of which sqlglot reads one in up to 5 µs."""

DIALECTS = frozenset(
    {"bigquery", "clickhouse", "databricks", "duckdb", "mysql", "oracle", "postgres", "redshift"}
    | {"snowflake", "spark", "sqlite", "trino", "tsql"}
)
"""The dialects that a policy can name: those of sqlglot that a database of today speaks."""

STATEMENT = RecordType(
    "map",
    fields={
        "kind": STRING,
        "kinds": list_of(STRING),
        "tables": list_of(STRING),
        "writes": list_of(STRING),
        "functions": list_of(STRING),
        "filtered": BOOL,
    },
    closed=True,
    of="a statement of `sql_statements(..)`",
)

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
_EXPLAINED = re.compile(r"\s*explain\s+(?:analyze\s+|verbose\s+)*(?=[a-z(])", re.IGNORECASE)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\u2000-\u200f\u2028-\u202f\u205f-\u206f\ufeff\ud800-\udfff]"
)
_SEGMENT = re.compile(
    r"""'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|"[^"]*"|`[^`]*`""",
    re.DOTALL,
)
_QUOTED_NAME = re.compile(r'"|\[')
_READ_DIFFERENTLY = re.compile(r"""#|\$\$|\$[A-Za-z_]\w*\$|'|`|/\*|"(?!")(?<!"")""")
_NAME_PART = re.compile(r"[^\s.;'\"`\[\]]+")


def sql_statements(budget: Budget, text: str, dialect: str = "") -> list[Any]:
    """What each statement of `text` does: `[{kind: "delete", tables: ["staff"], ..}]`.

    `kinds` are those of all statements in it, in common table expressions too; `tables` all
    tables in it and `writes` those that it changes, in lower case and with their schema if it is
    written; `functions` the functions it calls. `filtered` is false for a `delete` or `update`
    anywhere in it that has no `where`.

    Errors: what can't be parsed or is carried along unread (`do`, `call`, `execute`, `prepare`,
    `vacuum`); comments that hold code or other comments; backslashes, `#`, texts in
    dollar signs, and quoted names unless a dialect is named; more than 8,192 characters. A literal
    dialect that is not known is a fault of the policy, found when it is loaded.
    """
    return _read(budget, text, dialect, _parser_for(dialect))


def _read(budget: Budget, text: str, dialect: str, parse: Callable[[str], list[Any]]) -> list[Any]:
    if len(text) > SQL_LENGTH_MAX:
        raise EvaluationError(f"a text of SQL has at most {SQL_LENGTH_MAX:,} characters")
    charge(budget, 500 + STEPS_PER_CHARACTER * len(text))
    _check_text(text, dialect)
    explained = _EXPLAINED.match(text)
    plain = text[explained.end() :] if explained else text
    try:
        statements = parse(plain)
        records = [_record(statement) for statement in statements]
    except EvaluationError:
        raise
    except Exception:  # noqa: BLE001 - a parser for so many dialects fails in many ways
        raise EvaluationError("the text can't be parsed as SQL") from None
    return records


def _check_text(text: str, dialect: str) -> None:
    """Refuse what one database reads as a text or comment and another as code."""
    if _UNSEEN.search(text):
        raise EvaluationError("SQL must not hold control characters or blanks that aren't plain")
    if "\\" in text:
        raise EvaluationError("SQL must not hold a backslash, which ends a text to some databases")
    bare = _SEGMENT.sub(_checked_segment, text)
    if _READ_DIFFERENTLY.search(bare):
        raise EvaluationError("SQL must not hold `#`, a text in dollar signs or an open quote")
    if not dialect and _QUOTED_NAME.search(bare):
        raise EvaluationError("SQL with quoted names is read with its dialect: name it")


def _checked_segment(segment: re.Match[str]) -> str:
    """What is left of a text (nothing), a quoted name (itself in short) or a comment (a blank)."""
    found = segment[0]
    if found.startswith("--"):
        if found[2:3].strip():
            raise EvaluationError("a comment `--` in SQL must be followed by a blank")
        return " "
    if found.startswith("/*"):
        if found[2:3] in {"!", "+", "M"} or "/*" in found[2:]:
            raise EvaluationError("a comment in SQL must not hold code or another comment")
        return " "
    return "" if found.startswith("'") else '""' if found[0] == '"' else "[]"


def _parser_for(dialect: str) -> Callable[[str], list[Any]]:
    """A function that parses with sqlglot, which is loaded here: at load, where it is called."""
    if dialect and dialect not in DIALECTS:
        raise EvaluationError("unknown dialect of SQL")
    import logging  # noqa: PLC0415 - with sqlglot, which few policies need and takes a while

    from sqlglot import Dialect, ErrorLevel  # noqa: PLC0415

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    reader = Dialect.get_or_raise(dialect or None)

    def parse(text: str) -> list[Any]:
        found = reader.parse(text, error_level=ErrorLevel.RAISE)
        return [each for each in found if type(each).__name__ not in {"NoneType", "Semicolon"}]

    return parse


def _record(statement: Any) -> dict[str, Any]:
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


def _check_dialect(literals: tuple[object | None, ...]) -> str | None:
    dialect = literals[-1] if len(literals) > 1 else ""
    if isinstance(dialect, str) and dialect and dialect not in DIALECTS:
        return f"unknown dialect `{dialect}`; known are {', '.join(sorted(DIALECTS))}"
    return None


def _specialise(literals: tuple[object | None, ...]) -> Callable[..., object] | None:
    dialect = literals[1] if len(literals) > 1 else ""
    if not isinstance(dialect, str) or _check_dialect(literals):
        return None
    parse = _parser_for(dialect)

    def specialised(budget: Budget, text: str, _dialect: str = "") -> list[Any]:
        return _read(budget, text, dialect, parse)

    return specialised


OVERLOADS = tuple(
    Overload(
        "sql_statements",
        parameters,
        list_of(STATEMENT),
        receiver=False,
        implementation=sql_statements,
        check_literals=_check_dialect,
        specialise=_specialise,
    )
    for parameters in ((STRING,), (STRING, STRING))
)
