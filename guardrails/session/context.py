"""The facts that a host gives a session, and what a delegation may make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.errors import SessionError
from guardrails.snapshot import judge_value

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_context(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the facts of a session as conditions see them; raises SessionError for others."""
    try:
        judged = judge_value(dict(given or {}))
    except Exception as error:  # the class of `given` may be anyone's
        msg = f"the context of a session can't be read: {error}"
        raise SessionError(msg) from error
    if type(judged) is not dict or not all(type(key) is str for key in judged):
        raise SessionError("the context of a session is a map from names to values")
    return judged


def inherit_context(parent: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a delegation: it may add to those of its parent, not change them.

    Raises SessionError where it tries.
    """
    for key in own:
        if key in parent and not (type(own[key]) is type(parent[key]) and own[key] == parent[key]):
            msg = f"the session around has another `{key}`: a delegation can't change a fact"
            raise SessionError(msg)
    return {**own, **parent}
