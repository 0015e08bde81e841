"""Attributes of classes, found in their storage, whatever a metaclass says of them."""

from __future__ import annotations

from typing import Any

ABSENT = object()
"""What stands for an attribute that no class has."""

_bases_of = type.__dict__["__mro__"].__get__
_storage_of = type.__dict__["__dict__"].__get__
_name_of = type.__dict__["__name__"].__get__


def find_attribute(kind: type, name: str) -> Any:
    """Return what instances of `kind` find under `name` in its classes, or ABSENT; runs no code."""
    for base in _bases_of(kind):
        storage = _storage_of(base)
        if name in storage:
            return storage[name]
    return ABSENT


def class_name(kind: type) -> str:
    """Return the name that `kind` was made with, whatever its metaclass says."""
    name: str = _name_of(kind)
    return name
