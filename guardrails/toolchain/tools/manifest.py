"""A manifest of tools as YAML: what the functions say; their traits are for people to confirm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from guardrails.toolchain.tools.found import FoundTool

GUESSES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("read", ("get", "list", "read", "search", "find", "fetch", "lookup", "query", "show", "view")),
    ("write", ("write", "set", "update", "create", "add", "insert", "edit", "save", "put", "push",
               "move", "rename", "append", "schedule")),
    ("destructive", ("delete", "remove", "drop", "wipe", "purge", "truncate", "trash", "destroy",
                     "terminate", "reset")),
    ("external", ("http", "url", "web", "browse", "download", "upload", "post", "publish", "push")),
    ("communicate", ("send", "mail", "email", "message", "notify", "reply", "invite", "share",
                     "post", "publish")),
    ("spend", ("pay", "payment", "transfer", "purchase", "buy", "order", "refund", "invoice")),
    ("exec", ("exec", "execute", "run", "shell", "command", "eval", "script", "install")),
    ("privileged", ("grant", "permission", "role", "password", "credential", "token", "secret",
                    "iam", "sudo", "user")),
    ("spawn", ("spawn", "launch", "start", "deploy", "provision", "fork")),
    ("persist", ("cron", "schedule", "hook", "startup", "memory", "remember")),
    ("oversight", ("policy", "policies", "audit", "log", "logs", "approve", "approval", "monitor",
                   "alert")),
)  # fmt: skip
"""Words of a tool's name that make one think of a trait; only ever written as a comment."""


def guess_traits(name: str) -> tuple[str, ...]:
    """Return the traits that the words of a tool's name suggest; a person has to confirm them."""
    words = set(_words(name))
    return tuple(trait for trait, hints in GUESSES if words.intersection(hints))


def write_manifest(policy: str, tools: Iterable[FoundTool]) -> str:
    """Return a policy document that declares `tools` and has no rule.

    Traits stand in it as comments: a tool without traits counts as having every one, so nothing
    is allowed by trait before a person has looked.
    """
    head = f"version: 1\npolicy: {policy}\ndescription: The tools that there are.\n\ntools:\n"
    return head + "\n".join(_declare(tool, "  ") for tool in tools)


def extend_manifest(text: str, after: int, tools: Sequence[FoundTool]) -> str:
    """Return a document with `tools` declared too, behind line number `after` of `text`."""
    lines = text.splitlines(keepends=True)
    if lines and after == len(lines) and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    added = "\n".join(_declare(tool, "  ") for tool in tools)
    return "".join([*lines[:after], "\n", added, *lines[after:]])


def _declare(tool: FoundTool, indent: str) -> str:
    guessed = guess_traits(tool.name)
    lines = [f"{_key(tool.name)}:"]
    if tool.description:
        lines.append(f"  description: {_text(tool.description)}")
    if guessed:
        lines.append(
            f"  # traits: [{', '.join(guessed)}]  # guessed from the name: confirm or mend"
        )
    else:
        lines.append("  # traits: []  # none to be guessed from the name: say what it can touch")
    lines += list(_arguments(tool))
    return "".join(f"{indent}{line}\n" for line in lines)


def _arguments(tool: FoundTool) -> Iterator[str]:
    if tool.open:
        yield "  # arguments are not declared: the function takes keyword arguments of any name"
        return
    if not tool.parameters:
        yield "  arguments: {}"
        return
    yield "  arguments:"
    for parameter in tool.parameters:
        yield f"    {_key(parameter.name)}: {json.dumps(parameter.schema)}"
    required = [parameter.name for parameter in tool.parameters if parameter.required]
    if required:
        yield f"  required: [{', '.join(map(_key, required))}]"


def _key(name: str) -> str:
    """A name as a YAML key; those that YAML could read otherwise are quoted."""
    plain = name.replace("_", "a").replace(".", "a").replace("-", "a")
    safe = plain.isascii() and plain.isalnum() and name[0].isalpha()
    return name if safe and name.lower() not in ("null", "true", "false") else json.dumps(name)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _words(name: str) -> Iterator[str]:
    """The lower-case words of `sendMail`, `mail.send`, `send_mail`."""
    word = ""
    for before, character in zip(f" {name}", name, strict=False):
        if not character.isalnum() or (character.isupper() and before.islower()):
            if word:
                yield word.lower()
            word = ""
        word += character if character.isalnum() else ""
    if word:
        yield word.lower()
