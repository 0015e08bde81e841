"""The structure of policy documents, once: in Cerberus' terms.

Documents are checked with it (`validation.py`), and the JSON Schema for editors is derived from it
(`schema.py`). Under `meta` stand `what` (how a message calls it), `shape` (what a pattern asks
for, in words) and `help` (for editors). What joins several keys is checked by the builder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.language.document import TRAITS

if TYPE_CHECKING:
    from collections.abc import Mapping

Rules = dict[str, Any]

END = r"\Z"
"""How a pattern ends for Cerberus, which alone would let a line break follow."""

_NAME_MAX = 128

POLICY_NAME = rf"[a-z0-9.-]{{1,{_NAME_MAX}}}"
RULE_NAME = rf"[A-Za-z0-9._-]{{1,{_NAME_MAX}}}"
TOOL_NAME = rf"[A-Za-z0-9_.:/-]{{1,{_NAME_MAX}}}"
TOOL_PATTERN = r"[A-Za-z0-9_.:/*-]{1,256}"

_TOOL_SHAPE = "a tool name is 1 to 128 characters of `A-Z a-z 0-9 _ . : / -`"


def _text(help_: str, **rules: Any) -> Rules:
    return {"type": "string", "meta": {"help": help_}, **rules}


def _named(pattern: str, what: str, shape: str, help_: str = "") -> Rules:
    meta = {"what": what, "shape": shape, "help": help_}
    return {"type": "string", "regex": pattern + END, "meta": meta}


def _choice(what: str, allowed: tuple[str, ...], help_: str) -> Rules:
    return {"type": "string", "allowed": list(allowed), "meta": {"what": what, "help": help_}}


def _list(item: Rules, help_: str, **rules: Any) -> Rules:
    return {"type": "list", "schema": item, "meta": {"help": help_}, **rules}


def _map(keys: Mapping[str, Rules], what: str, help_: str = "") -> Rules:
    return {"type": "dict", "schema": dict(keys), "meta": {"what": what, "help": help_}}


_WORD: Rules = {
    "type": "string",
    "regex": r"\S(?:.*\S)?" + END,
    "meta": {"what": "name", "shape": "it must not be empty or begin or end with a space"},
}
_TRAIT = _choice("trait", TRAITS, "A kind of power.")
_SELECTOR: Rules = _named(TOOL_PATTERN, "tool or pattern", f"{_TOOL_SHAPE}, and `*` in a pattern")
_CONTROLS = _list(_WORD, "Controls of frameworks that this serves, say `OWASP-ASI02`.")
_MODE = _choice("mode", ("enforce", "observe"), "`observe` watches without changing outcomes.")
_EXPIRES = _text("A date, through its end in UTC, or a timestamp with offset.")

_SUBJECTS = _map(
    {
        "ids": _list(_WORD, "Ids of agents or people; `*` stands for any run.", minlength=1),
        "roles": _list(_WORD, "Roles; `*` stands for any run of characters.", minlength=1),
    },
    "`subjects`",
    "Whom it concerns; both lists given, both must match.",
)
_EXEMPTION = _map(
    {
        "reason": {**_WORD, "required": True, "meta": {**_WORD["meta"], "what": "reason"}},
        "expires": {**_EXPIRES, "required": True},
        "when": _text("A condition (CEL)."),
        "subjects": _SUBJECTS,
    },
    "exception",
)
_APPROVAL = _map(
    {
        "from": {**_list(_WORD, "Who may approve: roles.", minlength=1), "required": True},
        "quorum": {
            "type": "integer",
            "min": 1,
            "meta": {"help": "How many must approve; 1 if left out."},
        },
        "timeout": _text("How long to wait, say `30m`, `24h`, `7d`; then the answer is no."),
    },
    "`approval`",
    "Who approves what this rule escalates.",
)

RULE = _map(
    {
        "id": {
            **_named(
                RULE_NAME,
                "rule id",
                "it must be 1 to 128 characters of `A-Z a-z 0-9 . _ -`",
                "Unique in the policy.",
            ),
            "required": True,
        },
        "effect": {
            **_choice(
                "effect",
                ("allow", "escalate", "deny"),
                "What the rule asks for; the strictest of all that match wins.",
            ),
            "required": True,
        },
        "tools": {
            **_SELECTOR,
            "type": ["string", "list"],
            "schema": _SELECTOR,
            "minlength": 1,
            "meta": {**_SELECTOR["meta"], "help": "A tool, a pattern with `*`, or a list."},
        },
        "traits": _list(_TRAIT, "Kinds of power; tools that have them are meant.", minlength=1),
        "subjects": _SUBJECTS,
        "when": _text("A condition (CEL) on the action."),
        "unless": {
            "type": ["string", "list"],
            "schema": _EXEMPTION,
            "minlength": 1,
            "meta": {"help": "A condition, or a list of exceptions that end."},
        },
        "approval": _APPROVAL,
        "message": _text("What the agent is told."),
        "description": _text("For auditors and approvers."),
        "controls": _CONTROLS,
        "severity": _choice("severity", ("low", "medium", "high", "critical"), "For reports."),
        "mode": _MODE,
        "expires": _EXPIRES,
    },
    "rule",
)

TOOL = _map(
    {
        "description": _text("What the tool does."),
        "traits": _list(_TRAIT, "What the tool can touch; all of them."),
        "arguments": {
            "type": "dict",
            "valuesrules": {"type": ["dict", "boolean"]},
            "meta": {"help": "A JSON Schema (2020-12) for each argument."},
        },
        "required": _list({"type": "string"}, "The arguments that every call must give."),
        "$defs": {
            "type": "dict",
            "valuesrules": {"type": ["dict", "boolean"]},
            "meta": {"help": "Schemas that arguments refer to, as `#/$defs/name`."},
        },
        "returns": _list(_WORD, "Labels that the result carries into the session."),
        "mask": _list({"type": "string"}, "Arguments that are hidden in the decision log."),
    },
    "tool",
)

DOCUMENT: Rules = {
    "version": {
        "type": "integer",
        "allowed": [1],
        "required": True,
        "meta": {"what": "version", "help": "The version of this format: 1."},
    },
    "policy": {
        **_named(
            POLICY_NAME,
            "policy name",
            "it must be 1 to 128 characters of `a-z 0-9 - .`",
            "Unique over all documents.",
        ),
        "required": True,
    },
    "description": _text("What the policy is for."),
    "owner": _text("Who answers for it."),
    "controls": _CONTROLS,
    "mode": _MODE,
    "constants": {
        "type": "dict",
        "meta": {"help": "Values that conditions read as `constants.name`, in every document."},
    },
    "context": {
        "type": "dict",
        "valuesrules": {"type": ["dict", "boolean"]},
        "meta": {"help": "Facts that the host supplies: a JSON Schema (2020-12) for each."},
    },
    "tools": {
        "type": "dict",
        "keysrules": _named(
            TOOL_NAME, "tool name", "it must be 1 to 128 characters of `A-Z a-z 0-9 _ . : / -`"
        ),
        "valuesrules": TOOL,
        "meta": {"help": "The manifest: which tools exist and what they can touch."},
    },
    "rules": _list(RULE, "What is allowed, escalated and denied."),
}
