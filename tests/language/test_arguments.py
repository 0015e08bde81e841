from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.language.arguments import ArgumentsSchema, read_arguments
from guardrails.language.cel.types import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    NULL,
    STRING,
    RecordType,
    Type,
    list_of,
    map_of,
)
from guardrails.values import Duration, Opaque, Timestamp

WRITTEN = Opaque("bytes or a time where the policy declares a string")
INEXACT = "an integer that no double equals"


def schema_of(
    arguments: dict[str, Any],
    required: list[str] | None = None,
    definitions: dict[str, Any] | None = None,
) -> ArgumentsSchema:
    schema, faults = read_arguments("pay", arguments, required or [], definitions or {})
    assert [fault.message for fault in faults] == []
    assert schema is not None
    return schema


PAY = schema_of(
    {
        "to": {"type": "string", "maxLength": 5, "kind": "recipient"},
        "amount": {"type": "number", "minimum": 0, "kind": "amount"},
        "count": {"type": "integer"},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2},
        "options": {
            "type": "object",
            "properties": {"deep": {"type": "array", "items": {"type": "boolean"}}},
            "additionalProperties": {"type": "string"},
        },
        "free": {"description": "anything"},
        "free_too": True,
        "never": False,
    },
    required=["to"],
)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"to": "ACME"}, None),
        ({"to": "ACME", "amount": 2.5, "count": 3, "tags": ["a"], "options": {}}, None),
        ({"to": "ACME", "count": 3.0}, None),
        ({"to": "ACME", "free": {"x": [None]}, "free_too": 5}, None),
        ({}, "argument `to` is missing"),
        ({"to": None}, "argument `to` must be text"),
        ({"to": 5}, "argument `to` must be text"),
        ({"to": ["ACME"]}, "argument `to` must be text"),
        ({"to": "secret"}, "argument `to` must have 5 characters or fewer"),
        ({"to": "A", "amount": "5"}, "argument `amount` must be a number"),
        ({"to": "A", "amount": True}, "argument `amount` must be a number"),
        ({"to": "A", "amount": -1}, "argument `amount` must be 0 or more"),
        ({"to": "A", "count": 2.5}, "argument `count` must be a whole number"),
        ({"to": "A", "tags": ["a", "z"]}, "argument `tags[1]` must be one of `a`, `b`"),
        ({"to": "A", "tags": ["a"] * 3}, "argument `tags` must have 2 items or fewer"),
        (
            {"to": "A", "options": {"deep": [True, 5]}},
            "argument `options.deep[1]` must be a boolean",
        ),
        ({"to": "A", "options": {"s3cret": 5}}, "argument `options.*` must be text"),
        ({"to": "A", "never": 1}, "argument `never` is not allowed"),
        ({"to": "A", "amuont": 1}, "unknown argument `amuont`; did you mean `amount`?"),
        ({"to": "A", "zz\u202e": 1}, "unknown argument `zz\\u202e`"),
        ({"to": "A", "free": Opaque("it is a socket")}, None),
        ({"to": "A", "free_too": [Opaque("it is a socket")]}, None),
        ({"to": "A", "never": Opaque("a socket")}, "argument `never` can't be judged: a socket"),
        ({"to": Opaque("a socket")}, "argument `to` can't be judged: a socket"),
        (
            {"to": "A", "tags": ["a", {"x": Opaque("a socket")}]},
            "argument `tags` can't be judged: a socket",
        ),
        ({"to": "A", "other": Opaque("a socket")}, "argument `other` can't be judged: a socket"),
        ({"amount": 5, "free": Opaque("a socket")}, "argument `to` is missing"),
        (
            {"to": object()},
            "the arguments can't be checked: they hold what JSON can't",
        ),
        ({"to": "A", "amount": 10**40}, None),
    ],
)
def test_a_problem_names_the_argument_and_never_the_value(
    values: dict[str, Any], problem: str | None
) -> None:
    assert PAY.problem(values) == problem


