"""`sql_statements`: what each statement of a text of SQL does, and to which tables.

Parsed by sqlglot, which knows many dialects and is lenient: what it only carries along unread is
an error here, and so is whatever databases read differently.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.reading.sql.statements import describe
from guardrails.language.cel.functions.reading.sql.text import check_text
from guardrails.language.cel.functions.signature import Budget, Overload, charge
from guardrails.language.cel.types import BOOL, STRING, RecordType, list_of

if TYPE_CHECKING:
    from collections.abc import Callable

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

_EXPLAINED = re.compile(r"\s*explain\s+(?:analyze\s+|verbose\s+)*(?=[a-z(])", re.IGNORECASE)


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
    check_text(text, dialect)
    explained = _EXPLAINED.match(text)
    plain = text[explained.end() :] if explained else text
    try:
        statements = parse(plain)
        records = [describe(statement) for statement in statements]
    except EvaluationError:
        raise
    except Exception:  # noqa: BLE001 - a parser for so many dialects fails in many ways
        raise EvaluationError("the text can't be parsed as SQL") from None
    return records


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
