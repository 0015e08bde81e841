"""The structure of test files, in the terms of `language/structure_terms.py`.

It is held against the cases after their matrices were expanded, so a placeholder may stand for a
value of any kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Code, Effect
from guardrails.language.structure_terms import WORD, choice, list_of, map_of, text

if TYPE_CHECKING:
    from guardrails.language.structure_terms import Rules

VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
"""The name of a variable of a matrix."""

EXPECTATIONS = ("expect", "rules", "code", "message", "would", "suspends", "errors")
"""The keys that say what a decision is to be."""

_CODES = (
    Code.RULE,
    Code.NO_MATCH,
    Code.UNDECLARED,
    Code.INVALID_ACTION,
    Code.INVALID_ARGUMENTS,
)
"""The codes of decisions that policies alone can make."""

_EFFECTS = tuple(map(str, Effect))

_ANYTHING: Rules = {"type": "dict"}
_IS_ID = {"what": "id", "shape": "not empty"}
_IDENTITY: Rules = {"type": "string", "minlength": 1, "meta": _IS_ID}
_SUBJECT = map_of(
    {
        "id": _IDENTITY,
        "roles": list_of(_IDENTITY, "The roles it has."),
        "on_behalf_of": text("The person it acts for."),
        "attributes": _ANYTHING,
    },
    "subject",
    "Who acts.",
)
_SESSION = map_of(
    {
        "id": _IDENTITY,
        "labels": list_of(_IDENTITY, "What results have carried in before."),
        "targets": list_of(_IDENTITY, "What the task is about."),
        "chain": list_of(_SUBJECT, "Those in whose name the subject acts, the first one first."),
    },
    "session",
    "The session around the call.",
)
_ACTION: dict[str, Rules] = {
    "tool": text("The name of the tool."),
    "arguments": _ANYTHING,
    "subject": _SUBJECT,
    "context": _ANYTHING,
    "session": _SESSION,
}
_NOW = text("The time to judge at, say `2026-06-01T10:00:00Z`.")
_GIVEN: Rules = {
    "type": ["string", "list"],
    "schema": {"type": "string", "meta": {}},
    "minlength": 1,
    "meta": {"help": "A fixture or a list of them, merged in order."},
}
_SAID: Rules = {
    "type": ["string", "list"],
    "schema": {"type": "string", "meta": {}},
    "minlength": 1,
    "meta": {"help": "What the person said before, a text or a list of them."},
}
_STEP: dict[str, Rules] = {
    "given": _GIVEN,
    "now": _NOW,
    "user_said": _SAID,
    "action": map_of(_ACTION, "action", "What is proposed, merged over the fixtures."),
    "expect": choice("effect", _EFFECTS, "The effect; `deny` if left out."),
    "rules": list_of({"type": "string", "meta": {}}, "Exactly the rules that match."),
    "code": choice("code", _CODES, "Why it is decided so."),
    "message": text("What the agent is told."),
    "would": choice("effect", _EFFECTS, "The effect with the observed rules in force."),
    "suspends": {
        "type": "boolean",
        "meta": {"help": "Whether whoever acts is suspended for it."},
    },
    "errors": list_of(
        {"type": "string", "meta": {}}, "Exactly the rules of which a condition fails."
    ),
}
_INNER_ACTION = {
    **map_of({key: rules for key, rules in _ACTION.items() if key != "session"}, "action"),
    "required": True,
}
_INNER: dict[str, Rules] = {
    "session": {
        **_IDENTITY,
        "meta": {**_IS_ID, "help": "The id of another session that the step is in."},
    },
    "output": {
        "nullable": True,
        "meta": {"help": "What the call gives if it runs, for the steps after it."},
    },
    "fails": {
        "type": "boolean",
        "meta": {"help": "Whether the call fails, for the steps after it."},
    },
    "approved": {
        "type": "boolean",
        "meta": {"help": "Whether people let it run if it is escalated, for the steps after it."},
    },
}
_CASE: dict[str, Rules] = {
    "name": {**WORD, "required": True},
    "matrix": {
        "type": "dict",
        "keysrules": {
            "type": "string",
            "regex": VARIABLE + r"\Z",
            "meta": {"what": "matrix variable", "shape": "it is made of letters, digits and `_`"},
        },
        "valuesrules": {"type": "list", "minlength": 1, "required": True, "meta": {}},
        "meta": {"help": "Variables, each with its values; every combination is a case."},
    },
    **_STEP,
    "steps": list_of(
        map_of({**_STEP, "action": _INNER_ACTION, **_INNER}, "step"),
        "Several actions in one session.",
        minlength=1,
    ),
}

SUITE: Rules = {
    "schema": {
        "version": {
            "type": "integer",
            "allowed": [1],
            "required": True,
            "meta": {"what": "version", "help": "The version of this format: 1."},
        },
        "tests": {**WORD, "required": True},
        "description": text("What is tested."),
        "policies": list_of(
            WORD,
            "The policies whose rules the cases are judged by; all of them if left out.",
            minlength=1,
        ),
        "now": _NOW,
        "fixtures": {
            "type": "dict",
            "valuesrules": map_of({**_ACTION, "now": _NOW}, "fixture"),
            "meta": {"help": "Parts of actions by name, for cases to share."},
        },
        "cases": {
            **list_of(
                map_of(_CASE, "case"), "What is proposed, and what is expected.", minlength=1
            ),
            "required": True,
        },
    },
    "meta": {"what": "test file", "whole": "a test file"},
}
"""A test file as a whole."""