@pytest.mark.parametrize(
    ("schema", "value", "complaint"),
    [
        ({"const": 5}, 6, "is not the only allowed value"),
        ({"enum": [1, 2]}, 6, "is none of the allowed values"),
        ({"enum": [str(n) for n in range(20)]}, "x", "is none of the allowed values"),
        ({"maximum": 5}, 6, "must be 5 or less"),
        ({"exclusiveMinimum": 5}, 5, "must be more than 5"),
        ({"exclusiveMaximum": 5.5}, 6, "must be less than 5.5"),
        ({"multipleOf": 2}, 3, "must be a multiple of 2"),
        ({"minLength": 1}, "", "must have 1 character or more"),
        ({"minItems": 1}, [], "must have 1 item or more"),
        ({"minProperties": 1}, {}, "must have 1 key or more"),
        ({"maxProperties": 0}, {"secret": 1}, "must have 0 keys or fewer"),
        ({"uniqueItems": True}, [1, 1], "has the same item twice"),
        ({"required": ["a"]}, {}, "has no `a`"),
        ({"format": "email"}, "secret", "is not of the format `email`"),
        ({"pattern": "^a+$"}, "secret", "does not match `^a+$`"),
        ({"additionalProperties": False}, {"s3": 1}, "has a key that is not declared"),
        ({"unevaluatedProperties": False}, {"s3": 1}, "has a key that is not declared"),
        ({"type": ["string", "null"]}, 5, "must be null or text"),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
            5,
            "fits none of the declared alternatives",
        ),
        ({"oneOf": [{}, {}]}, 5, "does not fit exactly one of the declared alternatives"),
        ({"not": {}}, 5, "does not satisfy `not`"),
        ({"contains": {"type": "string"}}, [], "does not satisfy `contains`"),
        ({"propertyNames": {"maxLength": 1}}, {"secret": 1}, "does not satisfy `propertyNames`"),
    ],
)
def test_every_complaint_says_what_is_wanted(
    schema: dict[str, Any], value: Any, complaint: str
) -> None:
    assert schema_of({"x": schema}).problem({"x": value}) == f"argument `x` {complaint}"


def test_a_pattern_runs_in_linear_time() -> None:
    schema = schema_of({"x": {"pattern": "^(a+)+$"}})
    assert schema.problem({"x": "a" * 50_000 + "b"}) == "argument `x` does not match `^(a+)+$`"


def test_a_schema_may_hold_itself_further_down() -> None:
    tree = {
        "type": "object",
        "properties": {"next": {"$ref": "#/$defs/tree"}, "n": {"type": "number"}},
    }
    schema = schema_of({"x": {"$ref": "#/$defs/tree"}}, definitions={"tree": tree})
    assert schema.problem({"x": {"next": {"next": {"n": "5"}}}}) == (
        "argument `x.next.next.n` must be a number"
    )
    assert schema.coerce({"x": {"next": {"next": {"n": 5}}}})["x"]["next"]["next"]["n"] is not None
    assert type(schema.coerce({"x": {"next": {"n": 5}}})["x"]["next"]["n"]) is float


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.builds(Opaque, st.just("opaque")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*PAY.properties, "other"]), json_values))
def test_whatever_is_given_gets_an_answer(values: dict[str, Any]) -> None:
    problem = PAY.problem(values)
    assert problem is None or problem.isprintable()
    PAY.coerce(values)
    PAY.kinds(values)


