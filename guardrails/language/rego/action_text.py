"""The action as modules see it: `input`, as JSON text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import orjson

from guardrails.errors import EvaluationError
from guardrails.instants import print_timestamp
from guardrails.json_form import key_text, written_as_text
from guardrails.language.rego.graph import WHOLE
from guardrails.values import INT_MIN, UINT_MAX, UInt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.language.rego.graph import Reads
    from guardrails.values import Timestamp

_PLAIN = frozenset({str, float, bool, type(None)})
_UNKNOWN_CLOSED = ("traits", "subject", "session")


class Surroundings(Protocol):
    """All of an action besides its arguments; what is unknown raises EvaluationError."""

    @property
    def tool(self) -> str:
        """The name of the tool."""

    @property
    def traits(self) -> list[str]:
        """What the tool is declared to touch."""

    @property
    def subject(self) -> dict[str, Any]:
        """Who acts."""

    @property
    def session(self) -> Mapping[str, Any]:
        """The session around the call."""

    @property
    def context(self) -> Mapping[str, Any]:
        """The facts that were provided."""

    @property
    def now(self) -> Timestamp:
        """The time of the decision."""


def find_unknown(reads: Reads, around: Surroundings) -> str | None:
    """Why a rule that reads those parts of an action has no value: one is unknown; else None."""
    for part in _UNKNOWN_CLOSED:
        if part in reads.parts or WHOLE in reads.parts:
            try:
                getattr(around, part)
            except EvaluationError as error:
                return str(error)
    return None


def write_action(reads: Reads, values: Mapping[str, Any], around: Surroundings) -> bytes:
    """The JSON text of `input`: of what is unknown nothing, of `context` the facts that are read.

    Raises EvaluationError where a part has no JSON form that stands for it alone: an integer
    beyond 64 bits, an opaque value, keys of a map that are the same as text.
    """
    facts = around.context
    if WHOLE not in reads.facts:
        facts = {key: facts[key] for key in reads.facts if key in facts}
    form: dict[str, Any] = {
        "tool": around.tool,
        "arguments": _form(values),
        "context": _form(facts),
        "now": print_timestamp(around.now),
    }
    for part in _UNKNOWN_CLOSED:
        try:
            known = getattr(around, part)
        except EvaluationError:
            continue  # the rules that read it have been told so
        form[part] = _form(known)
    try:
        return orjson.dumps(form)
    except orjson.JSONEncodeError as error:
        raise EvaluationError(f"the action can't be written for Rego: {error}") from None


def _form(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is int or kind is UInt:
        if not INT_MIN <= value <= UINT_MAX:
            raise EvaluationError("an integer beyond 64 bits can't be judged by Rego")
        return int(value)
    if kind is list or kind is tuple:
        return [_form(item) for item in value]
    if isinstance(value, dict) or hasattr(value, "items"):
        form = {key_text(key): _form(item) for key, item in value.items()}
        if len(form) != len(value):
            raise EvaluationError("keys of a map are the same as text, and Rego can't tell them")
        return form
    text = written_as_text(value)
    if text is None:
        raise EvaluationError("a value that can't be judged was given")
    return text
