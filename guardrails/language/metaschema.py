"""The schemas that policies may write, described by a JSON Schema, for editors.

The official metaschema is on a server; an editor without that network would check nothing at all,
and it would admit keywords that policies may not use. Types and bounds are those of draft 2020-12
("Core" and "Validation").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.language.dialect import FORMATS, KEYWORDS
from guardrails.language.document import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")

SCHEMA, ARGUMENT = "schema", "argument"
"""Names of the two definitions: any schema, and that of an argument, which may have a `kind`."""

_REFERENCE = {"$ref": f"#/$defs/{SCHEMA}"}

_BY_HOLDING: Mapping[str, Any] = {
    "one schema": _REFERENCE,
    "a list of schemas": {"type": "array", "items": _REFERENCE, "minItems": 1},
    "a map of schemas": {"type": "object", "additionalProperties": _REFERENCE},
}
"""What a keyword takes whose value holds schemas."""

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_NUMBER = {"type": "number"}
_COUNT = {"type": "integer", "minimum": 0}
_TEXTS = {"type": "array", "items": _TEXT, "uniqueItems": True}
_TYPE = {"enum": list(TYPES)}

_DATA: Mapping[str, Any] = {
    "$comment": _TEXT,
    "$ref": {"type": "string", "pattern": "^#"},
    "const": {},
    "default": {},
    "dependentRequired": {"type": "object", "additionalProperties": _TEXTS},
    "deprecated": _FLAG,
    "description": _TEXT,
    "enum": {"type": "array"},
    "examples": {"type": "array"},
    "exclusiveMaximum": _NUMBER,
    "exclusiveMinimum": _NUMBER,
    "format": {"enum": sorted(FORMATS)},
    "maxContains": _COUNT,
    "maxItems": _COUNT,
    "maxLength": _COUNT,
    "maxProperties": _COUNT,
    "maximum": _NUMBER,
    "minContains": _COUNT,
    "minItems": _COUNT,
    "minLength": _COUNT,
    "minProperties": _COUNT,
    "minimum": _NUMBER,
    "multipleOf": {"type": "number", "exclusiveMinimum": 0},
    "pattern": _TEXT,
    "readOnly": _FLAG,
    "required": _TEXTS,
    "title": _TEXT,
    "type": {
        "anyOf": [_TYPE, {"type": "array", "items": _TYPE, "minItems": 1, "uniqueItems": True}]
    },
    "uniqueItems": _FLAG,
    "writeOnly": _FLAG,
}
"""What a keyword takes whose value holds no schema."""


def schema_definitions() -> dict[str, Any]:
    """The definitions, by the names that `#/$defs/` refers to them by."""
    keywords = {
        name: _DATA[name] if name in _DATA else _BY_HOLDING[holds]
        for name, holds in KEYWORDS.items()
    }
    kind = {"enum": list(KINDS), "description": "What packs need to know of the argument."}
    return {SCHEMA: _define(keywords), ARGUMENT: _define({"kind": kind, **keywords})}


def _define(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": ["object", "boolean"],
        "properties": dict(properties),
        "additionalProperties": False,
    }