@pytest.mark.parametrize(
    ("schema", "given_", "judged"),
    [
        ({"type": "number"}, 5, 5.0),
        ({"type": "number"}, 5.5, 5.5),
        ({"type": "number"}, 2**53 + 1, Opaque(INEXACT, 2**53 + 1)),
        ({"type": "number"}, Opaque("too large", 2**70), float(2**70)),
        (
            {"type": "number"},
            Opaque("too large", 10**400),
            Opaque(INEXACT, 10**400),
        ),
        ({"type": "number"}, Opaque("a socket"), Opaque("a socket")),
        ({"type": "integer"}, 5.0, 5),
        ({"type": "integer"}, 5, 5),
        ({"type": "integer"}, -0.0, 0),
        ({"type": "integer"}, 1e300, Opaque("an integer beyond 64 bits", int(1e300))),
        ({"type": "integer"}, Opaque("x", 2**70), Opaque("x", 2**70)),
        ({"type": ["integer", "string"]}, 5.0, 5),
        ({"type": ["integer", "string"]}, "5", "5"),
        ({"type": ["number", "null"]}, 5, 5.0),
        ({"type": ["number", "integer"]}, 5, 5.0),
        ({"anyOf": [{"type": "integer"}, {"minimum": 0}]}, 5.5, 5.5),
        ({"anyOf": [{"type": "number"}, {"type": "string"}]}, 5, 5.0),
        ({"allOf": [{"type": "integer"}, {"minimum": 1}]}, 5.0, 5),
        ({"not": {"type": "integer"}}, 5.5, 5.5),
        ({"not": {"type": "number"}}, "x", "x"),
        ({"if": {"type": "number"}, "then": {"minimum": 1}}, 5, 5),
        ({"$ref": "#/$defs/n"}, 5, 5.0),
        ({"type": "array", "items": {"type": "number"}}, [1, 2.5, "x"], [1.0, 2.5, "x"]),
        ({"type": "array", "prefixItems": [{"type": "number"}, {}]}, [1, 2, 3], [1.0, 2, 3]),
        ({"prefixItems": [{"type": "number"}], "items": {"type": "integer"}}, [1, 2.0], [1.0, 2]),
        ({"prefixItems": [{"type": "number"}, {"type": "number"}]}, [1], [1.0]),
        ({"unevaluatedItems": {"type": "number"}}, [1], [1.0]),
        (
            {"type": "object", "properties": {"a": {"type": "number"}}},
            {"a": 1, "b": 1},
            {"a": 1.0, "b": 1},
        ),
        ({"additionalProperties": {"type": "number"}}, {"a": 1}, {"a": 1.0}),
        ({"unevaluatedProperties": {"type": "number"}}, {"a": 1}, {"a": 1.0}),
        ({"patternProperties": {"^a": {"type": "number"}}}, {"a": 1}, {"a": 1.0}),
        (
            {"properties": {"a": {"type": "integer"}}, "additionalProperties": {"type": "number"}},
            {"a": 1, "b": 1},
            {"a": 1, "b": 1.0},
        ),
        (
            {"properties": {"a": {"type": "integer"}}, "unevaluatedProperties": {"type": "number"}},
            {"a": 1, "b": 1},
            {"a": 1, "b": 1.0},
        ),
        ({"prefixItems": [{}], "allOf": [{"items": {"type": "number"}}]}, [1, 2], [1.0, 2.0]),
        (
            {"properties": {"a": {"items": {"type": "number"}}, "b": {}}},
            {"a": [1], "b": 1},
            {"a": [1.0], "b": 1},
        ),
        (
            {"dependentSchemas": {"a": {"properties": {"b": {"type": "number"}}}}},
            {"b": 1},
            {"b": 1.0},
        ),
        ({"type": "number"}, True, True),
        ({"type": "number"}, None, None),
        ({"type": "string"}, b"x", WRITTEN),
        ({"type": "string"}, Timestamp(0), WRITTEN),
        ({"type": "string", "format": "date-time"}, Timestamp(0), Timestamp(0)),
        ({"type": "string", "format": "duration"}, Duration(0), Duration(0)),
        ({"enum": ["a"]}, b"x", WRITTEN),
        ({"const": "a"}, b"x", WRITTEN),
        ({"type": ["string", "number"]}, b"x", WRITTEN),
        ({"type": ["string", "number"]}, 5, 5.0),
        ({"items": {"type": "string"}}, ["a", b"x"], ["a", WRITTEN]),
        ({}, b"x", b"x"),
        ({}, 5, 5),
        (True, 5, 5),
    ],
)
def test_numbers_get_their_declared_type_at_any_depth(
    schema: Any, given_: Any, judged: Any
) -> None:
    arguments = schema_of({"x": schema, "y": {}}, definitions={"n": {"type": "number"}})
    found = arguments.coerce({"x": given_, "y": 1})["x"]
    assert found == judged
    assert repr(found) == repr(judged)


def test_what_needs_no_coercion_is_not_copied() -> None:
    values = {"to": "A", "amount": 2.5, "count": 2, "tags": ["a"]}
    assert PAY.coerce(values) is values
    plain = schema_of(
        {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "string"}}}
    )
    assert plain.coerce(values) is values


def test_coercion_leaves_what_was_given_alone() -> None:
    values = {"to": "A", "amount": 2, "count": 3.0}
    assert PAY.coerce(values) == {"to": "A", "amount": 2.0, "count": 3}
    assert type(values["amount"]) is int
    assert type(values["count"]) is float


def test_kinds_are_the_values_of_the_arguments_that_are_marked() -> None:
    schema = schema_of(
        {
            "to": {"kind": "recipient"},
            "cc": {"type": "array", "kind": "recipient"},
            "amount": {"kind": "amount"},
            "x": {},
        }
    )
    assert schema.kinds({"to": "a", "cc": ["b", None, ["c"]], "x": 1}) == {
        "recipient": ["a", "b", "c"],
        "amount": [],
    }
    assert schema.kinds({"to": None, "amount": 5}) == {"recipient": [], "amount": [5]}
    assert schema_of({"x": {}}).kinds({"x": 1}) == {}


def test_a_kind_is_unknown_where_a_map_could_hide_how_many_values_there_are() -> None:
    schema = schema_of({"to": {"kind": "recipient"}})
    assert type(schema.kinds({"to": {"a": 1, "b": 2}})["recipient"]) is Opaque
    assert type(schema.kinds({"to": ["a", {"b": "c"}]})["recipient"]) is Opaque


def test_an_argument_may_refuse_null() -> None:
    schema = schema_of(
        {
            "a": {"type": "string"},
            "b": {"type": ["string", "null"]},
            "c": {},
            "d": {"anyOf": [{"type": "null"}, {"type": "number"}]},
            "e": {"not": {"type": "null"}},
        }
    )
    assert [name for name in "abcde" if schema.refuses_null(name)] == ["a", "e"]
    assert not schema.refuses_null("other")


SHARED = {
    "node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}},
    "word": {"type": "string"},
}


