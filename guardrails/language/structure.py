"""The structure of policy documents, once: in Cerberus' terms (`structure_terms.py`).

Documents are checked with it (`validation.py`), and the JSON Schema for editors is derived from it
(`schema.py`). What joins several keys is checked by the builder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.language.document import CALENDAR, QUORUM_MAX, TRAITS
from guardrails.language.structure_terms import WORD, choice, list_of, map_of, named, text
from guardrails.past import RECENT, Outcome
from guardrails.spending import AMOUNT_MAX

if TYPE_CHECKING:
    from guardrails.language.structure_terms import Rules

_NAME_MAX = 128

POLICY_NAME = rf"[a-z0-9.-]{{1,{_NAME_MAX}}}"
RULE_NAME = rf"[A-Za-z0-9._-]{{1,{_NAME_MAX}}}"
TOOL_NAME = rf"[A-Za-z0-9_.:/-]{{1,{_NAME_MAX}}}"
TOOL_PATTERN = r"[A-Za-z0-9_.:/*-]{1,256}"

_TOOL_SHAPE = "a tool name is 1 to 128 characters of `A-Z a-z 0-9 _ . : / -`"

_TRAIT = choice("trait", TRAITS, "A kind of power.")
_SELECTOR: Rules = named(TOOL_PATTERN, "tool or pattern", f"{_TOOL_SHAPE}, and `*` in a pattern")
_TOOLS: Rules = {
    **_SELECTOR,
    "type": ["string", "list"],
    "schema": _SELECTOR,
    "minlength": 1,
    "meta": {**_SELECTOR["meta"], "help": "A tool, a pattern with `*`, or a list."},
}
_CONTROLS = list_of(WORD, "Controls of frameworks that this serves, say `OWASP-ASI02`.")
_MODE = choice("mode", ("enforce", "observe"), "`observe` watches without changing outcomes.")
_EXPIRES = text("A date, through its end in UTC, or a timestamp with offset.")

_SUBJECTS = map_of(
    {
        "ids": list_of(WORD, "Ids of agents or people; `*` stands for any run.", minlength=1),
        "roles": list_of(WORD, "Roles; `*` stands for any run of characters.", minlength=1),
    },
    "`subjects`",
    "Whom it concerns; both lists given, both must match.",
)
EXEMPTION = map_of(
    {
        "reason": {**WORD, "required": True, "meta": {**WORD["meta"], "what": "reason"}},
        "expires": {**_EXPIRES, "required": True},
        "when": text("A condition (CEL)."),
        "subjects": _SUBJECTS,
    },
    "exception",
)
_VOTERS = list_of(WORD, "Roles, and ids of persons.", minlength=1)
_STAGE = map_of(
    {
        "after": {**text("How long the others have had, say `10m`."), "required": True},
        "from": {**_VOTERS, "required": True},
    },
    "stage",
)
_APPROVAL = map_of(
    {
        "from": {
            "type": ["list", "dict"],
            "schema": WORD,
            "keysrules": WORD,
            "valuesrules": {"type": "integer", "min": 1, "max": QUORUM_MAX},
            "minlength": 1,
            "required": True,
            "meta": {
                "help": "Who may approve: roles and ids of persons, any of them; or a map that says"
                " how many of each must."
            },
        },
        "quorum": {
            "type": "integer",
            "min": 1,
            "max": QUORUM_MAX,
            "meta": {"help": "How many must approve; 1 if left out. Not with a map in `from`."},
        },
        "timeout": text("How long to wait, say `30m`, `24h`, `7d`; then the answer is no."),
        "then": list_of(_STAGE, "Who may approve as well, if nobody has after some time."),
        "separate_from": list_of(
            WORD,
            "Whose vote doesn't count, besides the agent's and that of whom it acts for:"
            " `requester`, `owner`, roles and persons.",
        ),
        "remember": text(
            "How long an approval holds for the same call in the same session, say `10m`; `none`,"
            " as if left out: it holds once."
        ),
        "veto": {
            "type": "boolean",
            "meta": {"help": "Whether one denial ends it (it does if left out)."},
        },
    },
    "`approval`",
    "Who approves what this rule escalates.",
)
_REVIEW = map_of(
    {
        "from": {**_VOTERS, "required": True},
        "within": {**text("How long they have, say `24h`."), "required": True},
    },
    "`review`",
    "Break-glass: what this rule allows runs now and is looked at afterwards. While a review is"
    " overdue the rule allows nothing.",
)
BUDGET = map_of(
    {
        "limit": {
            "type": "number",
            "min": 0,
            "max": AMOUNT_MAX,
            "required": True,
            "meta": {"help": "What may be spent; a call that would pass it is matched."},
        },
        "cost": {
            "type": ["string", "number"],
            "minlength": 1,
            "meta": {
                "help": "What one call costs: an expression (CEL) or a number; 1 if left out."
            },
        },
        "per": {
            "type": ["string", "dict"],
            "schema": {unit: text("A time zone, say `Europe/Berlin`.") for unit in CALENDAR},
            "minlength": 1,
            "meta": {
                "what": "`per`",
                "help": "How far back spending counts, say `24h`; or a stretch of the calendar with"
                " its time zone, say `{day: Europe/Berlin}`. Left out, it counts for ever.",
            },
        },
        "scope": {
            "type": ["string", "list"],
            "schema": {**text("A word or an expression (CEL)."), "minlength": 1},
            "minlength": 1,
            "meta": {
                "help": "Who shares it: `subject`, `session`, `task`, `tool`, an expression such as"
                " `subject.id`, or a list. Left out, all calls together."
            },
        },
        "give_back": choice(
            "time to give back", ("on_failure",), "Whether a call that fails has spent nothing."
        ),
    },
    "`budget`",
    "What calls may spend before this rule matches them.",
)

_STEP = {
    **map_of(
        {
            "tools": _TOOLS,
            "traits": list_of(_TRAIT, "Kinds of power, any of them.", minlength=1),
            "outcome": choice(
                "outcome",
                tuple(map(str, Outcome)),
                "What became of the call; `called` (it began to run) if left out.",
            ),
            "within": text("How long ago at most, say `10m`, `24h`, `7d`."),
            "at_least": {
                "type": "integer",
                "min": 1,
                "max": RECENT,
                "meta": {"help": "How many such calls; 1 if left out."},
            },
        },
        "step",
        "Calls of the session before this one.",
    ),
    "minlength": 1,
}


def _history(help_: str) -> Rules:
    """One step of the past of a session, or a list of steps in their order."""
    return {"type": ["dict", "list"], "schema": _STEP, "minlength": 1, "meta": {"help": help_}}


RULE = map_of(
    {
        "id": {
            **named(
                RULE_NAME,
                "rule id",
                "it must be 1 to 128 characters of `A-Z a-z 0-9 . _ -`",
                "Unique in the policy.",
            ),
            "required": True,
        },
        "effect": {
            **choice(
                "effect",
                ("allow", "escalate", "deny"),
                "What the rule asks for; the strictest of all that match wins.",
            ),
            "required": True,
        },
        "tools": _TOOLS,
        "traits": list_of(_TRAIT, "Kinds of power; tools that have them are meant.", minlength=1),
        "subjects": _SUBJECTS,
        "after": _history(
            "The rule matches only once such calls have been in the session; a list means that they"
            " happened in that order."
        ),
        "not_before": _history(
            "The rule matches as long as such calls have not been; with `deny` and `escalate`."
        ),
        "when": text("A condition (CEL) on the action."),
        "unless": {
            "type": ["string", "list"],
            "schema": EXEMPTION,
            "minlength": 1,
            "meta": {"help": "A condition, or a list of exceptions that end."},
        },
        "budget": BUDGET,
        "approval": _APPROVAL,
        "review": _REVIEW,
        "message": text("What the agent is told."),
        "description": text("For auditors and approvers."),
        "controls": _CONTROLS,
        "severity": choice("severity", ("low", "medium", "high", "critical"), "For reports."),
        "mode": _MODE,
        "expires": _EXPIRES,
        "on_match": choice(
            "consequence",
            ("suspend",),
            "`suspend` stops whoever the rule denies something, until `guardrails resume`.",
        ),
    },
    "rule",
)

TOOL = map_of(
    {
        "description": text("What the tool does."),
        "traits": list_of(_TRAIT, "What the tool can touch; all of them."),
        "arguments": {
            "type": "dict",
            "valuesrules": {"type": ["dict", "boolean"]},
            "meta": {"help": "A JSON Schema (2020-12) for each argument."},
        },
        "required": list_of({"type": "string"}, "The arguments that every call must give."),
        "$defs": {
            "type": "dict",
            "valuesrules": {"type": ["dict", "boolean"]},
            "meta": {"help": "Schemas that arguments refer to, as `#/$defs/name`."},
        },
        "returns": list_of(WORD, "Labels that the result carries into the session."),
        "mask": list_of({"type": "string"}, "Arguments that are hidden in the decision log."),
    },
    "tool",
)

DOCUMENT: dict[str, Rules] = {
    "version": {
        "type": "integer",
        "allowed": [1],
        "required": True,
        "meta": {"what": "version", "help": "The version of this format: 1."},
    },
    "policy": {
        **named(
            POLICY_NAME,
            "policy name",
            "it must be 1 to 128 characters of `a-z 0-9 - .`",
            "Unique over all documents.",
        ),
        "required": True,
    },
    "description": text("What the policy is for."),
    "owner": text("Who answers for it."),
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
        "keysrules": named(
            TOOL_NAME, "tool name", "it must be 1 to 128 characters of `A-Z a-z 0-9 _ . : / -`"
        ),
        "valuesrules": TOOL,
        "meta": {"help": "The manifest: which tools exist and what they can touch."},
    },
    "rules": list_of(RULE, "What is allowed, escalated and denied."),
}

POLICY: Rules = {"schema": DOCUMENT, "meta": {"what": "document", "whole": "a policy document"}}
"""A policy document as a whole; `whole` is how a message calls what is no map at all."""
