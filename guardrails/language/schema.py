"""The structure of policy documents as a JSON Schema, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.language.metaschema import ARGUMENT, SCHEMA, schema_definitions
from guardrails.language.structure import DOCUMENT
from guardrails.language.structure_terms import END

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.language.structure_terms import Rules

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: Mapping[str, str] = {
    "string": "string",
    "list": "array",
    "dict": "object",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}
_BOUNDS: Mapping[str, str] = {"min": "minimum", "max": "maximum", "allowed": "enum"}
_LENGTHS: Mapping[str, str] = {
    "string": "minLength",
    "list": "minItems",
    "dict": "minProperties",
}

_QUORUM_OF_A_LIST = {
    "if": {"required": ["quorum"]},
    "then": {"properties": {"from": {"type": "array"}}},
}
_WITH_ALLOW_ONLY = {
    "if": {"required": ["review"]},
    "then": {"properties": {"effect": {"const": "allow"}}},
}
_WITH_ESCALATE_ONLY = {
    "if": {"required": ["approval"]},
    "then": {"properties": {"effect": {"const": "escalate"}}},
}
_NO_BUDGET_OF_ALLOW = {
    "if": {"required": ["budget"]},
    "then": {"properties": {"effect": {"enum": ["escalate", "deny"]}}},
}
_NO_EXCEPTIONS_TO_ALLOW = {
    "if": {"properties": {"effect": {"const": "allow"}}, "required": ["effect"]},
    "then": {"properties": {"unless": {"type": "string"}}},
}
_JOINED: Mapping[str, Mapping[str, Any]] = {
    "rule": {
        "anyOf": [{"required": ["tools"]}, {"required": ["traits"]}],
        "allOf": [
            _WITH_ESCALATE_ONLY,
            _WITH_ALLOW_ONLY,
            _NO_BUDGET_OF_ALLOW,
            _NO_EXCEPTIONS_TO_ALLOW,
        ],
    },
    "exception": {"anyOf": [{"required": ["when"]}, {"required": ["subjects"]}]},
    "`subjects`": {"minProperties": 1},
    "`approval`": {"allOf": [_QUORUM_OF_A_LIST]},
    "`per`": {"maxProperties": 1},
}
"""What joins several keys of a map, by what the map is called; the builder checks the same."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of policy documents, from the rules they are checked by.

    It refers to nothing outside of itself, so that editors need no network.
    """
    head = {"$schema": _DIALECT, "title": "Policy document of policy-guardrails"}
    document = _map({"type": "dict", "schema": DOCUMENT})
    return {**head, **document, "$defs": schema_definitions()}


def _translate(rules: Rules, key: str = "") -> dict[str, Any]:
    types = [rules["type"]] if type(rules["type"]) is str else rules["type"]
    schema: dict[str, Any] = {"type": [_TYPES[kind] for kind in types]}
    if len(types) == 1:
        schema["type"] = schema["type"][0]
    if help_ := rules.get("meta", {}).get("help"):
        schema["description"] = help_
    schema |= {_BOUNDS[rule]: rules[rule] for rule in _BOUNDS if rule in rules}
    if "regex" in rules:
        schema["pattern"] = f"^(?:{rules['regex'].removesuffix(END)})$"
    if "minlength" in rules:
        schema |= {_LENGTHS[kind]: rules["minlength"] for kind in types if kind in _LENGTHS}
    if "list" in types:
        schema["items"] = _translate(rules["schema"])
        items = rules["schema"]
        rules = {key: value for key, value in rules.items() if key != "schema"}
        if items["type"] == "dict":  # a map stands for a list of itself alone
            rules["schema"] = items["schema"]
    if "dict" in types:
        schema |= {**_map(rules, key), "type": schema["type"]}
    return schema


def _map(rules: Rules, key: str = "") -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    if "schema" in rules:
        keys = rules["schema"]
        schema["properties"] = {key: _translate(value, key) for key, value in keys.items()}
        schema["required"] = [key for key, value in keys.items() if value.get("required")]
        schema["additionalProperties"] = False
        schema |= _JOINED.get(rules.get("meta", {}).get("what", ""), {})
    if "keysrules" in rules:
        schema["propertyNames"] = _translate(rules["keysrules"])
    if "valuesrules" in rules:
        values = rules["valuesrules"]
        name = ARGUMENT if key == "arguments" else SCHEMA
        free = type(values["type"]) is list
        schema["additionalProperties"] = {"$ref": f"#/$defs/{name}"} if free else _translate(values)
    return schema
