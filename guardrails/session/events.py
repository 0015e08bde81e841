"""What happened in a shared session, as its journal tells it: the facts of each kind, in JSON.

Whoever writes an event writes all facts of its kind. Those that the first releases didn't know may
be missing together; any other deviation is damage, or the word of a later release, and refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from guardrails.errors import StateUnavailable
from guardrails.past import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Check = Callable[[Any], bool]

ENDED = "ended"
"""The kind of the one event that is left of a session which has ended; it has no facts."""

_DIGEST_BYTES = 16
_OUTCOMES = frozenset(map(str, Outcome))


@dataclass(frozen=True, slots=True)
class Came:
    """That texts came: their characters, the digest they are kept by, and whether they are all.

    Without a digest they are not kept: there are none, or they are more than a session keeps.
    """

    size: int
    digest: str | None
    whole: bool


def read_facts(kind: str, body: str) -> dict[str, Any]:
    """The facts of an event; raises StateUnavailable for what this release can't read.

    `text` is a `Came`. What the first releases didn't write is missing.
    """
    form = _FORMS.get(kind)
    try:
        facts = json.loads(body)
    except (ValueError, RecursionError):
        facts = None
    if (
        form is None
        or type(facts) is not dict
        or facts.keys() not in (form.keys(), _FIRST_FORMS.get(kind))
        or not all(form[name](fact) for name, fact in facts.items())
    ):
        raise StateUnavailable(
            "what happened in the session can't be read: the shared state is damaged,"
            " or a later release has written to it"
        )
    if facts.get("text") is not None:
        facts["text"] = Came(**facts["text"])
    return facts


def write_facts(kind: str, facts: Mapping[str, Any], came: Came | None) -> str:
    """The body of an event; `came` is its fact `text`, of a kind that has one."""
    if "text" not in _FORMS[kind]:
        return json.dumps(facts)
    text = came and {"size": came.size, "digest": came.digest, "whole": came.whole}
    return json.dumps({**facts, "text": text})


def write_texts(texts: Sequence[str]) -> tuple[str, str]:
    """Texts as they are kept, and the digest that they are kept by."""
    body = json.dumps(texts, ensure_ascii=False)
    try:
        return _digest(body), body
    except UnicodeEncodeError:  # half a surrogate pair, which no database takes
        body = json.dumps(texts)
        return _digest(body), body


def read_texts(came: Came, body: str | None) -> list[str]:
    """The texts that came, of which `body` was kept; raises StateUnavailable where it is not so."""
    if came.digest is None:
        return []
    if body is None or _digest(body) != came.digest:
        raise StateUnavailable("a text that came into the session is missing in the shared state")
    texts: list[str] = json.loads(body)
    return texts


def _digest(body: str) -> str:
    return blake2b(body.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def _is_text(fact: Any) -> bool:
    return type(fact) is str


def _is_text_or_none(fact: Any) -> bool:
    return fact is None or type(fact) is str


def _is_count(fact: Any) -> bool:
    return type(fact) is int and fact >= 0


def _is_list(fact: Any) -> bool:
    return type(fact) is list and all(type(each) is str for each in fact)


def _is_list_or_none(fact: Any) -> bool:
    return fact is None or _is_list(fact)


def _is_yes_or_no(fact: Any) -> bool:
    return type(fact) is bool


def _is_outcome(fact: Any) -> bool:
    return type(fact) is str and fact in _OUTCOMES


def _is_came(fact: Any) -> bool:
    return (
        type(fact) is dict
        and fact.keys() == {"size", "digest", "whole"}
        and _is_count(fact["size"])
        and _is_text_or_none(fact["digest"])
        and _is_yes_or_no(fact["whole"])
    )


def _is_came_or_none(fact: Any) -> bool:
    return fact is None or _is_came(fact)


_WRITER: dict[str, Check] = {"by": _is_text, "seq": _is_count}
"""Who wrote an event, and which one of its own it is: one that is kept twice counts once."""

_FORMS: dict[str, dict[str, Check]] = {
    "open": {"subject": _is_text_or_none, **_WRITER},
    "labels": {"added": _is_list, "removed": _is_list, **_WRITER},
    "targets": {"targets": _is_list, **_WRITER},
    "call": {
        "tool": _is_text,
        "traits": _is_list_or_none,
        "declared": _is_yes_or_no,
        "outcome": _is_outcome,
        "returns": _is_list,
        "text": _is_came_or_none,
        **_WRITER,
    },
    "unbegun": {"returns": _is_list, **_WRITER},
    "said": {"text": _is_came, **_WRITER},
    "part": {"stream": _is_count, "returns": _is_list, "text": _is_came, **_WRITER},
    ENDED: {},
}

_FIRST_FORMS = {
    "open": {"subject"},
    "labels": {"added", "removed"},
    "targets": {"targets"},
    "call": {"tool", "traits", "declared", "outcome", "by"},
}
"""What releases wrote that kept no texts."""
