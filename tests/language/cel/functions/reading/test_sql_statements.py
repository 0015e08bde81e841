from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from tests.language.cel.functions.calls import Meter, call, complaint
from tests.language.cel.functions.reading.readings import ask, expected, found, section

PIECES = """select from a b ( ) * , ; ' " -- /* */ with as drop table delete update set = 1 where in
[ ::"""


def summary(text: str, dialect: str) -> Any:
    statements = found("sql_statements", text, *([dialect] if dialect else []))
    if isinstance(statements, str):
        return statements
    return {
        "kinds": [kind for statement in statements for kind in statement["kinds"]],
        "tables": sorted({name for statement in statements for name in statement["tables"]}),
        "writes": sorted({name for statement in statements for name in statement["writes"]}),
    }


@pytest.mark.parametrize(
    ("dialect", "case"),
    [
        pytest.param(dialect, *case.values, id=case.id)
        for dialect in ("", "postgres", "mysql")
        for case in section("sql", dialect or "generic")
    ],
)
def test_every_statement_is_named_with_its_tables(dialect: str, case: dict[str, Any]) -> None:
    wanted = {"answer": {key: case.get(key) for key in ("kinds", "tables", "writes")}, **case}
    assert expected(wanted, "answer", summary(case["sql"], dialect))


_COUNTING = 'all(s, s.functions.all(f, f in ["count", "sum"]))'


@pytest.mark.parametrize(
    ("text", "condition", "answer"),
    [
        ("select 1", 'all(s, s.kind == "select" && s.writes == [])', True),
        ("select 1; drop table x", 'all(s, s.kind == "select")', False),
        ("delete from x", "exists(s, !s.filtered)", True),
        ("delete from x where y = 1", "exists(s, !s.filtered)", False),
        ("with d as (delete from x) select 1", "exists(s, !s.filtered)", True),
        ("select pg_read_file('/x')", 'exists(s, "pg_read_file" in s.functions)', True),
        ("select pg_catalog.pg_read_file('/x')", 'exists(s, "pg_read_file" in s.functions)', True),
        ("select count(*), sum(x) from y", _COUNTING, True),
        ("select other.count(*) from y", _COUNTING, False),
        ("select 1 from a.b.Other.sum(1)", _COUNTING, False),
        ("select a.b.c.d.sum(1)", 'exists(s, "a.b.c.d.sum" in s.functions)', True),
        ("select 1; vacuum", 'all(s, s.kind == "select")', "unknown kind"),
    ],
)
def test_a_condition_asks_about_statements(text: str, condition: str, answer: object) -> None:
    said = ask(f"sql_statements(arguments.x).{condition}", text)
    assert said is answer or (isinstance(answer, str) and answer in str(said))


def test_an_unknown_dialect_is_a_fault_of_the_policy() -> None:
    said = complaint("sql_statements", "select 1", "postgresql", literal=1)
    assert said is not None
    assert said.startswith("unknown dialect `postgresql`; known are bigquery, ")
    with pytest.raises(EvaluationError, match="unknown dialect"):
        call("sql_statements", "select 1", "postgresql")


def test_a_dialect_can_be_an_argument() -> None:
    assert ask('sql_statements("select 1", arguments.x).size() == 1', "sqlite") is True
    assert "unknown dialect" in str(ask('sql_statements("select 1", arguments.x) != []', "x"))


def test_sql_is_charged_before_it_is_parsed() -> None:
    with pytest.raises(EvaluationError, match="too much work"):
        call("sql_statements", "select " + "1," * 3000 + "1", meter=Meter(steps=100_000))
    with pytest.raises(EvaluationError, match="at most 8,192"):
        call("sql_statements", "select " + "1," * 8000 + "1")


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(PIECES.split()), max_size=16).map(" ".join))
def test_any_sql_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(EvaluationError):
        call("sql_statements", text, "postgres")
