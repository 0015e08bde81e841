"""What schemas are said to admit, against the validator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from guardrails.language.loader import load_texts
from guardrails.toolchain.regions.region import exactly
from guardrails.toolchain.regions.telling import tell
from guardrails.toolchain.regions.world import World
from guardrails.values import Opaque

BASIC: list[Any] = [
    True,
    {},
    {"type": "string"},
    {"type": "string", "minLength": 1},
    {"type": "string", "format": "date-time"},
    {"type": ["integer", "null"]},
    {"type": "number", "minimum": 1, "exclusiveMaximum": 5},
    {"type": "integer", "exclusiveMinimum": 1, "maximum": 5},
    {"type": "number", "maximum": 1e300},
    {"enum": ["a", 1, None, True, 2.5]},
    {"const": 5},
    {"const": ["a"]},
    {"minimum": 3},
    {"type": "boolean"},
    {"type": "array"},
    {"$ref": "#/$defs/level"},
]
schemas = st.recursive(
    st.sampled_from(BASIC),
    lambda inner: st.builds(
        lambda keyword, parts: {keyword: parts},
        st.sampled_from(["allOf", "anyOf", "oneOf"]),
        st.lists(inner, min_size=1, max_size=2),
    ),
    max_leaves=3,
)
VALUES = [None, True, 0, 1, 2, 3, 5, 5.0, 2.5, 1e300, -7, "", "a", "b",
          "2026-06-01T10:00:00Z", [], ["a"], {}, {"a": 1}]  # fmt: skip


def world_of(schema: Any) -> World:
    document = {
        "version": 1,
        "policy": "p",
        "tools": {
            "run": {
                "traits": ["read"],
                "arguments": {"x": schema, "y": {"type": "object", "properties": {"k": schema}}},
                "$defs": {"level": {"enum": [1, 2, 3]}},
            }
        },
        "rules": [{"id": "r", "effect": "allow", "tools": "run"}],
    }
    bundle = load_texts({"p.yaml": json.dumps(document)})
    return World(bundle, "run", 0)


@example({"anyOf": [True, {"type": ["integer", "null"]}]}, 2.5)
@given(schemas, st.sampled_from(VALUES))
def test_whatever_the_validator_lets_by_is_admitted(schema: Any, value: Any) -> None:
    world = world_of(schema)
    assert world.declared is not None
    arguments = world.declared.arguments
    assert arguments is not None
    for given_arguments, path in (({"x": value}, ("x",)), ({"y": {"k": value}}, ("y", "k"))):
        if arguments.problem(given_arguments) is None:
            found: Any = arguments.coerce(given_arguments)
            for key in path:
                found = found[key]
            if type(found) is not Opaque:
                region = world.domain(world.path(("arguments", *path)))
                assert exactly(found).within(region)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"enum": ["dev", "prod"]}, '`"dev"` or `"prod"`'),
        ({"type": "boolean"}, "`false` or `true`"),
        ({"type": "integer", "minimum": 1, "maximum": 3}, "`1`, `2` or `3`"),
        ({"type": "integer", "minimum": 1, "maximum": 100}, "at least 1 and at most 100"),
        ({"type": "number", "minimum": 0}, "at least 0"),
        ({"type": "number", "exclusiveMaximum": 0.5}, "at most 0.49999999999999994"),
        ({"type": "string"}, ""),
        ({"type": ["string", "integer"]}, ""),
        ({"$ref": "#/$defs/level"}, "`1`, `2` or `3`"),
    ],
)
def test_what_is_admitted_is_told(schema: Any, said: str) -> None:
    world = world_of(schema)
    assert tell(world.domain(world.path(("arguments", "x")))) == said


def test_an_argument_that_is_not_declared_is_never_given() -> None:
    world = world_of(True)
    assert tell(world.domain(world.path(("arguments", "other")))) == "never given"
    assert world.lacks(("arguments", "other"))
    assert not world.optional(("arguments", "other"))
    assert world.optional(("arguments", "y"))
