"""A manifest of tools as YAML: what the functions say; their traits are for people to confirm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from guardrails.errors import GuardrailsError, PolicyError, Problem
from guardrails.language.yaml_reader import decode, read_yaml
from guardrails.toolchain.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from guardrails.language.yaml_tree import Tree
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


class ManifestRefused(GuardrailsError):  # noqa: N818 - it says what did not happen
    """A file that can't be extended as it is written; the text says what to change."""


def guess_traits(name: str) -> tuple[str, ...]:
    """Return the traits that the words of a tool's name suggest; a person has to confirm them."""
    words = set(words_of(name))
    return tuple(trait for trait, hints in GUESSES if words.intersection(hints))


def write_manifest(policy: str, tools: Iterable[FoundTool]) -> str:
    """Return a policy document that declares `tools` and has no rule.

    Traits stand in it as comments: a tool without traits counts as having every one, so nothing
    is allowed by trait before a person has looked.
    """
    head = f"version: 1\npolicy: {policy}\ndescription: The tools that there are.\n\ntools:\n"
    return "".join([head, *_declarations(tools, "  ")])


def extend_manifest(path: str, text: str, tools: Sequence[FoundTool]) -> str:
    """Return a document with `tools` declared too; what stands in it stays as it is written.

    Raises PolicyError for a text that is no YAML, and ManifestRefused for one that can't be
    extended.
    """
    source = decode(path, text.encode())
    tree, problems = read_yaml(source)
    if tree is None or problems or type(tree.data) is not dict:
        raise PolicyError(problems or [Problem(path, 0, 0, "this is no policy document")])
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    declared = tree.data.get("tools")
    if not declared:
        if "tools" in tree.data:
            raise ManifestRefused(f"{path}: `tools` is empty here: delete the line and try again")
        return "".join([*lines, "\ntools:\n", *_declarations(tools, "  ")])
    first = tree.key(declared, next(iter(declared))).start_mark
    if first.line == tree.key(tree.data, "tools").start_mark.line:
        raise ManifestRefused(
            f"{path}: `tools` is written in braces: give each tool a line of its own and try again"
        )
    after = _end_of(tree, "tools", lines)
    return "".join(
        [*lines[:after], "\n", *_declarations(tools, " " * first.column), *lines[after:]]
    )


def _end_of(tree: Tree, key: str, lines: Sequence[str]) -> int:
    """The number of the last line of what stands under a top-level `key`."""
    begins = tree.key(tree.data, key).start_mark.line
    starts = [tree.key(tree.data, other).start_mark.line for other in tree.data]
    end = min((start for start in starts if start > begins), default=len(lines))
    while not lines[end - 1].strip() or lines[end - 1].startswith("#"):
        end -= 1  # what stands before the next key belongs to it
    return end


def _declarations(tools: Iterable[FoundTool], indent: str) -> list[str]:
    """The declarations with an empty line between each two."""
    texts = [_declare(tool, indent) for tool in tools]
    return [text if place == 0 else f"\n{text}" for place, text in enumerate(texts)]


def _declare(tool: FoundTool, indent: str) -> str:
    guessed = guess_traits(tool.name)
    description = _text(tool.description) if tool.description else '""  # say what it does'
    lines = [f"{_key(tool.name)}:", f"  description: {description}"]
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
