"""Dataclasses and pydantic models among the arguments: their fields, and a copy to hand over."""

from __future__ import annotations

import dataclasses
import sys
from copy import deepcopy
from types import MemberDescriptorType

from guardrails.lookup import ABSENT, find_attribute


def read_fields(value: object) -> dict[str, object] | None:
    """Return the fields of a dataclass or pydantic model, or None for any other object.

    None too for a class that computes what a field shows (`__getattribute__`, a property): it
    could show the tool something else than was judged.
    """
    kind = type(value)
    if find_attribute(kind, "__getattribute__") is not object.__getattribute__:
        return None
    try:
        fields = _read_pydantic(value, kind) or _read_dataclass(value, kind)
        if fields is None or not all(_is_stored(kind, name) for name in fields):
            return None
    except Exception:  # noqa: BLE001 - a class that isn't ours may raise anything
        return None
    return fields


def copy_structure(value: object) -> object | None:
    """Return a deep copy of the same type, or None where that fails."""
    try:
        copied = deepcopy(value)
    except Exception:  # noqa: BLE001 - `__deepcopy__` and `__reduce__` of a class that isn't ours
        return None
    return copied if type(copied) is type(value) and copied is not value else None


def _read_pydantic(value: object, kind: type) -> dict[str, object] | None:
    pydantic = sys.modules.get("pydantic")
    if pydantic is None or not issubclass(kind, pydantic.BaseModel):
        return None
    extra = object.__getattribute__(value, "__pydantic_extra__")
    return {**object.__getattribute__(value, "__dict__"), **(extra or {})}


def _read_dataclass(value: object, kind: type) -> dict[str, object] | None:
    if not dataclasses.is_dataclass(kind):
        return None
    names = [field.name for field in dataclasses.fields(kind)]
    return {name: object.__getattribute__(value, name) for name in names}


def _is_stored(kind: type, name: str) -> bool:
    """Whether attribute `name` of `kind`'s instances is plain storage."""
    attribute = find_attribute(kind, name)
    shown_by = type(attribute)
    return shown_by is MemberDescriptorType or find_attribute(shown_by, "__get__") is ABSENT
