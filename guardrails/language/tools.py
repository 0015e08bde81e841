"""The tools that documents declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.language.arguments import ArgumentsSchema, read_arguments
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.document import Tool

if TYPE_CHECKING:
    from guardrails.errors import Problem
    from guardrails.language.document import Span
    from guardrails.language.draft import Part
    from guardrails.language.yaml_tree import Tree


def read_tool(
    tree: Tree, part: Part, name: str, policy: str, span: Span, problems: list[Problem]
) -> Tool:
    """The tool that a document declares as `name` with the map `part`; adds to `problems`."""
    return Tool(
        name=name,
        policy=policy,
        description=part.get("description", ""),
        traits=part.names("traits") or None,
        arguments=_read_arguments(tree, name, part, problems),
        returns=part.names("returns"),
        mask=part.names("mask"),
        span=span,
        places=tree.places(part.data),
    )


def _read_arguments(
    tree: Tree, name: str, part: Part, problems: list[Problem]
) -> ArgumentsSchema | None:
    if "arguments" not in part:
        for key in ("required", "$defs"):
            if key in part and not part.doubtful("arguments"):
                message = f"`{key}` says something of arguments, and there are no `arguments`"
                problems.append(tree.problem(tree.key(part.data, key), message))
        return None
    arguments = part.data["arguments"]
    for key in ("required", "mask"):
        for index, named in part.texts(key):
            if named not in arguments:
                message = f"unknown argument {quote(named)}{did_you_mean(named, arguments)}"
                problems.append(tree.problem(tree.value(part.data[key], index), message))
    schemas = {each: _sound(part, "arguments", each) for each in arguments}
    definitions = {each: _sound(part, "$defs", each) for each in part.get("$defs", {})}
    required = [each for each in part.names("required") if each in arguments]
    schema, faults = read_arguments(name, schemas, required, definitions)
    for fault in faults:
        event = tree.event_at(part.data, fault.path, of_key=fault.of_key)
        problems.append(tree.problem(event, fault.message))
    return schema


def _sound(part: Part, key: str, name: str) -> Any:
    """A schema of the tool; where there is none, one that tells nothing."""
    return True if (key, name) in part.faults else part.data[key][name]
