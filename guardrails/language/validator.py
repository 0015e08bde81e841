"""Cerberus' validator, told of values that may be a list or a map, and that `true` is no number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cerberus import TypeDefinition, Validator


class StructureValidator(Validator):  # type: ignore[misc]  # Cerberus has no types
    """Checks as Cerberus does, but where both a list and a map may stand.

    There `schema` is about the items of the list; the map has `keysrules` and `valuesrules`, or
    stands for a list of itself alone.
    """

    types_mapping = Validator.types_mapping | {
        "integer": TypeDefinition("integer", (int,), (bool,))
    }

    def _validate_schema(self, schema: Any, field: Any, value: Any) -> None:
        if not (isinstance(value, Mapping) and "list" in self.schema[field]["type"]):
            super()._validate_schema(schema, field, value)
        elif schema["type"] == "dict":
            super()._validate_schema(schema["schema"], field, value)

    # Cerberus reads here what the value of the rule itself may be.
    _validate_schema.__doc__ = Validator._validate_schema.__doc__  # noqa: SLF001
