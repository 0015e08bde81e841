from __future__ import annotations

from typing import Any

import pytest

from guardrails.language.cel.types import DOUBLE, DYN, STRING, RecordType
from guardrails.language.context import ContextSchema, join_facts, read_fact
from guardrails.values import Opaque, Timestamp


def context_of(schemas: dict[str, Any]) -> ContextSchema:
    facts = []
    for name, schema in schemas.items():
        fact, faults = read_fact(name, schema)
        assert faults == []
        assert fact is not None
        facts.append(fact)
    joined = join_facts(facts)
    assert joined is not None
    return joined


CONTEXT = context_of(
    {
        "environment": {"enum": ["dev", "prod"]},
        "load": {"type": "number", "maximum": 1},
        "since": {"type": "string", "format": "date-time"},
        "any": True,
        "tree": {"$ref": "#/$defs/tree", "$defs": {"tree": {"items": {"$ref": "#/$defs/tree"}}}},
    }
)


def test_facts_that_satisfy_their_schemas_are_admitted() -> None:
    given = {"environment": "prod", "load": 1, "since": Timestamp(0), "any": {}, "tree": [[]]}
    admitted = CONTEXT.admit(given)
    assert admitted == {**given, "load": 1.0}
    assert type(admitted["load"]) is float


def test_facts_that_fail_their_schema_and_undeclared_ones_are_missing() -> None:
    given = {"environment": "production", "load": 2, "since": "yesterday", "other": 1}
    assert CONTEXT.admit(given) == {}


def test_a_fact_that_json_can_not_hold_is_missing() -> None:
    assert CONTEXT.admit({"any": Opaque("a socket"), "load": Opaque("a socket")}) == {}


def test_a_fact_given_as_bytes_can_not_be_touched_as_text() -> None:
    schema = context_of({"name": {"type": "string"}})
    assert type(schema.admit({"name": b"x"})["name"]) is Opaque


def test_conditions_may_rely_on_declared_facts_alone() -> None:
    assert CONTEXT.type == RecordType(
        "map",
        fields={"environment": STRING, "load": DOUBLE, "since": DYN, "any": DYN, "tree": DYN},
        closed=True,
        noun="context fact",
    )


def test_where_no_fact_is_declared_there_is_no_schema() -> None:
    assert join_facts([]) is None


@pytest.mark.slow
def test_a_fact_whose_schemas_combine_in_too_many_ways_is_refused() -> None:
    def lead(number: int) -> dict[str, str]:
        return {"$ref": f"#/$defs/d{number % 40}"}

    definitions = {
        f"d{n}": {
            "items": {"allOf": [lead(n * 7 + k) for k in range(n % 5 + 1)]},
            "properties": {"a": lead(n * 3 + 1), "b": lead(n + 1)},
            "additionalProperties": lead(n + 11),
            "type": ["array", "object", "number"],
        }
        for n in range(40)
    }
    fact, faults = read_fact("f", {"$ref": "#/$defs/d0", "$defs": definitions})
    assert fact is None
    assert [fault.message for fault in faults] == ["schemas combine in more than 2,000 ways"]
