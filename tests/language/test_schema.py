"""The JSON Schema for editors and the rules that documents are checked by say the same."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from guardrails.errors import PolicyError
from guardrails.language.dialect import KEYWORDS
from guardrails.language.loader import load_texts
from guardrails.language.metaschema import _DATA
from guardrails.language.schema import json_schema
from guardrails.language.source import Source
from guardrails.language.validation import find_faults
from guardrails.language.yaml_reader import read_yaml

EDITORS = Draft202012Validator(json_schema())
FAULTS = yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text(encoding="utf-8"))

FULL: dict[str, Any] = {
    "version": 1,
    "policy": "payments",
    "description": "d",
    "owner": "o",
    "controls": ["C-1"],
    "mode": "observe",
    "constants": {"a": [1, 2.5, None, {"b": True}]},
    "context": {"environment": {"enum": ["dev", "prod"]}, "any": True},
    "tools": {
        "payments.transfer": {
            "description": "Pay.",
            "traits": ["write", "spend"],
            "arguments": {
                "to": {"type": "string", "kind": "recipient"},
                "amount": {"$ref": "#/$defs/n"},
            },
            "required": ["to"],
            "$defs": {"n": {"type": "number"}},
            "returns": ["confidential"],
            "mask": ["to"],
        },
        "nothing": {},
    },
    "rules": [
        {
            "id": "a",
            "effect": "escalate",
            "tools": ["payments.transfer", "x*"],
            "traits": ["spend"],
            "subjects": {"ids": ["agent-*"], "roles": ["billing"]},
            "when": "true",
            "unless": [
                {
                    "reason": "r",
                    "expires": "2027-01-01",
                    "when": "true",
                    "subjects": {"ids": ["b"]},
                }
            ],
            "approval": {
                "from": ["finance"],
                "quorum": 2,
                "timeout": "30m",
                "then": [{"after": "10m", "from": ["oncall"]}],
                "separate_from": ["requester", "owner"],
                "remember": "none",
                "veto": False,
            },
            "message": "m",
            "description": "d",
            "controls": ["C-2"],
            "severity": "high",
            "mode": "enforce",
            "expires": "2027-01-08T10:00:00Z",
        },
        {"id": "b", "effect": "allow", "tools": "nothing", "unless": "false"},
        {"id": "c", "effect": "escalate", "tools": "c", "approval": {"from": {"a": 1, "b": 2}}},
        {
            "id": "d",
            "effect": "allow",
            "tools": "d",
            "review": {"from": ["risk"], "within": "24h"},
        },
    ],
}


def loads(document: Any) -> bool:
    try:
        load_texts({"p.yaml": yaml.safe_dump(document)})
    except PolicyError:
        return False
    return True


def is_sound(document: Any) -> bool:
    """Whether the structure has no fault."""
    tree, problems = read_yaml(Source("p.yaml", yaml.safe_dump(document)))
    assert tree is not None, problems
    return find_faults(tree)[0] == []


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())


def test_a_document_with_everything_in_it_is_good_by_both() -> None:
    assert [error.message for error in EDITORS.iter_errors(FULL)] == []
    assert loads(FULL)


@pytest.mark.parametrize(
    "key", ["version", "policy", "rules", "tools", "mode", "constants", "context", "controls"]
)
def test_the_schema_helps_with_every_key(key: str) -> None:
    assert json_schema()["properties"][key].get("description") or key == "policy"


def find_paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    return [path, *(found for key, value in pairs for found in find_paths(value, (*path, key)))]


PATHS = [path for path in find_paths(FULL) if path and path[0] not in ("constants", "context")]
CHANGES: list[Any] = [
    None, True, False, 0, 1, 2, -1, 1.5, "", " ", "a", "deny", "allow", "escalate", "observe",
    "true", "a b", "x*", "2027-01-01", [], ["a"], [""], [5], [None], {}, {"a": 1}, {"zzz": {}},
    [{}], {"reason": "r"}, ["read"], "read", {"ids": []}, {"from": ["a"]},
]  # fmt: skip
DELETE = object()


@given(st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from([*CHANGES, DELETE])), max_size=2))
def test_both_refuse_the_same_documents(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = deepcopy(FULL)
    for path, change in changes:
        container: Any = document
        try:
            for step in path[:-1]:
                container = container[step]
            if isinstance(container, dict) and not isinstance(path[-1], str):
                return  # the first change put a map where the second expects a list
            if change is DELETE:
                del container[path[-1]]
            else:
                container[path[-1]] = deepcopy(change)
        except (KeyError, IndexError, TypeError):
            return  # the first change took away what the second would change
    good = EDITORS.is_valid(document)
    if good:
        assert is_sound(document)
    elif is_sound(document):
        assert not loads(document)


@pytest.mark.parametrize(
    "case", [each for each in FAULTS if "text" in each], ids=lambda each: str(each["name"])
)
def test_what_editors_refuse_is_refused(case: dict[str, Any]) -> None:
    tree, problems = read_yaml(Source("p.yaml", case["text"]))
    if tree is None or problems:
        return
    if case["name"] != "a version that is a fraction":  # JSON Schema takes 1.0 for 1
        assert not EDITORS.is_valid(tree.data) or not find_faults(tree)[0]


def references(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {found for each in schema for found in references(each)}
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
    return own | {found for each in schema.values() for found in references(each)}


def test_an_editor_needs_no_network() -> None:
    assert references(json_schema()) == {"#/$defs/schema", "#/$defs/argument"}


SCHEMAS: list[Any] = [
    True,
    {},
    {"type": "string", "minLength": 1, "pattern": "^a", "format": "email", "title": "t"},
    {"type": ["string", "null"], "enum": ["a", None], "default": "a", "examples": ["a"]},
    {"type": "array", "items": {"type": "integer"}, "minItems": 1, "uniqueItems": True},
    {"prefixItems": [{"const": 1}], "contains": {}, "minContains": 1, "unevaluatedItems": False},
    {"properties": {"a": {"$ref": "#/properties/x/$defs/b"}}, "$defs": {"b": {}}},
    {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"a": {}}, "required": ["a"]},
    {"if": {"multipleOf": 0.5}, "then": {"maximum": 5}, "else": False, "not": {"const": 3}},
    {"patternProperties": {"^a": {}}, "propertyNames": {"maxLength": 3}, "maxProperties": 5},
    {"anyOf": [{"exclusiveMinimum": 0}], "allOf": [{}], "oneOf": [{}], "deprecated": True},
    {"type": "strin"}, {"type": []}, {"type": ["string", "string"]}, {"format": "emial"},
    {"minimum": "0"}, {"minLength": -1}, {"minLenght": 1}, {"multipleOf": 0}, {"enum": "a"},
    {"required": "a"}, {"required": [1]}, {"items": [{}]}, {"anyOf": []}, {"anyOf": {}},
    {"properties": []}, {"$ref": "https://a.example/b"}, {"uniqueItems": "yes"}, {"not": 1},
    {"$id": "a"}, {"contentEncoding": "base64"}, {"x": {"kind": "amount"}}, "string", [],
    {"items": {"kind": "amount"}}, {"dependentRequired": {"a": "b"}}, {"pattern": 1},
]  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS, ids=repr)
def test_editors_and_loading_take_the_same_schemas_of_arguments(schema: Any) -> None:
    document = {"version": 1, "policy": "p", "tools": {"t": {"arguments": {"x": schema}}}}
    rest = {"rules": [{"id": "a", "effect": "allow", "tools": "t"}]}
    assert EDITORS.is_valid(document | rest) is loads(document | rest)


@pytest.mark.parametrize("kind", ["amount", "amuont"])
def test_a_kind_stands_at_an_argument_alone(kind: str) -> None:
    argument = {"tools": {"t": {"arguments": {"x": {"kind": kind}}}}}
    fact = {"context": {"x": {"kind": kind}}}
    head = {"version": 1, "policy": "p"}
    assert EDITORS.is_valid({**head, **argument}) is (kind == "amount")
    assert not EDITORS.is_valid({**head, **fact})
    assert not loads({**head, **fact})


def test_every_keyword_is_described() -> None:
    assert set(_DATA) == {name for name, holds in KEYWORDS.items() if holds == "no schema"}
