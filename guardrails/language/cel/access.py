"""Looking into lists and maps, building maps, and going through both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.equality import NUMBERS, key_of, value_of
from guardrails.language.cel.faults import refused
from guardrails.language.cel.functions.signature import charge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.language.cel.functions.signature import Budget


def look_up(container: Any, key: Any) -> object:
    """`container[key]`: an element of a list, counted from 0, or the value under a key of a map.

    Raises `EvaluationError` where there is none.
    """
    if type(container) is dict:
        found = key_of(key)
        if found not in container:
            raise EvaluationError("no such key")
        return container[found]
    if type(container) is not list or type(key) not in NUMBERS:
        raise refused(container, key)
    if not (0 <= key < len(container) and key == int(key)):
        raise EvaluationError("no such element")
    return container[int(key)]


def has_key(container: Any, key: str) -> bool:
    """`has(container.key)`; raises `EvaluationError` where `container` is no map."""
    if type(container) is not dict:
        raise refused(container)
    return key in container


def map_from(*parts: Any) -> dict[Any, Any]:
    """The map of keys and values in turn; raises `EvaluationError` for a repeated or bad key."""
    built = {}
    for key, value in zip(parts[::2], parts[1::2], strict=True):
        found = key_of(key)
        if type(found) is float:
            raise EvaluationError("a double is no key of a map")
        if found in built:
            raise EvaluationError("a key that is repeated")
        built[found] = value
    return built


def elements(budget: Budget, container: Any, weight: int) -> Iterable[Any]:
    """The elements of a list or the keys of a map, charged with `weight` steps for each.

    Raises `EvaluationError` for anything else.
    """
    if type(container) is list:
        charge(budget, len(container) * weight)
        return container
    if type(container) is dict:
        charge(budget, len(container) * weight)
        return map(value_of, container)
    raise refused(container)


def entries(budget: Budget, container: Any, weight: int) -> Iterable[tuple[Any, Any]]:
    """The elements of a list with their indices, or the entries of a map; charged likewise."""
    keys = elements(budget, container, weight)
    if type(container) is list:
        return enumerate(keys)
    return zip(keys, container.values(), strict=True)