@pytest.mark.parametrize(
    ("schema", "type_"),
    [
        ({}, DYN),
        (True, DYN),
        ({"type": "string"}, STRING),
        ({"type": "string", "format": "email"}, STRING),
        ({"type": "string", "format": "date-time"}, DYN),
        ({"type": "string", "format": "duration"}, DYN),
        ({"type": "number"}, DOUBLE),
        ({"type": "integer"}, INT),
        ({"type": "integer", "allOf": [{"type": "number"}]}, DOUBLE),
        ({"type": "boolean"}, BOOL),
        ({"type": "null"}, NULL),
        ({"type": ["string", "null"]}, DYN),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, DYN),
        ({"type": "string", "anyOf": [{"minLength": 1}]}, STRING),
        ({"enum": ["a", "b"]}, STRING),
        ({"enum": ["a", None]}, DYN),
        ({"enum": [1, 2]}, DYN),
        ({"const": True}, BOOL),
        ({"const": None}, NULL),
        ({"$ref": "#/$defs/word", "description": "x"}, STRING),
        ({"$ref": "#/$defs/word", "minLength": 1}, DYN),
        ({"type": "array"}, list_of(DYN)),
        ({"type": "array", "items": {"type": "integer"}}, list_of(INT)),
        ({"type": "array", "items": {"type": "integer"}, "allOf": [{}]}, list_of(DYN)),
        ({"type": "array", "prefixItems": [{}], "items": {"type": "integer"}}, list_of(DYN)),
        ({"type": "object"}, map_of(STRING, DYN)),
        ({"type": "object", "additionalProperties": {"type": "string"}}, map_of(STRING, STRING)),
        ({"type": "object", "patternProperties": {"a": {}}}, map_of(STRING, DYN)),
        ({"type": "object", "properties": {"a": {}}, "anyOf": [{}]}, map_of(STRING, DYN)),
        (
            {"type": "object", "properties": {"a": {"type": "integer"}}},
            RecordType("map", fields={"a": INT}),
        ),
        (
            {"type": "object", "properties": {"a": {}}, "additionalProperties": False},
            RecordType("map", fields={"a": DYN}, closed=True),
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "additionalProperties": False,
                "patternProperties": {"b": {}},
            },
            RecordType("map", fields={"a": DYN}),
        ),
        ({"$ref": "#/$defs/node"}, RecordType("map", fields={"next": DYN})),
    ],
)
def test_a_condition_may_rely_on_the_declared_type(schema: Any, type_: Type) -> None:
    found = schema_of({"x": schema}, definitions=SHARED).type
    assert found == RecordType("map", fields={"x": type_}, closed=True, noun="argument", of="pay")


def test_types_are_told_apart_to_some_depth() -> None:
    deep: Any = {"type": "string"}
    for _ in range(40):
        deep = {"type": "array", "items": deep}
    assert str(schema_of({"x": deep}).type.fields["x"]).count("list") == 17


@pytest.mark.slow
def test_schemas_that_combine_in_too_many_ways_are_refused() -> None:
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
    schema, faults = read_arguments("pay", {"x": {"$ref": "#/$defs/d0"}}, [], definitions)
    assert schema is None
    assert [fault.message for fault in faults] == ["schemas combine in more than 2,000 ways"]
    assert faults[0].path == ("arguments",)


def test_schemas_are_equal_as_they_are_written() -> None:
    assert schema_of({"a": {"type": "string"}}) == schema_of({"a": {"type": "string"}})
    assert schema_of({"a": {"type": "string"}}) != schema_of({"a": {"type": "number"}})
    assert schema_of({"a": {}}, required=["a"]) != schema_of({"a": {}})


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#/$defs/a~1b", True),
        ("#/$defs/c~0d", True),
        ("#/$defs/e%20f", True),
        ("#/$defs/list/anyOf/1", True),
        ("#/properties/y", True),
        ("#", True),
        ("#/$defs/list/anyOf/2", False),
        ("#/$defs/list/anyOf/x", False),
        ("#/$defs/list/anyOf/" + "9" * 5000, False),
        ("#/$defs/list/anyOf/1/x", False),
        ("#/$defs/list/anyOf", False),
        ("#/required", False),
        ("#/$defs", False),
        ("#/$defs/a/b", False),
        ("#anchor", False),
    ],
)
def test_a_reference_is_a_json_pointer_to_a_schema(reference: str, *, found: bool) -> None:
    definitions = {"a/b": {}, "c~d": {}, "e f": {}, "list": {"anyOf": [{}, True]}}
    arguments = {"x": {"items": {"$ref": reference}}, "y": {}}
    schema, faults = read_arguments("pay", arguments, [], definitions)
    assert (schema is not None) is found
    assert [fault.path for fault in faults] == (
        [] if found else [("arguments", "x", "items", "$ref")]
    )
